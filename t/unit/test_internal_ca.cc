// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "ca/internal_ca.h"
#include "ca/profiles.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "expect.h"
#include "failing_calls.h"
#include "issued.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;
using ca::InternalCa;
using crypto::KeyType;
using Names = std::vector<std::string>;

struct Fixture {
  TempDir temp;
  crypto::SealingKey sealing = value_of(crypto::SealingKey::generate());
  crypto::Key key = value_of(crypto::generate_key(KeyType::p256));
  ca::InternalCaSettings settings;

  Result<InternalCa> open(UnixSeconds now = test_now) const {
    return InternalCa::open(value_of(store::Directory::open(temp.path())), sealing, settings, now);
  }
  std::string issue(const Names& names, UnixSeconds now = test_now) const {
    return value_of(value_of(open(now)).issue(names, key.get(), now));
  }
};

crypto::Chain chain_of(const std::string& pem) { return value_of(crypto::parse_chain(pem)); }

// OpenSSL's own judgement, strict; empty: fine.
std::string openssl_verify(const std::string& root_pem, const std::string& pem,
                           const std::string& host, UnixSeconds now) {
  TempDir temp;
  crypto::Chain chain = chain_of(pem);
  ck_assert_uint_eq(chain.size(), 2);
  auto write = [&](const char* file, const X509* certificate) {
    crypto::Chain one;
    X509_up_ref(const_cast<X509*>(certificate));
    one.emplace_back(const_cast<X509*>(certificate));
    write_file(temp / file, value_of(crypto::chain_to_pem(one)));
  };
  write("leaf.pem", chain[0].get());
  write("intermediate.pem", chain[1].get());
  write_file(temp / "root.pem", root_pem);
  std::string command = "openssl verify -x509_strict -check_ss_sig -purpose sslserver -attime " +
                        std::to_string(now) + " -CAfile '" + temp / "root.pem" + "' -untrusted '" +
                        temp / "intermediate.pem" + "' " + host + " '" + temp / "leaf.pem" +
                        "' > '" + temp / "out" + "' 2>&1";
  int status = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  std::string out = content_of(temp / "out");
  bool fine = status == 0 && out.ends_with("leaf.pem: OK\n");
  return fine ? std::string() : out + " (" + std::to_string(status) + ")";
}

START_TEST(it_is_made_on_first_use_and_kept) {
  Fixture f;
  InternalCa first = value_of(f.open());
  const auto& root = first.root_facts();
  expect_contains(root.issuer, "root");
  ck_assert_int_eq(root.not_after, test_now + 3650 * one_day);
  ck_assert(first.warning().empty());
  const std::string intermediate = content_of(f.temp / "intermediate.pem");
  InternalCa again = value_of(f.open(test_now + 100 * one_day));
  expect_text(again.root_pem(), first.root_pem());
  expect_text(content_of(f.temp / "root.pem"), first.root_pem());
  expect_text(content_of(f.temp / "intermediate.pem"), intermediate);
  expect_text(value_of(ca::read_root_pem(value_of(store::Directory::open(f.temp.path())))),
              first.root_pem());
  // Two stores' roots can be told apart.
  Fixture other;
  ck_assert(value_of(other.open()).root_facts().issuer != root.issuer);
}
END_TEST

