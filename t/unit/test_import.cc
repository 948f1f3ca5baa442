// SPDX-License-Identifier: Apache-2.0
// Stores of other programs, made here as those programs make them.
#include "suites.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base64url.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "expect.h"
#include "import/certbot.h"
#include "import/certbot_files.h"
#include "import/jwk.h"
#include "import/mod_md.h"
#include "import/mod_md_files.h"
#include "import/pem_pair.h"
#include "import/settings_text.h"
#include "stored.h"

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;
using crypto::KeyType;
using import::ForeignTree;
using import::ImportedDomain;
using Names = std::vector<std::string>;

std::string pem_of(const EVP_PKEY* key) {
  return std::string(value_of(crypto::key_to_pem(key)).text());
}

// As mod_md writes the keys of accounts/ and staging/.
std::string encrypted_pem(const EVP_PKEY* key, const std::string& passphrase) {
  crypto::Bio bio(BIO_new(BIO_s_mem()));
  ck_assert_int_eq(
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, EVP_aes_256_cbc(), passphrase.data(),
                                    static_cast<int>(passphrase.size()), nullptr, nullptr),
      1);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string number_of(const EVP_PKEY* key, const char* param, int size = 0) {
  BIGNUM* number = nullptr;
  ck_assert_int_eq(EVP_PKEY_get_bn_param(key, param, &number), 1);
  std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_clear_free(number);
  return crypto::base64url(bytes);
}

// RFC 7518 6.3.2, as certbot writes private_key.json.
std::string jwk_of_rsa(const EVP_PKEY* key) {
  auto member = [&](const char* name, const char* param) {
    return ", \"" + std::string(name) + "\": \"" + number_of(key, param) + "\"";
  };
  return "{\"kty\": \"RSA\"" + member("n", OSSL_PKEY_PARAM_RSA_N) +
         member("e", OSSL_PKEY_PARAM_RSA_E) + member("d", OSSL_PKEY_PARAM_RSA_D) +
         member("p", OSSL_PKEY_PARAM_RSA_FACTOR1) + member("q", OSSL_PKEY_PARAM_RSA_FACTOR2) +
         member("dp", OSSL_PKEY_PARAM_RSA_EXPONENT1) + member("dq", OSSL_PKEY_PARAM_RSA_EXPONENT2) +
         member("qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1) + "}";
}

std::string jwk_of_ec(const EVP_PKEY* key, const char* curve, int size) {
  return std::string("{\"kty\":\"EC\",\"crv\":\"") + curve + "\",\"x\":\"" +
         number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size) + "\",\"y\":\"" +
         number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size) + "\",\"d\":\"" +
         number_of(key, OSSL_PKEY_PARAM_PRIV_KEY, size) + "\"}";
}

void write_below(const std::string& path, const std::string& content) {
  fs::create_directories(fs::path(path).parent_path());
  write_file(path, content);
}

const ImportedDomain* find(const std::vector<ImportedDomain>& domains, const std::string& name) {
  for (const ImportedDomain& each : domains) {
    if (each.names.front() == name) return &each;
  }
  return nullptr;
}

std::string all_notes(const Names& notes) {
  std::string text;
  for (const std::string& note : notes) text += note + "\n";
  return text;
}

// A certificate and its key as two files.
void write_pair(const std::string& certificate, const std::string& key_path, const Issuer& issuer,
                const Names& names, KeyType type, const LeafOptions& options = {},
                const std::string& passphrase = "") {
  auto key = value_of(crypto::generate_key(type));
  write_below(certificate, chain_pem_for(names, key.get(), issuer, options));
  write_below(key_path,
              passphrase.empty() ? pem_of(key.get()) : encrypted_pem(key.get(), passphrase));
}

struct ModMdStore {
  TempDir temp;
  Issuer issuer = make_issuer("Test CA", nullptr);
  std::string passphrase;
  crypto::Key account = value_of(crypto::generate_key(KeyType::rsa3072));

