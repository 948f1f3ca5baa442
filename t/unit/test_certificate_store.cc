// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "expect.h"
#include "store/certificate_store.h"
#include "store/version_files.h"
#include "stored.h"

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;
using crypto::KeyType;
using store::CertificateStore;
using store::Current;
using store::Version;
using Numbers = std::vector<std::uint32_t>;

const std::string name = "example.org";

std::uint32_t put_live(CertificateStore& store, const Version& version) {
  std::uint32_t number = value_of(store.put(name, version));
  value_of(store.activate(name, number));
  return number;
}

START_TEST(what_was_put_is_loaded) {
  StoreFixture f;
  CertificateStore store = f.open();
  Version version = make_version(f.issuer, {name, "*.example.org", "192.0.2.7"},
                                 {KeyType::p256, KeyType::p384, KeyType::rsa2048});
  ck_assert_uint_eq(value_of(store.put(name, version)), 1);
  Version loaded = value_of(f.open().load(name, 1));
  ck_assert_uint_eq(loaded.number, 1);
  ck_assert(loaded.meta.names == version.meta.names);
  expect_text(loaded.meta.ca, "letsencrypt");
  expect_text(loaded.meta.profile, "shortlived");
  ck_assert_int_eq(loaded.meta.issued_at, test_now);
  ck_assert_uint_eq(loaded.pairs.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    ck_assert(loaded.pairs[i].type == version.pairs[i].type);
    expect_text(loaded.pairs[i].chain_pem, version.pairs[i].chain_pem);
    ck_assert(loaded.pairs[i].key_der.text() == version.pairs[i].key_der.text());
  }
  ck_assert(value_of(store.load("EXAMPLE.org", 1)).pairs.size() == 3);
}
END_TEST

START_TEST(an_unknown_domain_has_nothing) {
  StoreFixture f;
  CertificateStore store = f.open();
  ck_assert(!value_of(store.current(name)).has_value());
  ck_assert(!store.previous(name).has_value());
  ck_assert(value_of(store.versions(name)).empty());
  ck_assert(value_of(store.identities()).empty());
  expect_contains(error_of(store.load(name, 1)), "version 1 of 'example.org' is missing");
  expect_contains(error_of(store.activate(name, 1)), "is missing");
  ck_assert(store.collect(name, 1).has_value());
  ck_assert(store.remove(name).has_value());
  ck_assert(!value_of(store.heal(name)).current.has_value());
  ck_assert(fs::is_empty(f.temp.path()));
}
END_TEST

START_TEST(a_version_is_live_when_activated) {
  StoreFixture f;
  CertificateStore store = f.open();
  value_of(store.put(name, f.version()));
  ck_assert(!value_of(store.current(name)).has_value());
  Current first = value_of(store.activate(name, 1));
  ck_assert(first.generation == 1 && first.version == 1);
  value_of(store.put(name, f.version()));
  ck_assert_uint_eq(value_of(store.current(name))->version, 1);
  Current second = value_of(store.activate(name, 2));
  ck_assert(second.generation == 2 && second.version == 2);
  // Again is no news, back is.
  ck_assert_uint_eq(value_of(store.activate(name, 2)).generation, 2);
  ck_assert_uint_eq(store.previous(name)->version, 1);
  Current back = value_of(store.activate(name, store.previous(name)->version));
  ck_assert(back.generation == 3 && back.version == 1);
  ck_assert_uint_eq(store.previous(name)->version, 2);
  ck_assert_uint_eq(value_of(f.open().current(name))->generation, 3);
}
END_TEST

START_TEST(what_does_not_fit_is_not_activated) {
  StoreFixture f;
  CertificateStore store = f.open();
  put_live(store, f.version());
  Version other = f.version({"other.example"});
  other.meta.names = {name};
  Version swapped = f.version();
  swapped.pairs[0].key_der = std::move(f.version().pairs[0].key_der);
  Version no_chain = f.version();
  no_chain.pairs[0].chain_pem = "<html>";
  for (const Version* wrong : {&other, &swapped, &no_chain}) {
    std::uint32_t number = value_of(store.put(name, *wrong));
    error_of(store.activate(name, number));
    ck_assert_uint_eq(value_of(store.current(name))->version, 1);
  }
  expect_contains(error_of(store.activate(name, 9)), "missing");
}
END_TEST

