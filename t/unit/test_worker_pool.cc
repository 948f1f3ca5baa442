// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "renew/worker_pool.h"

namespace tlsguard::test {
namespace {

using renew::HttpClients;
using renew::HttpFactories;
using renew::WorkerPool;
using std::chrono::milliseconds;

const HttpFactories nobody;

// Until it holds, for ten seconds at most.
template <typename Condition>
bool comes_true(Condition&& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

START_TEST(threads_exist_only_while_there_is_work) {
  WorkerPool pool({.busy = 4, .threads = 4, .idle = milliseconds(20)}, nobody);
  ck_assert_uint_eq(pool.threads(), 0);
  std::atomic<int> done = 0;
  for (int i = 0; i < 100; ++i) pool.submit([&](HttpClients&) { ++done; });
  pool.wait_idle();
  ck_assert_int_eq(done, 100);
  ck_assert_uint_le(pool.threads(), 4);
  ck_assert(comes_true([&] { return pool.threads() == 0; }));
  pool.submit([&](HttpClients&) { ++done; });
  pool.wait_idle();
  ck_assert_int_eq(done, 101);
}
END_TEST

START_TEST(only_so_many_work_at_once) {
  WorkerPool pool({.busy = 3, .threads = 10}, nobody);
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  for (int i = 0; i < 30; ++i) {
    pool.submit([&](HttpClients&) {
      int here = ++now;
      int before = most;
      while (before < here && !most.compare_exchange_weak(before, here)) {
      }
      std::this_thread::sleep_for(milliseconds(5));
      --now;
    });
  }
  pool.wait_idle();
  ck_assert_int_le(most, 3);
  ck_assert_int_ge(most, 2);
}
END_TEST

START_TEST(those_asleep_do_not_keep_others_from_work) {
  WorkerPool pool({.busy = 2, .threads = 50}, nobody);
  std::atomic<int> asleep = 0;
  std::atomic<int> most = 0;
  for (int i = 0; i < 40; ++i) {
    pool.submit([&](HttpClients&) {
      most = std::max(most.load(), ++asleep);
      pool.sleep(milliseconds(300));
      --asleep;
    });
  }
  pool.wait_idle();
  ck_assert_int_ge(most, 20);
  ck_assert_int_eq(asleep, 0);
}
END_TEST

START_TEST(who_sleeps_for_moments_keeps_its_place) {
  WorkerPool pool({.busy = 2, .threads = 50}, nobody);
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  for (int i = 0; i < 20; ++i) {
    pool.submit([&](HttpClients&) {
      most = std::max(most.load(), ++at_once);
      pool.sleep(milliseconds(10));
      --at_once;
    });
  }
  pool.wait_idle();
  ck_assert_int_le(most, 2);
  ck_assert_int_eq(at_once, 0);
}
END_TEST

START_TEST(there_is_a_limit_to_all_threads) {
  WorkerPool pool({.busy = 2, .threads = 5}, nobody);
  std::atomic<int> done = 0;
  for (int i = 0; i < 20; ++i) {
    pool.submit([&](HttpClients&) {
      pool.sleep(milliseconds(10));
      ++done;
    });
  }
  ck_assert_uint_le(pool.threads(), 5);
  pool.wait_idle();
  ck_assert_int_eq(done, 20);
}
END_TEST

START_TEST(clients_are_used_again_in_a_thread) {
  std::atomic<int> made = 0;
  class Client : public net::HttpClient {
    Result<net::HttpResponse> send(const net::HttpRequest&) override {
      return net::HttpResponse{200, {}, ""};
    }
  };
  HttpFactories factories{[&](const net::HttpSettings&) {
                            ++made;
                            return std::make_unique<Client>();
                          },
                          {}};
  WorkerPool pool({.busy = 1, .threads = 1}, factories);
  renew::DomainSettings one;
  renew::DomainSettings other;
  other.http_proxy = "http://proxy.example:3128";
  for (int i = 0; i < 10; ++i) {
    pool.submit([&](HttpClients& clients) {
      renew::WatchedHttp http(clients.to_ca(one));
      ck_assert(http.send({}).has_value());
      ck_assert(http.answered());
      static_cast<void>(clients.to_ca(other));
    });
  }
  pool.wait_idle();
  ck_assert_int_eq(made, 2);
}
END_TEST

START_TEST(its_end_waits_for_what_was_begun) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool({.busy = 2, .threads = 2}, nobody);
    std::atomic<int> begun = 0;
    for (int i = 0; i < 2; ++i) {
      pool.submit([&](HttpClients&) {
        ++begun;
        pool.sleep(std::chrono::hours(1));  // which its end cuts short
        ++done;
      });
    }
    ck_assert(comes_true([&] { return begun == 2; }));
  }
  ck_assert_int_eq(done, 2);
}
END_TEST

}  // namespace

Suite* worker_pool_suite() {
  Suite* suite = suite_create("worker pool");
  TCase* tests = tcase_create("worker pool");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, threads_exist_only_while_there_is_work);
  tcase_add_test(tests, only_so_many_work_at_once);
  tcase_add_test(tests, those_asleep_do_not_keep_others_from_work);
  tcase_add_test(tests, who_sleeps_for_moments_keeps_its_place);
  tcase_add_test(tests, there_is_a_limit_to_all_threads);
  tcase_add_test(tests, clients_are_used_again_in_a_thread);
  tcase_add_test(tests, its_end_waits_for_what_was_begun);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