  ModMdStore() {
    for (int i = 0; i < 48; ++i) passphrase += static_cast<char>(i * 5);
    write_below(temp / "md_store.json",
                "{\n  \"version\": \"2.6.11\",\n  \"store\": {\n    \"version\": 3.0\n  },\n"
                "  \"key\": \"" +
                    crypto::base64url(passphrase) + "\"\n}");
    write_below(temp / "accounts/ACME-letsencrypt.org-0000/account.json",
                R"({"status": "valid", "url": "https://acme.example/acct/17",
                    "ca-url": "https://acme.example/directory",
                    "contact": ["mailto:admin@example.org"],
                    "registration": {"status": "valid"}, "agreement": "accepted"})");
    write_below(temp / "accounts/ACME-letsencrypt.org-0000/account.pem",
                encrypted_pem(account.get(), passphrase));
  }

  std::string operator/(const std::string& path) const { return temp / path; }
  void md(const std::string& name, const std::string& domains, const std::string& more = "") {
    write_below(temp / ("domains/" + name + "/md.json"),
                "{\"name\": \"" + name + "\", \"domains\": [" + domains +
                    "], \"contacts\": [\"mailto:admin@example.org\"], \"transitive\": 0,"
                    "\"ca\": {\"proto\": \"ACME\", \"url\": \"https://acme.example/directory\","
                    "\"agreement\": \"accepted\"}, \"state\": 2, \"renew-mode\": 1,"
                    "\"renew-window\": \"33%\", \"warn-window\": \"10%\", \"must-staple\": false" +
                    more + "}");
  }
  import::ImportedModMd read() const {
      return value_of(import::import_mod_md(value_of(ForeignTree::open(temp.path())), test_now));
}
};  // namespace

START_TEST(a_store_of_mod_md_is_read) {
  ModMdStore s;
  s.md("example.org", R"("example.org", "WWW.example.org")",
       R"(, "profile": "shortlived", "profile-mandatory": true, "ari-renewals": false,
            "require-https": "permanent", "proxy-url": "http://proxy.example:3128")");
  const Names names{"www.example.org", "example.org"};
  write_pair(s / "domains/example.org/pubcert.pem", s / "domains/example.org/privkey.pem", s.issuer,
             names, KeyType::rsa2048);
  write_pair(s / "domains/example.org/pubcert.secp384r1.pem",
             s / "domains/example.org/privkey.secp384r1.pem", s.issuer, names, KeyType::p384);
  auto read = s.read();
  ck_assert_msg(read.imported.notes.empty(), "%s", all_notes(read.imported.notes).c_str());
  ck_assert(read.agreed);
  ck_assert_uint_eq(read.imported.domains.size(), 1);
  ImportedDomain& domain = read.imported.domains[0];
  ck_assert(domain.names == Names({"example.org", "www.example.org"}));
  ck_assert_uint_eq(domain.pairs.size(), 2);
  expect_text(domain.profile, "shortlived");
  expect_text(import::configuration_of(read.imported.domains, read.agreed),
              "TLSGuardAgreement accepted\n"
              "# from domains/example.org\n"
              "<TLSGuardDomain example.org www.example.org>\n"
              "    TLSGuardKeyTypes P-384 rsa2048\n"
              "    TLSGuardCA https://acme.example/directory\n"
              "    TLSGuardContact admin@example.org\n"
              "    TLSGuardCAProfile shortlived required\n"
              "    TLSGuardARI off\n"
              "    TLSGuardHTTPProxy http://proxy.example:3128\n"
              "    TLSGuardRenewWindow 33%\n"
              "    TLSGuardWarnWindow 10%\n"
              "    TLSGuardRequireHTTPS permanent\n"
              "</TLSGuardDomain>\n");
  ck_assert_uint_eq(read.imported.accounts.size(), 1);
  const auto& account = read.imported.accounts[0];
  expect_text(account.directory_url, "https://acme.example/directory");
  expect_text(account.account_url, "https://acme.example/acct/17");
  ck_assert(account.contacts == Names{"admin@example.org"});
  ck_assert_int_eq(EVP_PKEY_eq(account.key.get(), s.account.get()), 1);

  // And it is what the store takes.
  StoreFixture target;
  auto store = target.open();
  std::uint32_t number = value_of(store.put("example.org", import::version_of(domain)));
  value_of(store.activate("example.org", number));
  expect_text(value_of(store.load("example.org", number)).meta.ca, "imported");
}
END_TEST