START_TEST(nonsense_is_not_written) {
  StoreFixture f;
  CertificateStore store = f.open();
  Version empty;
  Version no_names = f.version();
  no_names.meta.names.clear();
  Version no_pairs = f.version();
  no_pairs.pairs.clear();
  Version twice = make_version(f.issuer, {name}, {KeyType::p256, KeyType::p256});
  for (const Version* wrong : {&empty, &no_names, &no_pairs, &twice}) {
    error_of(store.put(name, *wrong));
    ck_assert(value_of(store.versions(name)).empty());
  }
}
END_TEST

START_TEST(numbers_are_never_used_twice) {
  StoreFixture f;
  CertificateStore store = f.open();
  for (std::uint32_t number = 1; number <= 3; ++number) {
    ck_assert_uint_eq(put_live(store, f.version()), number);
  }
  ck_assert(value_of(store.versions(name)) == Numbers({3, 2, 1}));
  ck_assert(store.collect(name, 2).has_value());
  ck_assert(value_of(store.versions(name)) == Numbers({3, 2}));
  // Back to 2; 3 goes, and stays gone.
  value_of(store.activate(name, 2));
  ck_assert(store.collect(name, 0).has_value());
  ck_assert(value_of(store.versions(name)) == Numbers({2}));
  ck_assert_uint_eq(value_of(store.put(name, f.version())), 4);
  // A torn one is deleted; its number is not given again, not even when nothing is left.
  fs::remove(f / "4/meta.json");
  ck_assert(store.collect(name, 5).has_value());
  ck_assert(!fs::exists(f / "4"));
  ck_assert_uint_eq(value_of(f.open().put(name, f.version())), 5);
}
END_TEST

START_TEST(the_current_version_is_never_deleted) {
  StoreFixture f;
  CertificateStore store = f.open();
  for (int i = 0; i < 4; ++i) value_of(store.put(name, f.version()));
  value_of(store.activate(name, 1));
  ck_assert(store.collect(name, 1).has_value());
  ck_assert(value_of(store.versions(name)) == Numbers({4, 1}));
  // Not even where it is torn, and nothing at all where it is not known which it is.
  fs::remove(f / "1/P-256.pem");
  ck_assert(store.collect(name, 0).has_value());
  ck_assert(fs::exists(f / "1/P-256.key"));
  ck_assert(!fs::exists(f / "4"));
  value_of(store.put(name, f.version()));
  write_file(f / "current", "?");
  error_of(store.collect(name, 0));
  ck_assert(fs::exists(f / "5"));
}
END_TEST

START_TEST(keys_are_sealed_for_their_place) {
  StoreFixture f;
  CertificateStore store = f.open();
  Version version = make_version(f.issuer, {name}, {KeyType::p256, KeyType::p384});
  put_live(store, version);
  put_live(store, make_version(f.issuer, {name}, {KeyType::p256, KeyType::p384}));
  value_of(store.put("other.example", make_version(f.issuer, {"other.example"})));
  const std::string sealed = content_of(f / "1/P-256.key");
  const std::string key(version.pairs[0].key_der.text());
  for (std::size_t i = 0; i + 8 <= key.size(); ++i) {
    ck_assert(sealed.find(key.substr(i, 8)) == std::string::npos);
  }
  auto refused = [&](const std::string& from) {
    fs::copy_file(from, f / "1/P-256.key", fs::copy_options::overwrite_existing);
    auto loaded = store.load(name, 1);
    expect_contains(error_of(loaded), "version 1 of 'example.org': P-256.key: it was sealed");
    write_file(f / "1/P-256.key", sealed);
  };
  refused(f / "2/P-256.key");
  refused(f / "1/P-384.key");
  refused(f.temp / "other.example/1/P-256.key");
  value_of(store.load(name, 1));
  // A whole version in another's place, or another domain's.
  fs::remove_all(f / "1");
  fs::rename(f / "2", f / "1");
  expect_contains(error_of(store.load(name, 1)), "version 2 of 'example.org'");
  fs::remove_all(f / "1");
  fs::rename(f.temp / "other.example/1", f / "1");
  expect_contains(error_of(store.load(name, 1)), "'other.example'");
}
END_TEST

START_TEST(another_sealing_key_opens_nothing) {
  StoreFixture f;
  CertificateStore store = f.open();
  put_live(store, f.version());
  auto other_key = value_of(crypto::SealingKey::generate());
  CertificateStore other(value_of(store::Directory::open(f.temp.path())), other_key);
  expect_contains(error_of(other.load(name, 1)), "sealed with another key");
  // Nothing is set aside: with the right key all is well again.
  auto healed = value_of(other.heal(name));
  ck_assert(!healed.current.has_value());
  expect_contains(healed.wrong, "sealed with another key");
  ck_assert(other.collect(name, 3).has_value());
  ck_assert_uint_eq(value_of(store.heal(name)).current->generation, 1);
  value_of(store.load(name, 1));
}
END_TEST

