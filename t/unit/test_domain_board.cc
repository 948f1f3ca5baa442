// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "expect.h"
#include "live/domain_board.h"
#include "live/sip_hash.h"

namespace tlsguard::test {
namespace {

using live::DomainBoard;
using live::DomainBoardAnchor;
using live::DomainSlot;

// A board of this test, and its end.
class Made {
 public:
  Made() : board(value_of(DomainBoard::create(&fd))) {}
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() {
    ::munmap(board.base(), DomainBoard::bytes());
    ::close(fd);
  }
  int fd = -1;
  DomainBoard board;
};

START_TEST(sip_hash_is_that_of_the_paper) {
  // Appendix A of the paper: key 00 01 … 0f, message 00 01 … 0e.
  std::string message;
  for (char c = 0; c < 15; ++c) message += c;
  live::SipHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  ck_assert_uint_eq(hash(message), 0xa129ca6149be45e5);
}
END_TEST

START_TEST(a_domain_is_found_under_its_identity_once_it_is_claimed) {
  Made made;
  ck_assert_ptr_null(made.board.find("example.org"));
  DomainSlot* slot = made.board.claim("example.org");
  ck_assert_ptr_nonnull(slot);
  ck_assert_ptr_eq(made.board.find("example.org"), slot);
  ck_assert_ptr_eq(made.board.claim("example.org"), slot);
  ck_assert_ptr_eq(made.board.find_key(slot->key), slot);
  ck_assert_uint_eq(slot->generation, 0);
  expect_text(slot->identity(), "example.org");
  ck_assert_ptr_null(made.board.find("www.example.org"));
  ck_assert_ptr_ne(made.board.claim("*.example.org"), slot);
  ck_assert_ptr_null(made.board.find_key(0));
}
END_TEST

START_TEST(identities_of_any_length_up_to_the_bound_are_kept_whole) {
  Made made;
  for (std::size_t length : {1U, 7U, 8U, 9U, 63U, 64U, 254U, 255U}) {
    std::string name(length, 'a');
    DomainSlot* slot = made.board.claim(name);
    ck_assert_ptr_nonnull(slot);
    expect_text(slot->identity(), name);
    ck_assert_ptr_eq(made.board.find(name), slot);
  }
  ck_assert_ptr_null(made.board.claim(std::string(256, 'a')));
  ck_assert_ptr_null(made.board.find(std::string(256, 'a')));
  ck_assert_ptr_null(made.board.claim(""));
}
END_TEST

START_TEST(ten_thousand_domains_have_a_slot_each_close_together) {
  Made made;
  std::set<std::uint32_t> positions;
  constexpr std::uint32_t count = 10000;
  for (std::uint32_t i = 0; i < count; ++i) {
    DomainSlot* slot = made.board.claim(fmt::format("host{}.example.org", i));
    ck_assert_ptr_nonnull(slot);
    positions.insert(made.board.position_of(slot));
  }
  ck_assert_uint_eq(positions.size(), count);
  ck_assert_uint_lt(*positions.rbegin(), count);
  for (std::uint32_t i = 0; i < count; ++i) {
    expect_text(made.board.find(fmt::format("host{}.example.org", i))->identity(),
                fmt::format("host{}.example.org", i));
  }
}
END_TEST

START_TEST(memory_a_name_is_below_two_kib) {
  Made made;
  constexpr std::size_t count = 10000;
  constexpr std::size_t kib_2 = 2048;
  for (std::size_t i = 0; i < count; ++i) {
    std::string name = fmt::format("host{}.example.org", i);
    ck_assert_ptr_nonnull(made.board.claim(name));
    ck_assert(made.board.put_name(1, name, name));
  }
  std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident(DomainBoard::bytes() / page + 1);
  ck_assert_int_eq(::mincore(made.board.base(), DomainBoard::bytes(), resident.data()), 0);
  std::size_t pages = 0;
  for (unsigned char each : resident) pages += each & 1;
  ck_assert_uint_lt(pages * page / count, kib_2);
}
END_TEST

START_TEST(a_full_board_says_so_and_finds_what_it_has) {
  Made made;
  std::uint32_t claimed = 0;
  while (made.board.claim(fmt::format("{}.example", claimed)) != nullptr) ++claimed;
  ck_assert_uint_eq(claimed, DomainBoard::max_domains);
  ck_assert_ptr_nonnull(made.board.find("0.example"));
  ck_assert_ptr_null(made.board.find("none.example"));
}
END_TEST

START_TEST(names_belong_to_their_list_and_to_the_last_domain_named) {
  Made made;
  ck_assert(made.board.put_name(7, "www.example.org", "example.org"));
  auto key = made.board.domain_of(7, "www.example.org");
  ck_assert(key.has_value());
  ck_assert(!made.board.domain_of(8, "www.example.org"));
  ck_assert(!made.board.domain_of(7, "example.org"));
  ck_assert_ptr_null(made.board.find_key(*key));  // nobody has claimed the domain yet
  DomainSlot* slot = made.board.claim("example.org");
  ck_assert_ptr_eq(made.board.find_key(*key), slot);
  ck_assert(made.board.put_name(7, "www.example.org", "other.org"));
  ck_assert_ptr_eq(made.board.find_key(*made.board.domain_of(7, "www.example.org")), nullptr);
}
END_TEST

START_TEST(a_wildcard_stands_for_one_label_and_yields_to_the_exact_name) {
  Made made;
  ck_assert(made.board.put_name(1, "*.example.org", "wild"));
  ck_assert(made.board.put_name(1, "www.example.org", "exact"));
  DomainSlot* wild = made.board.claim("wild");
  DomainSlot* exact = made.board.claim("exact");
  auto found = [&](std::string_view name) -> DomainSlot* {
    auto key = made.board.domain_for(1, name);
    return key ? made.board.find_key(*key) : nullptr;
  };
  ck_assert_ptr_eq(found("a.example.org"), wild);
  ck_assert_ptr_eq(found("www.example.org"), exact);
  ck_assert_ptr_null(found("a.b.example.org"));
  ck_assert_ptr_null(found("example.org"));
  ck_assert_ptr_null(found("org"));
  ck_assert_ptr_null(found("." + std::string(300, 'a')));
}
END_TEST

START_TEST(what_a_process_publishes_another_sees_over_the_descriptor) {
  Made made;
  DomainSlot* slot = made.board.claim("example.org");
  pid_t child = ::fork();
  if (child == 0) {
    auto other = DomainBoard::attach(made.fd);
    DomainSlot* theirs = other ? other->find("example.org") : nullptr;
    if (theirs == nullptr || other->claim("new.example") == nullptr) ::_exit(1);
    theirs->generation.store(5, std::memory_order_release);
    ::_exit(0);
  }
  int status = -1;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  ck_assert_uint_eq(slot->generation.load(std::memory_order_acquire), 5);
  ck_assert_ptr_nonnull(made.board.find("new.example"));
}
END_TEST

START_TEST(threads_that_claim_the_same_names_agree) {
  Made made;
  constexpr int names = 2000;
  constexpr std::size_t threads = 4;
  std::vector<std::vector<DomainSlot*>> got(threads);
  std::vector<std::thread> running;
  for (std::size_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (int i = 0; i < names; ++i) got[t].push_back(made.board.claim(fmt::format("n{}", i)));
    });
  }
  for (std::thread& thread : running) thread.join();
  for (std::size_t t = 1; t < threads; ++t) ck_assert(got[t] == got[0]);
  for (int i = 0; i < names; ++i) {
    expect_text(got[0][static_cast<std::size_t>(i)]->identity(), fmt::format("n{}", i));
  }
}
END_TEST

