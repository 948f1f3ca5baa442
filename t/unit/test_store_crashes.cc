// SPDX-License-Identifier: Apache-2.0
// The writer of the store dies in each of its calls, or each of them fails; the disk is full or
// read-only. Readers see what was live, whole, and the next writer goes on.
#include "suites.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "expect.h"
#include "failing_calls.h"
#include "store/certificate_store.h"
#include "stored.h"

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;
using store::CertificateStore;
using store::Version;
using Numbers = std::vector<std::uint32_t>;

const std::string name = "example.org";

// A store with versions 1 and 2, of which 2 is live, to be copied for each try.
struct Prepared {
  StoreFixture fixture;
  Version next = fixture.version();

  Prepared() {
    CertificateStore store = fixture.open();
    for (int i = 0; i < 2; ++i) {
      value_of(store.activate(name, value_of(store.put(name, fixture.version()))));
    }
  }
};

struct Copy {
  TempDir temp;
  const Prepared& prepared;

  explicit Copy(const Prepared& of) : prepared(of) {
    fs::copy(of.fixture.temp.path(), temp.path(), fs::copy_options::recursive);
  }
  CertificateStore open() const {
    return {value_of(store::Directory::open(temp.path())), prepared.fixture.sealing};
  }
};

using Work = std::function<bool(CertificateStore&, const Prepared&)>;
// What must hold of the store afterwards. done: the work came to its end.
using Check = std::function<void(const Copy&, bool done)>;

struct Step {
  const char* what;
  Work work;
  Check check;
  std::function<void(const Copy&)> before = [](const Copy&) {};
};

void expect_live(const Copy& copy, const Numbers& allowed) {
  CertificateStore store = copy.open();
  auto current = value_of(store.current(name));
  ck_assert(current.has_value());
  ck_assert_msg(std::find(allowed.begin(), allowed.end(), current->version) != allowed.end(),
                "version %u is live", current->version);
  value_of(store.load(name, current->version));
  // Whatever is listed can be loaded.
  for (std::uint32_t number : value_of(store.versions(name))) value_of(store.load(name, number));
}

// The next writer is not in the way of what the last one left.
void expect_goes_on(const Copy& copy) {
  CertificateStore store = copy.open();
  std::uint32_t number = value_of(store.put(name, copy.prepared.next));
  ck_assert_uint_gt(number, 2);
  auto before = value_of(store.current(name));
  auto now = value_of(store.activate(name, number));
  ck_assert_uint_eq(now.version, number);
  if (before) ck_assert_uint_gt(now.generation, before->generation);
  ck_assert(store.collect(name, 1).has_value());
  ck_assert(value_of(store.versions(name)) == Numbers{number});
  for (const auto& entry : fs::directory_iterator(copy.temp / name)) {
    std::string left = entry.path().filename();
    ck_assert_msg(!left.starts_with('.'), "%s is left", left.c_str());
  }
}

std::vector<Step> steps() {
  return {
      {"put",
       [](CertificateStore& store, const Prepared& p) {
         return store.put(name, p.next).has_value();
       },
       [](const Copy& copy, bool done) {
         expect_live(copy, {2});
         auto versions = value_of(copy.open().versions(name));
         ck_assert(versions == Numbers({3, 2, 1}) || (!done && versions == Numbers({2, 1})));
       }},
      {"activate",
       [](CertificateStore& store, const Prepared&) { return store.activate(name, 1).has_value(); },
       [](const Copy& copy, bool done) {
         expect_live(copy, done ? Numbers{1} : Numbers{1, 2});
       }},
      {"collect",
       [](CertificateStore& store, const Prepared&) { return store.collect(name, 1).has_value(); },
       [](const Copy& copy, bool done) {
         expect_live(copy, {2});
         if (done) ck_assert(value_of(copy.open().versions(name)) == Numbers{2});
       }},
      {"heal",
       [](CertificateStore& store, const Prepared&) {
         auto healed = store.heal(name);
         return healed && healed->current.has_value();
       },
       [](const Copy& copy, bool) {
         value_of(copy.open().heal(name));
         expect_live(copy, {2});
       },
       [](const Copy& copy) { write_file(copy.temp / (name + "/current"), "torn"); }},
      {"collect the newest",
       [](CertificateStore& store, const Prepared&) { return store.collect(name, 0).has_value(); },
       [](const Copy& copy, bool done) {
         expect_live(copy, {1});
         if (done) ck_assert(value_of(copy.open().versions(name)) == Numbers{1});
       },
       [](const Copy& copy) {
         CertificateStore store = copy.open();
         value_of(store.activate(name, 1));
       }},
      {"remove",
       [](CertificateStore& store, const Prepared&) { return store.remove(name).has_value(); },
       [](const Copy& copy, bool done) {
         CertificateStore store = copy.open();
         auto current = value_of(store.current(name));
         if (current) value_of(store.load(name, current->version));
         ck_assert(store.remove(name).has_value());
         ck_assert(!fs::exists(copy.temp / name));
         if (done) ck_assert(!current.has_value());
       }}};
}

START_TEST(a_writer_may_die_in_any_call) {
  Prepared prepared;
  for (const Step& step : steps()) {
    for (Fault fault : {Fault::die, Fault::die_half}) {
      std::size_t nth = 0;
      bool died = true;
      while (died) {
        Copy copy(prepared);
        step.before(copy);
        died = dies_in_call(++nth, fault, [&] {
          CertificateStore store = copy.open();
          if (!step.work(store, prepared)) ::_exit(1);
        });
        step.check(copy, !died);
        if (std::strcmp(step.what, "remove") != 0) expect_goes_on(copy);
      }
      ck_assert_msg(nth > 4, "%s made %zu calls only", step.what, nth - 1);
    }
  }
}
END_TEST

