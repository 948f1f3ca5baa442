// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "expect.h"
#include "live/credentials.h"
#include "stored.h"

namespace tlsguard::test {
namespace {

using crypto::KeyType;
using live::Credentials;
using live::DomainBoard;
using live::LivePtr;

class Lines : public LogSink {
 public:
  void write(Severity, std::string_view id, std::string_view text) override {
    std::lock_guard lock(lock_);
    lines_.push_back(std::string(id) + ' ' + std::string(text));
  }
  [[nodiscard]] int count(std::string_view id) const {
    std::lock_guard lock(lock_);
    int found = 0;
    for (const std::string& line : lines_) found += line.starts_with(id) ? 1 : 0;
    return found;
  }
  [[nodiscard]] std::string last() const {
    std::lock_guard lock(lock_);
    return lines_.empty() ? "" : lines_.back();
  }

 private:
  mutable std::mutex lock_;
  std::vector<std::string> lines_;
};

// One worker of a server with one managed domain.
struct Worker {
  Worker() : board(value_of(DomainBoard::create(&fd))), slot(*board.claim("example.org")) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    ::munmap(board.base(), DomainBoard::bytes());
    ::close(fd);
  }

  LivePtr find() { return credentials.find(slot, "example.org"); }
  // As the agent does it. Returns the version.
  std::uint32_t issue(const std::vector<KeyType>& types = {KeyType::p256},
                      const std::vector<std::string>& names = {"example.org"}) {
    return activate(make_version(files.issuer, names, types));
  }
  std::uint32_t activate(const store::Version& version) {
    std::uint32_t number = value_of(certificates.put("example.org", version));
    auto current = value_of(certificates.activate("example.org", number));
    slot.generation.store(current.generation, std::memory_order_release);
    return number;
  }