// Each file of a version, cut, emptied, changed, gone.
START_TEST(a_torn_version_is_found) {
  StoreFixture f;
  CertificateStore store = f.open();
  put_live(store, f.version());
  for (const char* file : {"meta.json", "P-256.pem", "P-256.key"}) {
    const std::string path = f / ("1/" + std::string(file));
    const std::string good = content_of(path);
    std::vector<std::string> torn{"", std::string(good.size(), '\0'), good + "x",
                                  std::string(1UL << 20, ' ')};
    for (std::size_t size = 1; size < good.size(); size += 1 + good.size() / 20) {
      torn.push_back(good.substr(0, size));
      torn.push_back(good);
      torn.back()[size] = static_cast<char>(torn.back()[size] ^ 0x20);
    }
    for (const std::string& content : torn) {
      write_file(path, content);
      auto loaded = store.load(name, 1);
      if (loaded.has_value()) {
        // In meta.json, a change of one letter may be another text.
        expect_text(file, "meta.json");
        continue;
      }
      error_of(loaded);
    }
    fs::remove(path);
    error_of(store.load(name, 1));
    ck_assert(value_of(store.versions(name)).empty());
    write_file(path, good);
    value_of(store.load(name, 1));
  }
}
END_TEST

START_TEST(what_is_not_the_stores_is_ignored) {
  StoreFixture f;
  CertificateStore store = f.open();
  put_live(store, f.version());
  write_file(f.temp / "README", "hello");
  write_file(f.temp / ".hidden", "hello");
  write_file(f / "notes.txt", "hello");
  write_file(f / "7", "a file, no version");
  write_file(f / "1/extra", "hello");
  fs::create_directories(f / "backup/1");
  for (const char* number : {"0", "01", "-1", "+2", "2 ", "4294967296", "99999999999999999999"}) {
    fs::create_directory(f / number);
  }
  fs::create_directory(f.temp / "empty.example");
  fs::create_directory_symlink(f.temp / "example.org", f.temp / "link.example");
  ck_assert(value_of(store.identities()) == std::vector<std::string>{name});
  ck_assert_uint_eq(value_of(store.heal(name)).current->version, 1);
  value_of(store.load(name, 1));
  error_of(store.current("link.example"));
  ck_assert(value_of(store.versions(name)) == Numbers{1});
  ck_assert(store.collect(name, 1).has_value());
  expect_text(content_of(f / "7"), "a file, no version");
  expect_text(content_of(f / "1/extra"), "hello");
  ck_assert_uint_eq(put_live(store, f.version()), 8);
}
END_TEST

START_TEST(a_torn_current_is_healed) {
  const std::string texts[] = {"",
                               "tlsguard 1 generation 3",
                               "tlsguard 1 generation 3 version 3",
                               "tlsguard 1 generation 3 version 3\n\n",
                               "tlsguard 1 generation 03 version 3\n",
                               "tlsguard 1 generation 0 version 3\n",
                               "tlsguard 1 generation 3 version 0\n",
                               "tlsguard 1 generation 3 version -3\n",
                               "tlsguard 1 generation 99999999999999999999 version 3\n",
                               "tlsguard 2 generation 3 version 3\n",
                               std::string(36, '\0'),
                               std::string(50, 'x')};
  StoreFixture f;
  CertificateStore store = f.open();
  for (int i = 0; i < 3; ++i) put_live(store, f.version());
  std::uint64_t last = 3;
  for (const std::string& text : texts) {
    write_file(f / "current", text);
    expect_contains(error_of(store.current(name)), "torn");
    auto healed = value_of(store.heal(name));
    expect_contains(healed.wrong, "current' is torn");
    ck_assert_uint_eq(healed.current->version, 3);
    ck_assert_uint_gt(healed.current->generation, 2);
    ck_assert_uint_eq(value_of(store.current(name))->version, 3);
    ck_assert(content_of(f / "current.bad") == text);
    ck_assert(value_of(store.heal(name)).wrong.empty());
    last = healed.current->generation;
  }
  // It was 3 when the file was lost, so readers see something new.
  ck_assert_uint_ge(last, 4);
}
END_TEST