START_TEST(the_parent_keeps_its_board_over_a_reload) {
  DomainBoardAnchor anchor{};
  auto first = value_of(DomainBoard::keep(anchor));
  DomainSlot* slot = first.claim("example.org");
  auto second = value_of(DomainBoard::keep(anchor));
  ck_assert_ptr_eq(second.base(), first.base());
  ck_assert_ptr_eq(second.find("example.org"), slot);
  ck_assert_int_ne(::fcntl(anchor.fd, F_GETFD) & FD_CLOEXEC, 0);
  std::memset(anchor.base, 0, sizeof(std::uint64_t));  // a script in a worker
  auto third = value_of(DomainBoard::keep(anchor));
  ck_assert_ptr_ne(third.base(), first.base());
  ck_assert_ptr_null(third.find("example.org"));
  ::munmap(first.base(), DomainBoard::bytes());
  ::munmap(third.base(), DomainBoard::bytes());
  ::close(anchor.fd);
}
END_TEST

START_TEST(what_is_no_board_is_refused) {
  int plain = ::memfd_create("plain", MFD_CLOEXEC);
  expect_contains(error_of(DomainBoard::attach(plain)), "not the board");
  ck_assert_int_eq(::ftruncate(plain, static_cast<off_t>(DomainBoard::bytes())), 0);
  expect_contains(error_of(DomainBoard::attach(plain)), "not the board");
  ::close(plain);
  expect_contains(error_of(DomainBoard::attach(-1)), "shared memory");
  expect_contains(error_of(DomainBoard::attach(nullptr, DomainBoard::bytes())), "not the board");
  DomainBoard none;
  ck_assert_ptr_null(none.claim("a"));
  ck_assert_ptr_null(none.find("a"));
  ck_assert_ptr_null(none.find_key(1));
  ck_assert(!none.put_name(1, "a", "a"));
  ck_assert(!none.domain_for(1, "a.b"));
}
END_TEST