// mod_md waits for a restart with what it has renewed; its key is encrypted.
START_TEST(what_mod_md_has_renewed_is_taken) {
  ModMdStore s;
  s.md("example.org", R"("example.org")");
  write_pair(s / "domains/example.org/pubcert.pem", s / "domains/example.org/privkey.pem", s.issuer,
             {"example.org"}, KeyType::rsa2048, {.until = test_now + 20 * one_day});
  write_pair(s / "staging/example.org/pubcert.pem", s / "staging/example.org/privkey.pem", s.issuer,
             {"example.org"}, KeyType::rsa2048, {.until = test_now + 90 * one_day}, s.passphrase);
  auto read = s.read();
  ck_assert_int_eq(read.imported.domains.at(0).not_after, test_now + 90 * one_day);
  ck_assert_uint_eq(read.imported.domains[0].pairs.size(), 1);
  // Torn, it is left out.
  write_file(s / "staging/example.org/pubcert.pem", "torn");
  read = s.read();
  ck_assert_int_eq(read.imported.domains.at(0).not_after, test_now + 20 * one_day);
  expect_contains(all_notes(read.imported.notes), "staging/example.org/pubcert.pem");
}
END_TEST

START_TEST(what_cannot_be_used_of_mod_md_is_said) {
  ModMdStore s;
  auto good = [&](const std::string& name) {
    s.md(name, "\"" + name + "\"");
    write_pair(s / ("domains/" + name + "/pubcert.pem"), s / ("domains/" + name + "/privkey.pem"),
               s.issuer, {name}, KeyType::p256);
  };
  for (const char* name : {"good.example", "torn-md.example", "wrong-key.example", "no-key.example",
                           "torn-key.example"}) {
    good(name);
  }
  write_file(s / "domains/torn-md.example/md.json", "{\"name\":");
  fs::copy_file(s / "domains/good.example/privkey.pem", s / "domains/wrong-key.example/privkey.pem",
                fs::copy_options::overwrite_existing);
  fs::remove(s / "domains/no-key.example/privkey.pem");
  write_file(s / "domains/torn-key.example/privkey.pem", "-----BEGIN PRIVATE KEY-----\nMIGH");
  s.md("expired.example", "\"expired.example\"");
  write_pair(s / "domains/expired.example/pubcert.pem", s / "domains/expired.example/privkey.pem",
             s.issuer, {"expired.example"}, KeyType::p256, {.until = test_now - 1});
  s.md("grown.example", R"("grown.example", "new.grown.example")",
       R"(, "must-staple": true, "stapling": true)");
  write_pair(s / "domains/grown.example/pubcert.pem", s / "domains/grown.example/privkey.pem",
             s.issuer, {"grown.example"}, KeyType::p256);
  fs::create_directories(s / "domains/empty.example");
  write_file(s / "domains/a-file", "x");
  write_below(s / "accounts/broken/account.json", "[]");
  write_below(s / "accounts/broken/account.pem", "x");

  auto read = s.read();
  ck_assert_uint_eq(read.imported.domains.size(), 2);
  ck_assert_ptr_nonnull(find(read.imported.domains, "good.example"));
  const ImportedDomain* grown = find(read.imported.domains, "grown.example");
  expect_contains(all_notes(grown->notes), "left out: new.grown.example");
  expect_contains(all_notes(grown->notes), "MDMustStaple");
  expect_contains(all_notes(grown->notes), "MDStapling");
  expect_contains(import::configuration_of({}, true, read.remarks),
                  "# MDNotifyCmd, MDMessageCmd: ");
  const std::string notes = all_notes(read.imported.notes);
  for (const char* part :
       {"torn-md.example/md.json: it is no JSON", "wrong-key.example/pubcert.pem: the key does not",
        "torn-key.example/pubcert.pem: its key",
        "expired.example/pubcert.pem: the certificate "
        "expired",
        "domains/no-key.example: there is no certificate", "accounts/broken/account.json"}) {
    expect_contains(notes, part);
  }
  ck_assert(notes.find("MIGH") == std::string::npos);
  ck_assert_uint_eq(read.imported.accounts.size(), 1);
}
END_TEST