START_TEST(keys_are_sealed_and_private) {
  Fixture f;
  value_of(f.open());
  for (const char* file : {"root.key", "intermediate.key"}) {
    auto status = fs::status(f.temp / file);
    ck_assert(status.permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    ck_assert(content_of(f.temp / file).find("PRIVATE") == std::string::npos);
    std::string sealed = content_of(f.temp / file);
    error_of(crypto::key_from_der(
        KeyType::p256, {reinterpret_cast<const std::uint8_t*>(sealed.data()), sealed.size()}));
  }
  // One is not the other's.
  fs::copy_file(f.temp / "intermediate.key", f.temp / "root.key",
                fs::copy_options::overwrite_existing);
  fs::remove(f.temp / "intermediate.pem");
  expect_contains(error_of(f.open()), "root.key");
}
END_TEST

START_TEST(leaves_are_what_clients_accept) {
  Fixture f;
  std::set<std::string> serials;
  const Names names{"example.org", "*.example.org", "192.0.2.7", "2001:db8::1"};
  for (KeyType type : {KeyType::p256, KeyType::p384, KeyType::rsa2048}) {
    f.key = value_of(crypto::generate_key(type));
    const std::string pem = f.issue(names);
    crypto::Chain chain = chain_of(pem);
    auto facts = value_of(crypto::facts_of(chain[0].get()));
    ck_assert(facts.dns_names == Names({"example.org", "*.example.org"}));
    ck_assert(facts.ip_addresses == Names({"192.0.2.7", "2001:db8::1"}));
    ck_assert_int_eq(facts.not_before, test_now - 300);
    ck_assert_int_eq(facts.not_after, test_now + 7 * one_day);
    ck_assert_uint_eq(facts.serial.size(), 32);
    ck_assert(serials.insert(facts.serial).second);
    ck_assert(crypto::check_servable(chain, f.key.get(), names, test_now).has_value());
    const std::string root = value_of(f.open()).root_pem();
    for (const char* host : {"-verify_hostname a.example.org", "-verify_ip 192.0.2.7",
                             "-verify_ip 2001:db8::1", "-verify_hostname example.org"}) {
      expect_text(openssl_verify(root, pem, host, test_now), "");
    }
    expect_contains(openssl_verify(root, pem, "-verify_hostname other.example", test_now),
                    "mismatch");
  }
}
END_TEST

// RFC 5280 4.1.2.6: then the names are critical, which strict verification looks at.
START_TEST(a_leaf_without_a_common_name_is_fine) {
  Fixture f;
  for (const Names& names : {Names{"192.0.2.7"}, Names{std::string(60, 'a') + ".example"}}) {
    std::string pem = f.issue(names);
    ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(chain_of(pem)[0].get())), 0);
    expect_text(openssl_verify(value_of(f.open()).root_pem(), pem, "", test_now), "");
  }
  InternalCa ca = value_of(f.open());
  auto wrong = ca.issue({"no name"}, f.key.get(), test_now);
  expect_contains(error_of(wrong), "neither a host name");
  error_of(ca.issue({}, f.key.get(), test_now));
}
END_TEST

// A week at a time until the root ends.
START_TEST(it_renews_itself_for_ten_years) {
  Fixture f;
  std::set<std::string> intermediates;
  std::string root = value_of(f.open()).root_pem();
  UnixSeconds now = test_now;
  const UnixSeconds end = test_now + 3650 * one_day;
  for (; now + 7 * one_day <= end; now += 7 * one_day) {
    InternalCa ca = value_of(f.open(now));
    expect_text(ca.root_pem(), root);
    std::string pem = value_of(ca.issue({"example.org"}, f.key.get(), now));
    crypto::Chain chain = chain_of(pem);
    auto facts = value_of(crypto::facts_of(chain[1].get()));
    intermediates.insert(facts.serial);
    ck_assert_int_ge(facts.not_after, now + 7 * one_day);
    ck_assert_int_le(facts.not_after, end);
    ck_assert(
        crypto::check_servable(chain, f.key.get(), {"example.org"}, now + 7 * one_day).has_value());
    ck_assert_int_eq(ca.warning().empty() ? 1 : 0, now <= end - 365 * one_day ? 1 : 0);
  }
  ck_assert_uint_ge(intermediates.size(), 14);
  ck_assert_uint_le(intermediates.size(), 17);
  auto over = f.open(now);
  expect_contains(error_of(over), "it ends at");
  ck_assert(over.error().next == Next::never);
  expect_text(content_of(f.temp / "root.pem"), root);
}
END_TEST

START_TEST(an_intermediate_that_is_due_serves_on) {
  Fixture f;
  value_of(f.open());
  fs::rename(f.temp / "root.key", f.temp / "kept");
  ck_assert(value_of(f.open(test_now + 200 * one_day)).warning().empty());
  InternalCa ca = value_of(f.open(test_now + 300 * one_day));
  expect_contains(ca.warning(), "root.key");
  value_of(ca.issue({"example.org"}, f.key.get(), test_now + 300 * one_day));
  // An object that was opened long ago does not issue what outlives its issuer.
  expect_contains(error_of(ca.issue({"example.org"}, f.key.get(), test_now + 360 * one_day)),
                  "intermediate is valid from");
  auto over = f.open(test_now + 360 * one_day);
  expect_contains(error_of(over), "root.key is not its key");
  ck_assert(over.error().next == Next::never);
  fs::rename(f.temp / "kept", f.temp / "root.key");
  ck_assert(value_of(f.open(test_now + 360 * one_day)).warning().empty());
}
END_TEST