  StoreFixture files;
  store::CertificateStore certificates = files.open();
  int fd = -1;
  DomainBoard board;
  live::DomainSlot& slot;
  Lines log;
  std::atomic<UnixSeconds> now{test_now};
  Credentials credentials{board, certificates, log, [this] { return now.load(); }};
};

START_TEST(nothing_is_live_before_the_first_activation) {
  Worker worker;
  ck_assert(worker.find() == nullptr);
  std::uint32_t version = worker.issue();
  LivePtr live = worker.find();
  ck_assert(live != nullptr);
  ck_assert_uint_eq(live->version, version);
  ck_assert_uint_eq(live->credentials.size(), 1);
  ck_assert_int_eq(live->not_after, test_now + 90 * one_day);
  ck_assert(live->covers("example.org") && !live->covers("www.example.org"));
  ck_assert_int_eq(worker.log.count("TG0062"), 1);
}
END_TEST

START_TEST(a_worker_says_on_the_board_what_it_serves) {
  Worker worker;
  worker.issue();
  ck_assert(worker.find() != nullptr);  // inherited: the parent had no row
  worker.credentials.use_row(worker.board.claim_row(static_cast<std::uint32_t>(::getpid())));
  const std::uint32_t row = worker.board.workers().at(0).row;
  const std::uint32_t position = worker.board.position_of(&worker.slot);
  ck_assert_uint_eq(worker.board.cell(row, position).generation, 1);
  worker.issue();
  ck_assert_uint_eq(worker.board.cell(row, position).generation, 1);
  ck_assert(worker.find() != nullptr);
  ck_assert_uint_eq(worker.board.cell(row, position).generation, 2);
}
END_TEST

START_TEST(the_store_is_asked_only_when_the_board_has_news) {
  Worker worker;
  ck_assert(worker.find() == nullptr);
  // Live in the store, and nobody has told the board.
  std::uint32_t number = value_of(worker.certificates.put("example.org", worker.files.version()));
  (void)value_of(worker.certificates.activate("example.org", number));
  ck_assert(worker.find() == nullptr);
  worker.slot.generation.store(1, std::memory_order_release);
  LivePtr live = worker.find();
  ck_assert(live != nullptr);
  ck_assert(worker.find() == live);
  worker.slot.generation.store(2, std::memory_order_release);  // nonsense: the store says 1
  ck_assert(worker.find() == live);
}
END_TEST

START_TEST(what_is_live_at_the_start_is_served_before_anybody_tells) {
  Worker worker;
  std::uint32_t number = value_of(worker.certificates.put("example.org", worker.files.version()));
  (void)value_of(worker.certificates.activate("example.org", number));
  ck_assert_uint_eq(worker.slot.generation, 0);
  ck_assert(worker.find() != nullptr);
}
END_TEST

START_TEST(a_renewal_is_seen_and_the_old_one_lives_as_long_as_it_is_held) {
  Worker worker;
  worker.issue();
  LivePtr old = worker.find();
  std::uint32_t version = worker.issue();
  LivePtr live = worker.find();
  ck_assert(live != old);
  ck_assert_uint_eq(live->version, version);
  ck_assert_uint_eq(old->version, version - 1);
  ck_assert_ptr_nonnull(old->credentials.front().key.get());
}
END_TEST

START_TEST(going_back_is_news_too) {
  Worker worker;
  std::uint32_t first = worker.issue();
  worker.issue();
  ck_assert_uint_eq(worker.find()->version, first + 1);
  auto current = value_of(worker.certificates.activate("example.org", first));
  worker.slot.generation.store(current.generation, std::memory_order_release);
  ck_assert_uint_eq(worker.find()->version, first);
}
END_TEST

START_TEST(a_broken_version_changes_nothing_and_is_said_once) {
  Worker worker;
  worker.issue();
  LivePtr good = worker.find();
  std::uint32_t broken = worker.issue();
  write_file(worker.files / (std::to_string(broken) + "/P-256.key"), "nonsense");
  for (int i = 0; i < 5; ++i) ck_assert(worker.find() == good);
  ck_assert_int_eq(worker.log.count("TG0060"), 1);
  ck_assert_uint_eq(worker.slot.failed_loads, 1);
  expect_contains(worker.log.last(), "domain=example.org");
  expect_contains(worker.log.last(), "served on");
  std::uint32_t next = worker.issue();
  ck_assert_uint_eq(worker.find()->version, next);
}
END_TEST

START_TEST(a_failure_that_passes_is_got_over) {
  Worker worker;
  worker.issue();
  LivePtr good = worker.find();
  std::uint32_t version = worker.issue();
  std::string path = worker.files / (std::to_string(version) + "/P-256.key");
  std::string key = content_of(path);
  write_file(path, "nonsense");
  ck_assert(worker.find() == good);
  write_file(path, key);
  ck_assert(worker.find() == good);  // not at once: a handshake should not wait for the disk
  ck_assert_uint_eq(worker.slot.failed_loads, 1);
  worker.now += 60;
  ck_assert_uint_eq(worker.find()->version, version);
  ck_assert_int_eq(worker.log.count("TG0060"), 1);
  ck_assert_uint_eq(worker.slot.failed_loads, 0);
}
END_TEST

START_TEST(a_chain_of_another_key_is_refused) {
  Worker worker;
  worker.issue();
  LivePtr good = worker.find();
  std::uint32_t version = worker.issue();
  auto other = value_of(crypto::generate_key(KeyType::p256));
  write_file(worker.files / (std::to_string(version) + "/P-256.pem"),
             chain_pem_for({"example.org"}, other.get(), worker.files.issuer));
  ck_assert(worker.find() == good);
  ck_assert_int_eq(worker.log.count("TG0060"), 1);
}
END_TEST

START_TEST(files_that_go_away_take_nothing_out_of_service) {
  Worker worker;
  worker.issue();
  LivePtr good = worker.find();
  std::filesystem::remove_all(worker.files.temp / "example.org");
  worker.slot.generation.store(7, std::memory_order_release);
  ck_assert(worker.find() == good);
}
END_TEST

START_TEST(an_expired_one_is_served_where_there_is_no_better) {
  Worker worker;
  worker.issue();
  worker.now = test_now + 100 * one_day;
  LivePtr live = worker.find();
  ck_assert(live != nullptr);
  ck_assert_int_eq(worker.log.count("TG0061"), 1);
}
END_TEST

START_TEST(an_expired_one_does_not_replace_one_that_is_not) {
  Worker worker;
  worker.issue();
  LivePtr good = worker.find();
  auto key = value_of(crypto::generate_key(KeyType::p256));
  store::Version old;
  old.meta.names = {"example.org"};
  old.pairs.push_back({KeyType::p256,
                       chain_pem_for({"example.org"}, key.get(), worker.files.issuer,
                                     {test_now - 40 * one_day, test_now - one_day}),
                       value_of(crypto::key_to_der(key.get()))});
  worker.activate(old);
  ck_assert(worker.find() == good);
  expect_contains(worker.log.last(), "is valid from");
}
END_TEST

START_TEST(one_certificate_a_family_the_first) {
  Worker worker;
  worker.issue({KeyType::p384, KeyType::rsa2048, KeyType::p256});
  LivePtr live = worker.find();
  ck_assert_uint_eq(live->credentials.size(), 2);
  ck_assert(live->credentials[0].type == KeyType::p384);
  ck_assert(live->credentials[1].type == KeyType::rsa2048);
  ck_assert_uint_eq(live->keys->size(), 2);
}
END_TEST

START_TEST(equal_keys_have_one_address) {
  Worker worker;
  worker.issue();
  const live::KeySet* first = worker.find()->keys;
  worker.issue();
  ck_assert_ptr_eq(worker.find()->keys, first);
  ck_assert(first->front().type == hello::KeyType::ecdsa);
  worker.issue({KeyType::rsa2048});
  ck_assert_ptr_ne(worker.find()->keys, first);
}
END_TEST

START_TEST(without_news_it_rechecks_where_it_was_asked_to) {
  Worker worker;
  Credentials passive(
      worker.board, worker.certificates, worker.log, [&] { return worker.now.load(); }, 10);
  ck_assert(passive.find(worker.slot, "example.org") == nullptr);
  std::uint32_t number = value_of(worker.certificates.put("example.org", worker.files.version()));
  (void)value_of(worker.certificates.activate("example.org", number));
  ck_assert(passive.find(worker.slot, "example.org") == nullptr);
  worker.now += 11;
  ck_assert(passive.find(worker.slot, "example.org") != nullptr);
}
END_TEST

START_TEST(threads_see_one_certificate_and_never_none) {
  Worker worker;
  worker.issue();
  std::atomic<bool> stop{false};
  std::atomic<int> without{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        LivePtr live = worker.find();
        if (live == nullptr || live->credentials.empty()) ++without;
      }
    });
  }
  std::uint32_t last = 0;
  for (int i = 0; i < 20; ++i) last = worker.issue();
  while (worker.find()->version != last) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  ck_assert_int_eq(without, 0);
}
END_TEST