START_TEST(healing_takes_none_that_may_not_be_served) {
  StoreFixture f;
  CertificateStore store = f.open();
  for (int i = 0; i < 3; ++i) put_live(store, f.version());
  write_file(f / "current", "torn");
  auto healed = value_of(store.heal(name, [](std::uint32_t version) { return version < 2; }));
  ck_assert_uint_eq(healed.current->version, 1);
  write_file(f / "current", "torn");
  ck_assert(!value_of(store.heal(name, [](std::uint32_t) { return false; })).current.has_value());
}
END_TEST

START_TEST(healing_takes_the_newest_that_can_be_served) {
  StoreFixture f;
  CertificateStore store = f.open();
  for (int i = 0; i < 3; ++i) put_live(store, f.version());
  Version wrong = f.version({"other.example"});
  wrong.meta.names = {name};
  value_of(store.put(name, wrong));
  value_of(store.put(name, f.version()));
  fs::remove(f / "5/P-256.pem");
  write_file(f / "3/P-256.key", "torn");
  auto healed = value_of(store.heal(name));
  expect_contains(healed.wrong, "version 3 of 'example.org'");
  ck_assert_uint_eq(healed.current->version, 2);
  ck_assert_uint_eq(healed.current->generation, 4);
  // With none left, what named a version stays for when its files come back.
  write_file(f / "2/P-256.key", "torn");
  write_file(f / "1/P-256.key", "torn");
  ck_assert(!value_of(store.heal(name)).current.has_value());
  ck_assert_uint_eq(value_of(store.current(name))->version, 2);
  // A torn one is of no use to anybody.
  write_file(f / "current", "torn");
  ck_assert(!value_of(store.heal(name)).current.has_value());
  ck_assert(!value_of(store.current(name)).has_value());
  expect_text(content_of(f / "current.bad"), "torn");
  // The next one to be issued is live as ever.
  ck_assert_uint_eq(put_live(store, f.version()), 6);
}
END_TEST

START_TEST(nothing_is_healed_that_is_not_torn) {
  StoreFixture f;
  CertificateStore store = f.open();
  value_of(store.put(name, f.version()));
  ck_assert(!value_of(store.heal(name)).current.has_value());
  put_live(store, f.version());
  ck_assert(value_of(store.heal(name)).wrong.empty());
  // What cannot be read now may be fine: no descriptor left, for one.
  fs::rename(f / "2/P-256.pem", f / "2/kept");
  ck_assert_int_eq(::mkfifo((f / "2/P-256.pem").c_str(), 0600), 0);
  error_of(store.heal(name));
  error_of(store.versions(name));
  error_of(store.collect(name, 1));
  fs::rename(f / "2/kept", f / "2/P-256.pem");
  ck_assert_uint_eq(value_of(store.heal(name)).current->version, 2);
}
END_TEST

START_TEST(a_domain_can_be_forgotten) {
  StoreFixture f;
  CertificateStore store = f.open();
  for (int i = 0; i < 3; ++i) put_live(store, f.version());
  ck_assert(store.collect(name, 1).has_value());
  write_file(f / "current.bad", "torn");
  value_of(store.put("*.example.net", make_version(f.issuer, {"*.example.net"})));
  ck_assert(value_of(store.identities()) == std::vector<std::string>({"*.example.net", name}));
  ck_assert(store.remove(name).has_value());
  ck_assert(!fs::exists(f.temp / "example.org"));
  ck_assert(value_of(store.identities()) == std::vector<std::string>{"*.example.net"});
}
END_TEST

std::string modes_below(const std::string& path) {
  std::string modes;
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(path)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const std::string& each : paths) {
    struct stat facts {};
    ck_assert_int_eq(::lstat(each.c_str(), &facts), 0);
    char line[40];
    std::snprintf(line, sizeof line, " %o %u", facts.st_mode & 07777, facts.st_gid);
    modes += each.substr(path.size() + 1) + line + "\n";
  }
  return modes;
}

constexpr uid_t agent = 65531;
constexpr gid_t web = 65532;
constexpr const char* wanted_modes =
    "example.org 2750 65532\n"
    "example.org/1 2750 65532\n"
    "example.org/1/P-256.key 640 65532\n"
    "example.org/1/P-256.pem 640 65532\n"
    "example.org/1/meta.json 640 65532\n"
    "example.org/current 640 65532\n";

