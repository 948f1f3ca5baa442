// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "board_memory.h"
#include "expect.h"
#include "live/board.h"

namespace tlsguard::test {
namespace {

using live::Board;
using live::BoardAnchor;

START_TEST(a_board_has_room_for_as_many_as_asked) {
  Memory memory;
  Board board = value_of(Board::create(memory.anchor, 100, 42));
  ck_assert_uint_eq(board.capacity(), 100);
  ck_assert_uint_eq(board.header()->seed, 42);
  ck_assert_uint_eq(memory.anchor.count, 1);
  for (std::uint32_t i = 0; i < 100; ++i) {
    board.virtual_host(i)->began = i;
    board.ramp(i)->reached = i;
  }
  for (std::uint32_t i = 0; i < 100; ++i) {
    ck_assert_uint_eq(board.virtual_host(i)->began, i);
    ck_assert_uint_eq(board.ramp(i)->reached, i);
    ck_assert_uint_eq(board.virtual_host(i)->key, 0);
  }
  auto end = reinterpret_cast<char*>(board.ramp(99) + 1);
  ck_assert_ptr_eq(end, static_cast<char*>(memory.newest().base) + memory.newest().bytes);
}
END_TEST

START_TEST(no_index_leads_out_of_it) {
  Memory memory;
  Board board = value_of(Board::create(memory.anchor, 3, 1));
  ck_assert_ptr_nonnull(board.virtual_host(2));
  // What stands in the header is not what is gone by.
  board.header()->capacity = 0xffffffff;
  for (std::uint32_t index : {3U, 64U, 0x7fffffffU, 0xffffffffU}) {
    ck_assert_ptr_null(board.virtual_host(index));
    ck_assert_ptr_null(board.ramp(index));
  }
  Board again = value_of(Board::attach(memory.newest()));
  ck_assert_uint_eq(again.capacity(), 3);
  ck_assert_ptr_null(again.virtual_host(3));
  ck_assert_ptr_null(Board().virtual_host(0));
  ck_assert_ptr_null(Board().ramp(0));
  ck_assert_ptr_null(Board().header());
}
END_TEST

START_TEST(sizes_out_of_bounds_are_errors) {
  Memory memory;
  expect_contains(error_of(Board::create(memory.anchor, 0, 1)), "1 to 65536");
  expect_contains(error_of(Board::create(memory.anchor, 65537, 1)), "65537");
  ck_assert_uint_eq(memory.anchor.count, 0);
  ck_assert_uint_eq(value_of(Board::create(memory.anchor, 65536, 1)).capacity(), 65536);
}
END_TEST

START_TEST(nobody_can_change_its_size) {
  Memory memory;
  value_of(Board::create(memory.anchor, 3, 1));
  const BoardAnchor::Mapping& mapping = memory.newest();
  auto bytes = static_cast<off_t>(mapping.bytes);
  for (off_t size : {off_t{0}, bytes - 1, bytes + 1}) {
    errno = 0;
    ck_assert_int_eq(::ftruncate(mapping.fd, size), -1);
    ck_assert_int_eq(errno, EPERM);
  }
  ck_assert_int_ne(::fcntl(mapping.fd, F_GETFD) & FD_CLOEXEC, 0);
}
END_TEST

START_TEST(untouched_room_costs_no_memory) {
  Memory memory;
  Board board = value_of(Board::create(memory.anchor, 10000, 1));
  board.virtual_host(9999)->began = 1;
  struct stat facts {};
  ck_assert_int_eq(::fstat(memory.newest().fd, &facts), 0);
  ck_assert_int_gt(facts.st_size, 10000000);
  ck_assert_int_le(facts.st_blocks * 512, 32768);
}
END_TEST

START_TEST(other_code_finds_it_again) {
  Memory memory;
  value_of(Board::create(memory.anchor, 3, 7)).virtual_host(1)->began = 11;
  // As a reload keeps it: the bytes of the anchor and no more.
  BoardAnchor kept;
  std::memcpy(&kept, &memory.anchor, sizeof kept);
  Board board = value_of(Board::attach(kept.mappings[0]));
  ck_assert_uint_eq(board.virtual_host(1)->began, 11);
  ck_assert_uint_eq(board.header()->seed, 7);
}
END_TEST

START_TEST(what_is_no_board_is_refused) {
  Memory memory;
  ck_assert(!Board::attach(memory.anchor.mappings[0]).has_value());
  Board board = value_of(Board::create(memory.anchor, 3, 7));
  BoardAnchor::Mapping other = memory.newest();
  other.capacity = 4;
  expect_contains(error_of(Board::attach(other)), "not a board");
  board.header()->layout = 99;
  expect_contains(error_of(Board::attach(memory.newest())), "overwritten");
  board.header()->layout = 1;
  ck_assert(Board::attach(memory.newest()).has_value());
  board.header()->magic = 0;
  expect_contains(error_of(Board::attach(memory.newest())), "overwritten");
}
END_TEST

START_TEST(the_oldest_goes_when_there_are_too_many) {
  Memory memory;
  for (std::uint32_t i = 1; i <= BoardAnchor::max_mappings + 3; ++i) {
    value_of(Board::create(memory.anchor, i, i));
  }
  ck_assert_uint_eq(memory.anchor.count, BoardAnchor::max_mappings);
  for (std::uint32_t i = 0; i < memory.anchor.count; ++i) {
    Board board = value_of(Board::attach(memory.anchor.mappings[i]));
    ck_assert_uint_eq(board.capacity(), i + 4);
    ck_assert_uint_eq(board.header()->seed, i + 4);
  }
}
END_TEST

START_TEST(processes_see_each_others_counts) {
  Memory memory;
  Board board = value_of(Board::create(memory.anchor, 3, 1));
  live::Counter& counter = board.virtual_host(2)->full;
  counter.count = 1;
  pid_t child = ::fork();
  if (child == 0) {
    counter.count += 10;
    ::_exit(0);
  }
  int status = 1;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  ck_assert_uint_eq(counter.count, 11);
}
END_TEST

START_TEST(hashes_of_keys_are_the_same_in_every_release) {
  ck_assert_uint_eq(live::key_hash(""), 0xefd01f60ba992926);
  ck_assert_uint_eq(live::key_hash("www.example.org|*:443"), 0xd30eeabe444d9861);
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 100000; ++i) hashes.insert(live::key_hash("host" + std::to_string(i)));
  ck_assert_uint_eq(hashes.size(), 100000);
  ck_assert(!hashes.contains(0));
}
END_TEST

START_TEST(an_id_has_one_entry_until_the_table_is_full) {
  std::array<live::Counter, 4> table;
  live::Counter* zero = live::counter_of(table, 0);
  ck_assert_ptr_nonnull(zero);
  std::set<live::Counter*> entries{zero};
  for (std::uint16_t id : std::initializer_list<std::uint16_t>{4, 8, 0xffff}) {
    entries.insert(live::counter_of(table, id));
  }
  ck_assert_uint_eq(entries.size(), 4);
  ck_assert(!entries.contains(nullptr));
  ck_assert_ptr_eq(live::counter_of(table, 0), zero);
  ck_assert_ptr_null(live::counter_of(table, 1));
  ck_assert(entries.contains(live::counter_of(table, 0xffff)));
}
END_TEST

}  // namespace

Suite* board_suite() {
  Suite* suite = suite_create("board");
  TCase* tests = tcase_create("board");
  tcase_add_test(tests, a_board_has_room_for_as_many_as_asked);
  tcase_add_test(tests, no_index_leads_out_of_it);
  tcase_add_test(tests, sizes_out_of_bounds_are_errors);
  tcase_add_test(tests, nobody_can_change_its_size);
  tcase_add_test(tests, untouched_room_costs_no_memory);
  tcase_add_test(tests, other_code_finds_it_again);
  tcase_add_test(tests, what_is_no_board_is_refused);
  tcase_add_test(tests, the_oldest_goes_when_there_are_too_many);
  tcase_add_test(tests, processes_see_each_others_counts);
  tcase_add_test(tests, hashes_of_keys_are_the_same_in_every_release);
  tcase_add_test(tests, an_id_has_one_entry_until_the_table_is_full);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