START_TEST(a_root_is_never_replaced) {
  Fixture f;
  const std::string good = value_of(f.open()).root_pem();
  const std::string garbage[] = {"", "torn", good.substr(0, good.size() / 2), good + good,
                                 std::string(1 << 20, 'x')};
  for (const std::string& content : garbage) {
    write_file(f.temp / "root.pem", content);
    auto opened = f.open();
    expect_contains(error_of(opened), "bring back");
    ck_assert(opened.error().next == Next::never);
    ck_assert(content_of(f.temp / "root.pem") == content);
    error_of(ca::read_root_pem(value_of(store::Directory::open(f.temp.path()))));
  }
  fs::remove(f.temp / "root.pem");
  auto gone = f.open();
  expect_contains(error_of(gone), "root.pem is gone");
  ck_assert(gone.error().next == Next::never);
  ck_assert(!fs::exists(f.temp / "root.pem"));
  // A root of somebody else does not get our intermediate.
  Fixture other;
  value_of(other.open());
  fs::copy_file(other.temp / "root.pem", f.temp / "root.pem");
  error_of(f.open());
  write_file(f.temp / "root.pem", good);
  expect_text(value_of(f.open()).root_pem(), good);
}
END_TEST

START_TEST(another_sealing_key_is_told) {
  Fixture f;
  value_of(f.open());
  const std::string root = content_of(f.temp / "root.pem");
  f.sealing = value_of(crypto::SealingKey::generate());
  auto opened = f.open();
  expect_contains(error_of(opened), "seal.key");
  ck_assert(opened.error().next == Next::never);
  expect_text(content_of(f.temp / "root.pem"), root);
}
END_TEST

START_TEST(a_torn_intermediate_is_made_anew) {
  Fixture f;
  const std::string root = value_of(f.open()).root_pem();
  for (const char* file : {"intermediate.pem", "intermediate.key"}) {
    for (const char* content : {"", "torn"}) {
      write_file(f.temp / file, content);
      std::string pem = f.issue({"example.org"});
      expect_text(openssl_verify(root, pem, "", test_now), "");
      expect_text(content_of(f.temp / (std::string(file) + ".bad")), content);
    }
    fs::remove(f.temp / file);
    expect_text(openssl_verify(root, f.issue({"example.org"}), "", test_now), "");
  }
  // Half of a renewal: the new key with the old certificate.
  fs::copy_file(f.temp / "intermediate.key", f.temp / "old.key");
  fs::remove(f.temp / "intermediate.pem");
  value_of(f.open());
  fs::rename(f.temp / "old.key", f.temp / "intermediate.key");
  expect_text(openssl_verify(root, f.issue({"example.org"}), "", test_now), "");
}
END_TEST

START_TEST(it_may_die_in_any_call_while_it_is_made) {
  crypto::SealingKey sealing = value_of(crypto::SealingKey::generate());
  std::size_t nth = 0;
  for (bool died = true; died;) {
    Fixture f;
    f.sealing = value_of(crypto::SealingKey::from_bytes(sealing.bytes()));
    died = dies_in_call(++nth, Fault::die_half, [&] {
      if (!f.open()) ::_exit(1);
    });
    const bool was_made = fs::exists(f.temp / "root.pem");
    const std::string before = was_made ? content_of(f.temp / "root.pem") : "";
    std::string pem = f.issue({"example.org"});
    const std::string root = content_of(f.temp / "root.pem");
    if (was_made) expect_text(root, before);
    expect_text(openssl_verify(root, pem, "", test_now), "");
  }
  ck_assert_uint_gt(nth, 20);
}
END_TEST