// A script that runs as httpd's group does may open the directory, and lock it.
START_TEST(a_reader_cannot_keep_the_writer_out) {
  StoreFixture f;
  CertificateStore store = f.open();
  put_live(store, f.version());
  int domain = ::open((f / "").c_str(), O_RDONLY | O_DIRECTORY);
  int certs = ::open(f.temp.path().c_str(), O_RDONLY | O_DIRECTORY);
  ck_assert_int_eq(::flock(domain, LOCK_EX), 0);
  ck_assert_int_eq(::flock(certs, LOCK_EX), 0);
  ck_assert_uint_eq(put_live(store, f.version()), 2);
  value_of(store.put("other.example", f.version({"other.example"})));
  ck_assert(store.collect(name, 1).has_value());
  ::close(domain);
  ::close(certs);
}
END_TEST

// As the agent runs: not root, not in httpd's group. For root only, who can become somebody else.
START_TEST(httpds_group_may_read_and_nobody_else) {
  StoreFixture f;
  ck_assert_int_eq(::chown(f.temp.path().c_str(), agent, web), 0);
  ck_assert_int_eq(::chmod(f.temp.path().c_str(), 02750), 0);
  ::umask(022);
  ck_assert_int_eq(::setegid(agent), 0);
  ck_assert_int_eq(::seteuid(agent), 0);
  CertificateStore store = f.open();
  put_live(store, f.version());
  // A umask that takes the group's rights is told, instead of a certificate that no worker reads.
  ::umask(077);
  expect_contains(error_of(store.put("other.example", f.version({"other.example"}))), "umask");
  ck_assert(!fs::exists(f.temp / "other.example"));
  ck_assert_int_eq(::seteuid(0), 0);
  ck_assert_int_eq(::setegid(0), 0);
  expect_text(modes_below(f.temp.path()), wanted_modes);

  // A worker, which trusts the agent's files because it was told to.
  ck_assert_int_eq(::setegid(web), 0);
  ck_assert_int_eq(::seteuid(65533), 0);
  CertificateStore worker(value_of(store::Directory::open(f.temp.path(), agent)), f.sealing);
  ck_assert_uint_eq(value_of(worker.current(name))->version, 1);
  value_of(worker.load(name, 1));
  expect_contains(error_of(worker.put(name, f.version())), "Permission denied");
  expect_contains(error_of(store::Directory::open(f.temp.path())), "belongs to user 65531");
  ck_assert_int_eq(::seteuid(0), 0);
  ck_assert_int_eq(::setegid(0), 0);
  // Files of a third user are nobody's.
  ck_assert_int_eq(::chown((f / "1/P-256.key").c_str(), 65530, web), 0);
  CertificateStore root(value_of(store::Directory::open(f.temp.path(), agent)), f.sealing);
  expect_contains(error_of(root.load(name, 1)), "belongs to user 65530");
}
END_TEST

}  // namespace

Suite* certificate_store_suite() {
  Suite* suite = suite_create("certificate_store");
  TCase* tcase = tcase_create("certificate_store");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, what_was_put_is_loaded);
  tcase_add_test(tcase, an_unknown_domain_has_nothing);
  tcase_add_test(tcase, a_version_is_live_when_activated);
  tcase_add_test(tcase, what_does_not_fit_is_not_activated);
  tcase_add_test(tcase, nonsense_is_not_written);
  tcase_add_test(tcase, numbers_are_never_used_twice);
  tcase_add_test(tcase, the_current_version_is_never_deleted);
  tcase_add_test(tcase, keys_are_sealed_for_their_place);
  tcase_add_test(tcase, another_sealing_key_opens_nothing);
  tcase_add_test(tcase, a_torn_version_is_found);
  tcase_add_test(tcase, what_is_not_the_stores_is_ignored);
  tcase_add_test(tcase, a_torn_current_is_healed);
  tcase_add_test(tcase, healing_takes_none_that_may_not_be_served);
  tcase_add_test(tcase, healing_takes_the_newest_that_can_be_served);
  tcase_add_test(tcase, nothing_is_healed_that_is_not_torn);
  tcase_add_test(tcase, a_domain_can_be_forgotten);
  tcase_add_test(tcase, a_reader_cannot_keep_the_writer_out);
  if (::geteuid() == 0) {
    tcase_add_test(tcase, httpds_group_may_read_and_nobody_else);
  } else {
    std::fputs("certificate_store: httpds_group_may_read_and_nobody_else needs root, not run\n",
               stderr);
  }
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