START_TEST(any_call_may_fail) {
  Prepared prepared;
  for (const Step& step : steps()) {
    for (int error : {ENOSPC, EROFS, EIO}) {
      for (bool lasting : {false, true}) {
        bool met = true;
        for (std::size_t nth = 1; met; ++nth) {
          Copy copy(prepared);
          step.before(copy);
          CertificateStore store = copy.open();
          watch_calls(Fault::fail, nth, error, lasting);
          bool done = step.work(store, prepared);
          stop_watching();
          met = calls_seen() >= nth;
          if (!met) ck_assert_msg(done && nth > 4, "%s: %zu", step.what, nth);
          step.check(copy, done);
          if (std::strcmp(step.what, "remove") != 0) expect_goes_on(copy);
        }
      }
    }
  }
}
END_TEST

START_TEST(errors_name_the_file_and_the_reason) {
  Prepared prepared;
  CertificateStore store = prepared.fixture.open();
  for (auto [error, reason] : std::vector<std::pair<int, const char*>>{
           {ENOSPC, "No space left"}, {EROFS, "Read-only"}, {EIO, "Input/output error"}}) {
    watch_calls(Fault::fail, 1, error, true);
    auto put = store.put(name, prepared.next);
    auto activated = store.activate(name, 1);
    stop_watching();
    expect_contains(error_of(put), reason);
    expect_contains(error_of(put), prepared.fixture.temp.path());
    expect_contains(error_of(activated), reason);
    ck_assert(put.error().next == Next::back_off);
  }
}
END_TEST

// Over a power failure, what a name leads to must be on disk before the name is.
START_TEST(contents_are_synced_before_their_names) {
  ::umask(022);
  Prepared prepared;
  CertificateStore store = prepared.fixture.open();
  watch_calls();
  value_of(store.put(name, prepared.next));
  expect_text(stop_watching(),
              "mkdir open write chmod open write chmod open write chmod "
              "sync sync sync sync rename sync ");
  watch_calls();
  value_of(store.activate(name, 3));
  expect_text(stop_watching(), "unlink link rename unlink open write chmod sync rename sync ");
  watch_calls();
  value_of(store.activate(name, 3));
  expect_text(stop_watching(), "");
  // A new domain's own name is synced, too.
  watch_calls();
  value_of(store.put("new.example", prepared.fixture.version({"new.example"})));
  ck_assert(stop_watching().starts_with("mkdir chmod sync mkdir "));
}
END_TEST

// In a mount namespace of its own: 0 where all went well, else the line that did not.
int on_a_small_disk(const Prepared& prepared, const std::string& path) {
  auto check = [](bool good, int line) {
    if (!good) ::_exit(line % 200 + 1);
  };
  check(::mount("none", path.c_str(), "tmpfs", 0, "size=128k,mode=0700") == 0, 1);
  fs::copy(prepared.fixture.temp.path(), path, fs::copy_options::recursive);
  CertificateStore store(value_of(store::Directory::open(path)), prepared.fixture.sealing);
  bool full = false;
  for (int i = 0; i < 1000 && !full; ++i) {
    auto put = store.put(name, prepared.next);
    full = !put;
    check(put || put.error().text.find("No space left") != std::string::npos, 2);
  }
  check(full, 3);
  check(store.current(name).value()->version == 2 && store.load(name, 2).has_value(), 4);
  // Nothing half is left, and room helps.
  check(store.collect(name, 1).has_value(), 5);
  auto put = store.put(name, prepared.next);
  check(put.has_value() && store.activate(name, *put).has_value(), 6);

  check(::mount("none", path.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0, 7);
  auto refused = store.put(name, prepared.next);
  check(!refused && refused.error().text.find("Read-only file system") != std::string::npos, 8);
  check(!store.activate(name, 2), 9);
  check(store.current(name).value()->version == *put && store.load(name, *put).has_value(), 10);
  check(store.heal(name).value().wrong.empty(), 11);
  return 0;
}

// Whether this process may have mounts of its own: root in most machines, not in some containers.
bool may_mount() {
  pid_t child = ::fork();
  if (child == 0) {
    bool may = ::unshare(CLONE_NEWNS) == 0 &&
               ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    ::_exit(may ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

START_TEST(a_disk_may_be_full_or_read_only) {
  Prepared prepared;
  TempDir mount_point;
  pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      ::_exit(250);
    }
    ::_exit(on_a_small_disk(prepared, mount_point.path()));
  }
  int status = 0;
  ck_assert_int_eq(::waitpid(child, &status, 0), child);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d: check %d failed", status,
                WIFEXITED(status) ? WEXITSTATUS(status) - 1 : -1);
}
END_TEST

}  // namespace

Suite* store_crashes_suite() {
  Suite* suite = suite_create("store_crashes");
  TCase* tcase = tcase_create("store_crashes");
  tcase_set_timeout(tcase, 300);
  tcase_add_test(tcase, a_writer_may_die_in_any_call);
  tcase_add_test(tcase, any_call_may_fail);
  tcase_add_test(tcase, errors_name_the_file_and_the_reason);
  tcase_add_test(tcase, contents_are_synced_before_their_names);
  if (may_mount()) {
    tcase_add_test(tcase, a_disk_may_be_full_or_read_only);
  } else {
    std::fputs("store_crashes: a_disk_may_be_full_or_read_only needs mounts, not run\n", stderr);
  }
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