START_TEST(a_directory_of_something_else_is_refused) {
  TempDir temp;
  ForeignTree tree = value_of(ForeignTree::open(temp.path()));
  expect_contains(error_of(import::import_mod_md(tree, test_now)), "no MDStoreDir");
  expect_contains(error_of(import::import_certbot(tree, test_now)), "no directory of certbot");
  write_file(temp / "md_store.json", R"({"key": "c2hvcnQ"})");
  expect_contains(error_of(import::import_mod_md(tree, test_now)), "damaged");
  expect_contains(error_of(ForeignTree::open(temp / "none")), "No such file");
  expect_contains(error_of(ForeignTree::open(temp / "md_store.json")), "not a directory");
}
END_TEST

struct CertbotDirectory {
  TempDir temp;
  Issuer issuer = make_issuer("Test CA", nullptr);
  crypto::Key account = value_of(crypto::generate_key(KeyType::rsa2048));

  CertbotDirectory() {
    fs::create_directory(temp / "renewal");
    add_account("acme.example/directory/0123abcd", jwk_of_rsa(account.get()));
  }

  std::string operator/(const std::string& path) const { return temp / path; }
  void add_account(const std::string& path, const std::string& jwk) {
    write_below(temp / ("accounts/" + path + "/private_key.json"), jwk);
    write_below(temp / ("accounts/" + path + "/regr.json"),
                R"({"body": {}, "uri": "https://acme.example/acme/acct/99"})");
    write_below(temp / ("accounts/" + path + "/meta.json"), R"({"creation_host": "host"})");
  }
  // The nth certificate of a lineage, with live/ pointing to it.
  void lineage(const std::string& name, const Names& names, int nth, const std::string& params = "",
               KeyType type = KeyType::p256) {
    const std::string n = std::to_string(nth) + ".pem";
    write_pair(temp / ("archive/" + name + "/fullchain" + n),
               temp / ("archive/" + name + "/privkey" + n), issuer, names, type);
    fs::create_directories(temp / ("live/" + name));
    for (const char* file : {"fullchain", "privkey"}) {
      const std::string link = temp / ("live/" + name + "/" + file + ".pem");
      fs::remove(link);
      fs::create_symlink("../../archive/" + name + "/" + file + n, link);
    }
    write_below(temp / ("renewal/" + name + ".conf"),
                "# renew_before_expiry = 30 days\nversion = 2.1.0\narchive_dir = "
                "/etc/letsencrypt/archive/" +
                    name +
                    "\nserver = https://not.this.one/\n\n"
                    "# Options used in the renewal process\n[renewalparams]\n"
                    "account = 0123abcd\nauthenticator = apache\n"
                    "server = https://acme.example/directory\nkey_type = ecdsa\n" +
                    params + "[[webroot_map]]\nserver = https://nor.this.one/\n");
  }
  import::Imported read() const {
      return value_of(import::import_certbot(value_of(ForeignTree::open(temp.path())), test_now));
}
};  // namespace tlsguard::test

START_TEST(a_directory_of_certbot_is_read) {
  CertbotDirectory c;
  c.lineage("example.org", {"a.example.org", "example.org"}, 1);
  c.lineage("example.org", {"a.example.org", "example.org", "www.example.org"}, 12);
  c.lineage("wild.example-0001", {"*.wild.example", "wild.example"}, 1,
            "pref_challs = dns-01,\npreferred_chain = \"ISRG Root X1\"\npost_hook = systemctl "
            "reload apache2\npreferred_profile = shortlived\n",
            KeyType::rsa2048);
  write_file(c / "renewal/README", "hello");
  auto read = c.read();
  ck_assert_msg(read.notes.empty(), "%s", all_notes(read.notes).c_str());
  ck_assert_uint_eq(read.domains.size(), 2);
  const ImportedDomain* plain = find(read.domains, "example.org");
  ck_assert(plain->names == Names({"example.org", "a.example.org", "www.example.org"}));
  ck_assert(plain->notes.empty());
  const ImportedDomain* wild = find(read.domains, "*.wild.example");
  expect_contains(all_notes(wild->notes), "TLSGuardDNSCommand");
  expect_contains(all_notes(wild->notes), "TLSGuardEvent");
  expect_contains(import::configuration_of(read.domains, false),
                  "<TLSGuardDomain *.wild.example wild.example>\n"
                  "    TLSGuardKeyTypes rsa2048\n"
                  "    TLSGuardCA https://acme.example/directory\n"
                  "    TLSGuardChallenges dns-01\n"
                  "    TLSGuardDNSCommand /usr/local/sbin/CHANGE-ME\n"
                  "    TLSGuardCAProfile shortlived\n"
                  "    TLSGuardPreferredChain \"ISRG Root X1\"\n"
                  "</TLSGuardDomain>\n");
  ck_assert_uint_eq(read.accounts.size(), 1);
  expect_text(read.accounts[0].directory_url, "https://acme.example/directory");
  expect_text(read.accounts[0].account_url, "https://acme.example/acme/acct/99");
  ck_assert_int_eq(EVP_PKEY_eq(read.accounts[0].key.get(), c.account.get()), 1);
}
END_TEST

START_TEST(settings_of_certbot_are_converted_or_named) {
  CertbotDirectory c;
  c.lineage("example.org", {"example.org"}, 1,
            "must_staple = True\nreuse_key = True\nhttp01_port = 8080\nautorenew = False\n"
            "preferred_profile = None\n");
  c.lineage("*.wild.example", {"*.wild.example"}, 1);
  const std::string conf = c / "renewal/example.org.conf";
  write_file(conf, "renew_before_expiry = 20 days\n" + content_of(conf));
  auto read = c.read();
  const ImportedDomain* plain = find(read.domains, "example.org");
  expect_contains(import::configuration_of(read.domains, true),
                  "    TLSGuardCA https://acme.example/directory\n"
                  "    TLSGuardRenewWindow 20d\n"
                  "    TLSGuardRenew manual\n"
                  "</TLSGuardDomain>\n");
  for (const char* part : {"must_staple: ", "reuse_key: ", "http01_port is 8080: "}) {
    expect_contains(all_notes(plain->notes), part);
  }
  // Of a wildcard nothing else can be.
  expect_contains(import::configuration_of(read.domains, true),
                  "    TLSGuardChallenges dns-01\n"
                  "    TLSGuardDNSCommand /usr/local/sbin/CHANGE-ME\n");
  write_file(conf, "renew_before_expiry = when it rains\n" + content_of(conf));
  read = c.read();
  expect_contains(all_notes(find(read.domains, "example.org")->notes),
                  "'when it rains': say it in");
}
END_TEST

// A copied directory often has lost the links of live/.
START_TEST(the_archive_helps_where_links_are_broken) {
  CertbotDirectory c;
  for (int nth : {9, 10, 2}) {
    c.lineage("example.org", {"example.org", "n" + std::to_string(nth) + ".example.org"}, nth);
  }
  fs::remove_all(c / "live");
  auto read = c.read();
  ck_assert(read.domains.at(0).names == Names({"example.org", "n10.example.org"}));
  fs::remove_all(c / "archive");
  read = c.read();
  ck_assert(read.domains.empty());
  expect_contains(all_notes(read.notes), "live/example.org: its certificate or key is missing");
}
END_TEST

START_TEST(accounts_of_linked_servers_are_one) {
  CertbotDirectory c;
  fs::create_directories(c / "accounts/old.example");
  fs::create_directory_symlink(c / "accounts/acme.example/directory",
                               c / "accounts/old.example/directory");
  // Found first, by its name, but it is not the account's host.
  fs::rename(c / "accounts/old.example", c / "accounts/aaa.example");
  fs::create_directory_symlink(c / "accounts", c / "accounts/loop");
  auto read = c.read();
  ck_assert_uint_eq(read.accounts.size(), 1);
  expect_text(read.accounts[0].directory_url, "https://acme.example/directory");
  c.add_account("acme.example/directory/torn", "{\"kty\": \"RSA\", \"n\": \"AQAB\"}");
  c.add_account("acme.example/directory/ec", "?");
  read = c.read();
  ck_assert_uint_eq(read.accounts.size(), 1);
  expect_contains(all_notes(read.notes), "torn/private_key.json: its member");
}
END_TEST

START_TEST(links_do_not_lead_out_of_the_tree) {
  CertbotDirectory c;
  c.lineage("example.org", {"example.org"}, 1);
  TempDir outside;
  fs::rename(c / "archive/example.org/privkey1.pem", outside / "privkey1.pem");
  fs::create_symlink(outside / "privkey1.pem", c / "archive/example.org/privkey1.pem");
  auto read = c.read();
  ck_assert(read.domains.empty());
  expect_contains(all_notes(read.notes), "out of the directory");
  // Nor does anything but a file keep us waiting.
  fs::remove(c / "archive/example.org/privkey1.pem");
  ck_assert_int_eq(::mkfifo((c / "archive/example.org/privkey1.pem").c_str(), 0600), 0);
  read = c.read();
  ck_assert(read.domains.empty());
  expect_contains(all_notes(read.notes), "no regular file");
}
END_TEST

START_TEST(any_pair_of_files_can_be_taken) {
  TempDir temp;
  Issuer issuer = make_issuer("Test CA", nullptr);
  write_pair(temp / "cert.pem", temp / "key.pem", issuer, {"example.org", "192.0.2.7"},
             KeyType::p384);
  auto domain = value_of(import::import_pem_pair(temp / "cert.pem", temp / "key.pem", test_now));
  ck_assert(domain.names == Names({"example.org", "192.0.2.7"}));
  ck_assert(domain.pairs.at(0).type == KeyType::p384);
  expect_contains(import::configuration_of({}, true), "TLSGuardAgreement accepted");
  // Both in one file, with a text before.
  write_file(temp / "both.pem", "of example.org\n" + content_of(temp / "cert.pem"));
  value_of(import::import_pem_pair(temp / "both.pem", temp / "key.pem", test_now));
  for (auto [cert, key] : std::vector<std::pair<std::string, std::string>>{{"cert.pem", "cert.pem"},
                                                                           {"key.pem", "key.pem"},
                                                                           {"none", "key.pem"},
                                                                           {"cert.pem", "none"},
                                                                           {"", "key.pem"}}) {
    error_of(import::import_pem_pair(temp / cert, temp / key, test_now));
  }
  error_of(import::import_pem_pair(temp / "cert.pem", temp / "key.pem", test_now + 999 * one_day));
}
END_TEST

// X509_check_private_key compares public halves only.
START_TEST(a_key_that_does_not_sign_is_found) {
  auto good = value_of(crypto::generate_key(KeyType::p256));
  auto other = value_of(crypto::generate_key(KeyType::p256));
  std::string der(value_of(crypto::key_to_der(good.get())).text());
  const std::string secret(value_of(crypto::key_to_der(other.get())).text().substr(7, 32));
  der.replace(7, 32, secret);  // RFC 5915: the private number of 32 bytes begins there
  auto mixed = value_of(crypto::key_from_der(
      KeyType::p256, {reinterpret_cast<const std::uint8_t*>(der.data()), der.size()}));
  TempDir temp;
  write_file(temp / "cert.pem",
             chain_pem_for({"example.org"}, good.get(), make_issuer("Test CA", nullptr)));
  write_file(temp / "key.pem", pem_of(mixed.get()));
  expect_contains(error_of(import::import_pem_pair(temp / "cert.pem", temp / "key.pem", test_now)),
                  "does not sign");
}
END_TEST

// RFC 7517 A.2.
START_TEST(keys_are_read_from_jwk) {
  auto rfc = value_of(import::key_from_jwk(
      R"({"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
          "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
          "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"enc","kid":"1"})"));
  ck_assert(crypto::key_type_of(rfc.get()) == KeyType::p256);
  auto p256 = value_of(crypto::generate_key(KeyType::p256));
  auto p384 = value_of(crypto::generate_key(KeyType::p384));
  auto rsa = value_of(crypto::generate_key(KeyType::rsa2048));
  for (auto [key, jwk] : std::vector<std::pair<const EVP_PKEY*, std::string>>{
           {p256.get(), jwk_of_ec(p256.get(), "P-256", 32)},
           {p384.get(), jwk_of_ec(p384.get(), "P-384", 48)},
           {rsa.get(), jwk_of_rsa(rsa.get())}}) {
    auto read = value_of(import::key_from_jwk(jwk));
    ck_assert_int_eq(EVP_PKEY_eq(read.get(), key), 1);
    // Usable, not only equal.
    ck_assert(value_of(crypto::key_to_der(read.get())).text() ==
              value_of(crypto::key_to_der(key)).text());
  }
  // The private number of another key.
  std::string mixed = jwk_of_ec(p256.get(), "P-256", 32);
  const std::string other = jwk_of_ec(rfc.get(), "P-256", 32);
  mixed = mixed.substr(0, mixed.find("\"d\"")) + other.substr(other.find("\"d\""));
  expect_contains(error_of(import::key_from_jwk(mixed)), "do not fit");
  for (const char* wrong : {"", "[]", "{}", "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
                            "{\"kty\":\"EC\",\"crv\":\"P-521\"}", "{\"kty\":\"RSA\"}",
                            "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\","
                            "\"d\":\"AA\"}",
                            "{\"kty\":7}"}) {
    error_of(import::key_from_jwk(wrong));
  }
}
END_TEST

START_TEST(settings_from_outside_are_harmless) {
  const char* hostile = R"({"name": "x", "domains": ["example.org", "a b", "</TLSGuardDomain>",
      "x\nLoadModule evil x"], "contacts": ["mailto:a@b.example\nUser root", "nobody", "x@y?z"],
      "ca": {"urls": ["https://ok.example/d", "file:///etc/passwd", "https://a b/", "https://x\n"],
             "challenges": ["http-01", "evil\n"]},
      "profile": "a b", "renew-window": "33% \n", "warn-window": "10x",
      "ca-certs": "/etc/ssl/a\"b\nInclude x", "proxy-url": "javascript:x"})";
  auto md = value_of(import::parse_md_json(hostile));
  ck_assert(md.domains == Names{"example.org"});
  ImportedDomain domain;
  domain.name = "x\nInclude /etc/passwd\\";
  domain.names = md.domains;
  domain.settings = md.settings;
  domain.notes = {"a\nb\\"};
  std::vector<ImportedDomain> domains;
  domains.push_back(std::move(domain));
  expect_text(import::configuration_of(domains, false),
              "# from x Include /etc/passwd \n"
              "#   a b \n"
              "<TLSGuardDomain example.org>\n"
              "    TLSGuardKeyTypes\n"
              "    TLSGuardCA https://ok.example/d\n"
              "    TLSGuardChallenges http-01\n"
              "    TLSGuardCATrust \"/etc/ssl/a\\\"bInclude x\"\n"
              "</TLSGuardDomain>\n");
  expect_contains(error_of(import::parse_md_json("{\"domains\": [\"a b\"]}")), "no domains");
  expect_contains(error_of(import::parse_md_json(std::string(100000, '['))), "nested too deep");
  expect_contains(error_of(import::parse_renewal_conf("server = https://x/\n")),
                  "no [renewalparams]");
}
END_TEST

}  // namespace

Suite* import_suite() {
  Suite* suite = suite_create("import");
  TCase* tcase = tcase_create("import");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, a_store_of_mod_md_is_read);
  tcase_add_test(tcase, what_mod_md_has_renewed_is_taken);
  tcase_add_test(tcase, what_cannot_be_used_of_mod_md_is_said);
  tcase_add_test(tcase, a_directory_of_something_else_is_refused);
  tcase_add_test(tcase, a_directory_of_certbot_is_read);
  tcase_add_test(tcase, settings_of_certbot_are_converted_or_named);
  tcase_add_test(tcase, the_archive_helps_where_links_are_broken);
  tcase_add_test(tcase, accounts_of_linked_servers_are_one);
  tcase_add_test(tcase, links_do_not_lead_out_of_the_tree);
  tcase_add_test(tcase, any_pair_of_files_can_be_taken);
  tcase_add_test(tcase, a_key_that_does_not_sign_is_found);
  tcase_add_test(tcase, keys_are_read_from_jwk);
  tcase_add_test(tcase, settings_from_outside_are_harmless);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