// Any script inside a worker can write all of it.
START_TEST(nonsense_on_the_board_leads_to_no_access_outside_of_it) {
  Made made;
  ck_assert_ptr_nonnull(made.board.claim("example.org"));
  std::mt19937_64 random(1);
  auto* words = static_cast<std::uint64_t*>(made.board.base());
  constexpr std::size_t header_words = 8;
  // The first rows of workers among them; all 256 would take memory for nothing.
  constexpr std::size_t count = (std::size_t{64} << 20) / sizeof(std::uint64_t);
  for (std::size_t i = header_words; i < count; ++i) words[i] = random();
  auto inside = [&](const DomainSlot* slot) {
    const char* base = static_cast<const char*>(made.board.base());
    const char* at = reinterpret_cast<const char*>(slot);
    return slot == nullptr || (at >= base && at + sizeof *slot <= base + DomainBoard::bytes());
  };
  for (int i = 0; i < 1000; ++i) {
    std::string name = fmt::format("n{}.example", i);
    ck_assert(inside(made.board.find(name)));
    ck_assert(inside(made.board.claim(name)));
    ck_assert(inside(made.board.find_key(random())));
    (void)made.board.put_name(3, name, name);
    (void)made.board.domain_for(3, name);
  }
  const DomainSlot& last = made.board.at_position(DomainBoard::max_domains - 1);
  ck_assert_uint_le(last.identity().size(), live::max_identity);
  ck_assert_uint_le(made.board.used(), DomainBoard::max_domains);
  for (const DomainBoard::Worker& worker : made.board.workers()) {
    ck_assert_uint_lt(worker.row, DomainBoard::max_workers);
  }
  (void)made.board.cell(static_cast<std::uint32_t>(random()), static_cast<std::uint32_t>(random()));
}
END_TEST

START_TEST(who_renews_is_on_the_board) {
  constexpr UnixSeconds now = 1800000000;
  Made made;
  ck_assert_int_eq(made.board.agent_seen(), 0);
  ck_assert(!made.board.passive());
  made.board.agent_is_at_work(now);
  made.board.set_passive(true);
  ck_assert_int_eq(made.board.agent_seen(), now);
  ck_assert(made.board.passive());
  made.board.set_passive(false);
  ck_assert(!made.board.passive());
  // No board: nothing is known.
  live::DomainBoard none;
  none.agent_is_at_work(now);
  none.set_passive(true);
  ck_assert_int_eq(none.agent_seen(), 0);
  ck_assert(!none.passive());
}
END_TEST

START_TEST(domains_of_another_configuration_are_told_apart) {
  Made made;
  made.board.begin_epoch();
  DomainSlot* gone = made.board.declare("gone.example");
  DomainSlot* kept = made.board.declare("kept.example");
  ck_assert_uint_eq(kept->epoch, made.board.epoch());
  made.board.begin_epoch();
  ck_assert_ptr_eq(made.board.declare("kept.example"), kept);
  ck_assert_uint_eq(kept->epoch, made.board.epoch());
  ck_assert_uint_ne(gone->epoch, made.board.epoch());
  ck_assert_uint_eq(made.board.used(), 2);
}
END_TEST