START_TEST(threads_that_come_first_wait_for_the_one_that_loads) {
  for (int round = 0; round < 20; ++round) {
    Worker worker;
    worker.issue();
    std::atomic<int> without{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] { without += worker.find() == nullptr ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    ck_assert_int_eq(without, 0);
    ck_assert_int_eq(worker.log.count("TG0062"), 1);
  }
}
END_TEST

START_TEST(it_is_put_on_a_connection_in_place_of_what_was_there) {
  Worker worker;
  worker.issue({KeyType::p256, KeyType::rsa2048});
  LivePtr live = worker.find();
  crypto::SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  auto key = value_of(crypto::generate_key(KeyType::rsa2048));
  auto leaf = make_leaf({"static.example.org"}, key.get(), worker.files.issuer);
  ck_assert_int_eq(SSL_CTX_use_cert_and_key(ctx.get(), leaf.get(), key.get(), nullptr, 1), 1);
  crypto::Ssl ssl(SSL_new(ctx.get()));
  (void)value_of<bool>(live::serve(ssl.get(), *live).map([] { return true; }));
  X509* shown = SSL_get_certificate(ssl.get());
  ck_assert(shown == live->credentials[0].chain.front().get() ||
            shown == live->credentials[1].chain.front().get());
  ck_assert_ptr_eq(SSL_CTX_get0_certificate(ctx.get()), leaf.get());
}
END_TEST

START_TEST(a_security_level_that_allows_no_key_is_an_error) {
  Worker worker;
  worker.issue({KeyType::rsa2048});
  crypto::SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_security_level(ctx.get(), 3);
  crypto::Ssl ssl(SSL_new(ctx.get()));
  auto served = live::serve(ssl.get(), *worker.find());
  ck_assert(!served.has_value());
  expect_contains(served.error().text, "small");
}
END_TEST

}  // namespace

Suite* credentials_suite() {
  Suite* suite = suite_create("credentials");
  TCase* tests = tcase_create("credentials");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, nothing_is_live_before_the_first_activation);
  tcase_add_test(tests, a_worker_says_on_the_board_what_it_serves);
  tcase_add_test(tests, the_store_is_asked_only_when_the_board_has_news);
  tcase_add_test(tests, what_is_live_at_the_start_is_served_before_anybody_tells);
  tcase_add_test(tests, a_renewal_is_seen_and_the_old_one_lives_as_long_as_it_is_held);
  tcase_add_test(tests, going_back_is_news_too);
  tcase_add_test(tests, a_broken_version_changes_nothing_and_is_said_once);
  tcase_add_test(tests, a_failure_that_passes_is_got_over);
  tcase_add_test(tests, a_chain_of_another_key_is_refused);
  tcase_add_test(tests, files_that_go_away_take_nothing_out_of_service);
  tcase_add_test(tests, an_expired_one_is_served_where_there_is_no_better);
  tcase_add_test(tests, an_expired_one_does_not_replace_one_that_is_not);
  tcase_add_test(tests, one_certificate_a_family_the_first);
  tcase_add_test(tests, equal_keys_have_one_address);
  tcase_add_test(tests, without_news_it_rechecks_where_it_was_asked_to);
  tcase_add_test(tests, threads_see_one_certificate_and_never_none);
  tcase_add_test(tests, threads_that_come_first_wait_for_the_one_that_loads);
  tcase_add_test(tests, it_is_put_on_a_connection_in_place_of_what_was_there);
  tcase_add_test(tests, a_security_level_that_allows_no_key_is_an_error);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