START_TEST(a_root_may_be_constrained) {
  Fixture f;
  f.settings.permitted_names = {"corp.example", "*.lab.example", "10.0.0.0/8", "2001:db8::1"};
  InternalCa ca = value_of(f.open());
  for (const char* name : {"corp.example", "a.b.corp.example", "*.corp.example", "lab.example",
                           "10.1.2.3", "2001:db8::1"}) {
    std::string pem = value_of(ca.issue({name}, f.key.get(), test_now));
    expect_text(openssl_verify(ca.root_pem(), pem, "", test_now), "");
  }
  for (const char* name :
       {"example", "xcorp.example", "corp.example.net", "11.0.0.1", "2001:db8::2"}) {
    auto refused = ca.issue({"corp.example", name}, f.key.get(), test_now);
    ck_assert_msg(!refused, "%s was issued", name);
    expect_contains(error_of(refused), "corp.example, lab.example, 10.0.0.0/8, 2001:db8::1 only");
    ck_assert(refused.error().next == Next::never);
  }
  // A later change does not touch the root.
  f.settings.permitted_names = {"other.example"};
  expect_text(value_of(f.open()).root_pem(), ca.root_pem());
}
END_TEST

// Whatever our own check says, clients refuse what is outside.
START_TEST(clients_enforce_the_constraints) {
  auto root_key = value_of(crypto::generate_key(KeyType::p256));
  auto middle_key = value_of(crypto::generate_key(KeyType::p256));
  auto leaf_key = value_of(crypto::generate_key(KeyType::p256));
  Fixture f;
  auto verify = [&](const Names& permitted, const char* name) {
    auto root = value_of(ca::make_root(root_key.get(), permitted, test_now));
    auto middle =
        value_of(ca::make_intermediate(middle_key.get(), {root.get(), root_key.get()}, test_now));
    crypto::Chain chain;
    chain.push_back(value_of(
        ca::make_leaf({name}, leaf_key.get(), {middle.get(), middle_key.get()}, test_now)));
    chain.push_back(std::move(middle));
    crypto::Chain roots;
    roots.push_back(std::move(root));
    return openssl_verify(value_of(crypto::chain_to_pem(roots)),
                          value_of(crypto::chain_to_pem(chain)), "", test_now);
  };
  expect_text(verify({"corp.example"}, "a.corp.example"), "");
  expect_contains(verify({"corp.example"}, "other.example"), "permitted subtree violation");
  expect_contains(verify({"corp.example"}, "10.0.0.1"), "excluded subtree violation");
  expect_contains(verify({"10.0.0.0/8"}, "corp.example"), "excluded subtree violation");
  expect_text(verify({"10.0.0.0/8"}, "10.0.0.1"), "");
  expect_contains(verify({"10.0.0.0/8"}, "2001:db8::1"), "permitted subtree violation");
}
END_TEST

START_TEST(nonsense_is_no_constraint) {
  for (const char* wrong : {"", "a b", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1",
                            "2001:db8::/129", "example.org/24", "."}) {
    Fixture f;
    f.settings.permitted_names = {wrong};
    auto opened = f.open();
    expect_contains(error_of(opened), "constrained");
    ck_assert(opened.error().next == Next::never);
    ck_assert(!fs::exists(f.temp / "root.pem"));
  }
}
END_TEST

}  // namespace

Suite* internal_ca_suite() {
  Suite* suite = suite_create("internal_ca");
  TCase* tcase = tcase_create("internal_ca");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, it_is_made_on_first_use_and_kept);
  tcase_add_test(tcase, keys_are_sealed_and_private);
  tcase_add_test(tcase, leaves_are_what_clients_accept);
  tcase_add_test(tcase, a_leaf_without_a_common_name_is_fine);
  tcase_add_test(tcase, it_renews_itself_for_ten_years);
  tcase_add_test(tcase, an_intermediate_that_is_due_serves_on);
  tcase_add_test(tcase, a_root_is_never_replaced);
  tcase_add_test(tcase, another_sealing_key_is_told);
  tcase_add_test(tcase, a_torn_intermediate_is_made_anew);
  tcase_add_test(tcase, it_may_die_in_any_call_while_it_is_made);
  tcase_add_test(tcase, a_root_may_be_constrained);
  tcase_add_test(tcase, clients_enforce_the_constraints);
  tcase_add_test(tcase, nonsense_is_no_constraint);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