START_TEST(a_worker_has_a_row_of_its_own) {
  Made made;
  auto pid = static_cast<std::uint32_t>(::getpid());
  DomainSlot* slot = made.board.claim("example.org");
  std::uint32_t position = made.board.position_of(slot);
  live::WorkerRow().serves(position, 7);  // of nobody: nothing happens
  live::WorkerRow row = made.board.claim_row(pid);
  ck_assert(row.claimed());
  auto workers = made.board.workers();
  ck_assert_uint_eq(workers.size(), 1);
  ck_assert_uint_eq(workers[0].pid, pid);
  ck_assert_uint_eq(made.board.cell(workers[0].row, position).generation, 0);
  row.serves(position, 7);
  ck_assert_uint_eq(made.board.cell(workers[0].row, position).generation, 7);
  ck_assert(!made.board.cell(workers[0].row, position).failed);
  row.could_not_load(position);
  ck_assert_uint_eq(made.board.cell(workers[0].row, position).generation, 7);
  ck_assert(made.board.cell(workers[0].row, position).failed);
  row.serves(position, 8);
  ck_assert(!made.board.cell(workers[0].row, position).failed);
  // Another that lives, and has another row.
  auto parent = static_cast<std::uint32_t>(::getppid());
  ck_assert(made.board.claim_row(parent).claimed());
  ck_assert_uint_eq(made.board.workers().size(), 2);
  made.board.free_row(pid);
  ck_assert_uint_eq(made.board.workers().size(), 1);
  // Whoever takes it next finds it empty.
  ck_assert(made.board.claim_row(pid).claimed());
  ck_assert_uint_eq(made.board.cell(workers[0].row, position).generation, 0);
  ck_assert(!made.board.claim_row(0).claimed());
  ck_assert(!DomainBoard().claim_row(pid).claimed());
}
END_TEST

START_TEST(rows_of_processes_that_are_gone_are_taken_again) {
  Made made;
  pid_t child = ::fork();
  if (child == 0) ::_exit(made.board.claim_row(static_cast<std::uint32_t>(::getpid())).claimed());
  int status = 0;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  ck_assert_int_eq(WEXITSTATUS(status), 1);
  ck_assert_uint_eq(made.board.workers().size(), 1);
  ck_assert(made.board.claim_row(static_cast<std::uint32_t>(::getpid())).claimed());
  auto workers = made.board.workers();
  ck_assert_uint_eq(workers.size(), 1);
  ck_assert_uint_eq(workers[0].pid, static_cast<std::uint32_t>(::getpid()));
}
END_TEST

}  // namespace

Suite* domain_board_suite() {
  Suite* suite = suite_create("domain_board");
  TCase* tests = tcase_create("domain_board");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, who_renews_is_on_the_board);
  tcase_add_test(tests, sip_hash_is_that_of_the_paper);
  tcase_add_test(tests, a_domain_is_found_under_its_identity_once_it_is_claimed);
  tcase_add_test(tests, identities_of_any_length_up_to_the_bound_are_kept_whole);
  tcase_add_test(tests, ten_thousand_domains_have_a_slot_each_close_together);
  tcase_add_test(tests, memory_a_name_is_below_two_kib);
  tcase_add_test(tests, a_full_board_says_so_and_finds_what_it_has);
  tcase_add_test(tests, names_belong_to_their_list_and_to_the_last_domain_named);
  tcase_add_test(tests, a_wildcard_stands_for_one_label_and_yields_to_the_exact_name);
  tcase_add_test(tests, what_a_process_publishes_another_sees_over_the_descriptor);
  tcase_add_test(tests, threads_that_claim_the_same_names_agree);
  tcase_add_test(tests, the_parent_keeps_its_board_over_a_reload);
  tcase_add_test(tests, what_is_no_board_is_refused);
  tcase_add_test(tests, nonsense_on_the_board_leads_to_no_access_outside_of_it);
  tcase_add_test(tests, domains_of_another_configuration_are_told_apart);
  tcase_add_test(tests, a_worker_has_a_row_of_its_own);
  tcase_add_test(tests, rows_of_processes_that_are_gone_are_taken_again);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
