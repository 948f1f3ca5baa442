// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "expect.h"
#include "store/challenge_store.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;
using store::ChallengeStore;

const std::string token = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
const std::string authorization = token + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

ChallengeStore opened(const TempDir& temp) {
  return ChallengeStore(value_of(store::Directory::open(temp.path())));
}

START_TEST(http_challenges_come_and_go) {
  TempDir temp;
  ChallengeStore writer = opened(temp);
  ChallengeStore reader = opened(temp);
  ck_assert(!value_of(reader.http(token)).has_value());
  ck_assert(writer.put_http(token, {"example.org", authorization}).has_value());
  auto challenge = value_of(reader.http(token));
  expect_text(challenge->name, "example.org");
  expect_text(challenge->key_authorization, authorization);
  ck_assert(!value_of(reader.http("other")).has_value());
  ck_assert(writer.put_http(token, {"*.example.net", token + ".x"}).has_value());
  expect_text(value_of(reader.http(token))->key_authorization, token + ".x");
  ck_assert(writer.remove_http(token).has_value());
  ck_assert(writer.remove_http(token).has_value());
  ck_assert(!value_of(reader.http(token)).has_value());
}
END_TEST

START_TEST(alpn_challenges_are_found_by_server_name) {
  TempDir temp;
  ChallengeStore writer = opened(temp);
  ChallengeStore reader = opened(temp);
  ck_assert(!value_of(reader.alpn("example.org")).has_value());
  const std::string reverse = "7.2.0.192.in-addr.arpa";
  ck_assert(writer.put_alpn("example.org", "pem 1").has_value());
  ck_assert(writer.put_alpn(reverse, "pem 2").has_value());
  expect_text(*value_of(reader.alpn("Example.ORG")), "pem 1");
  expect_text(*value_of(reader.alpn(reverse)), "pem 2");
  for (const std::string& other :
       {std::string(), std::string("www.example.org"), std::string("example.org.pem"),
        std::string("../tls-alpn-01/example.org"), std::string("..", 2), std::string("\0", 1),
        std::string(10000, 'x')}) {
    ck_assert(!value_of(reader.alpn(other)).has_value());
  }
  ck_assert(writer.remove_alpn("example.org").has_value());
  ck_assert(!value_of(reader.alpn("example.org")).has_value());
  ck_assert(value_of(reader.alpn(reverse)).has_value());
  error_of(writer.put_alpn("example.org", ""));
  error_of(writer.put_alpn("example.org", std::string(1 << 20, 'x')));
}
END_TEST

// RFC 8555 8.3: a token is base64url. It becomes a file's name, and comes out of a request's path.
START_TEST(a_token_is_no_path) {
  TempDir temp;
  ChallengeStore store = opened(temp);
  ck_assert(store.put_http(token, {"example.org", authorization}).has_value());
  write_file(temp / "secret", "secret.x");
  const std::string nul("a\0b", 3);
  for (const std::string& wrong :
       {std::string(), std::string("."), std::string(".."), std::string("../secret"),
        std::string("a/b"), std::string("a.b"), std::string("a=="), std::string("a%2fb"),
        std::string("a b"), nul, "." + token + ".tmp", std::string(129, 'a'),
        std::string(100000, 'a')}) {
    ck_assert(!store::is_token(wrong));
    ck_assert(!value_of(store.http(wrong)).has_value());
    auto put = store.put_http(wrong, {"example.org", wrong + ".x"});
    expect_contains(error_of(put), "token");
    ck_assert(put.error().next == Next::never);
    ck_assert(store.remove_http(wrong).has_value());
  }
  for (const std::string& good : {token, std::string("a"), std::string(128, '-')}) {
    ck_assert(store::is_token(good));
  }
  ck_assert(value_of(store.http(token)).has_value());
}
END_TEST

START_TEST(only_key_authorizations_are_served) {
  TempDir temp;
  ChallengeStore store = opened(temp);
  for (const std::string& wrong :
       {std::string(), token, token + ".", "x" + authorization, authorization + "\n",
        token + ".<script>", std::string("other.thumbprint"),
        token + "." + std::string(600, 'a')}) {
    error_of(store.put_http(token, {"example.org", wrong}));
  }
  error_of(store.put_http(token, {"example.org\nx", authorization}));
  ck_assert(store.put_http(token, {"example.org", authorization}).has_value());
  for (const std::string& torn :
       {std::string(), std::string("example.org"), std::string("example.org\n"),
        "example.org\n" + token, "example.org\n" + authorization + "\n", std::string(5000, 'x')}) {
    write_file(temp / ("http-01/" + token), torn);
    error_of(store.http(token));
  }
}
END_TEST

START_TEST(challenges_of_the_past_are_cleared) {
  TempDir temp;
  ChallengeStore store = opened(temp);
  ck_assert(store.clear().has_value());
  ck_assert(store.put_http(token, {"example.org", authorization}).has_value());
  ck_assert(store.put_http("two", {"example.org", "two.x"}).has_value());
  ck_assert(store.put_alpn("example.org", "pem").has_value());
  write_file(temp / "http-01/.half.tmp", "left");
  ck_assert(store.clear().has_value());
  ck_assert(fs::is_empty(temp / "http-01"));
  ck_assert(fs::is_empty(temp / "tls-alpn-01"));
}
END_TEST

START_TEST(httpds_group_may_read_challenges) {
  TempDir temp;
  ::umask(022);
  ChallengeStore store = opened(temp);
  ck_assert(store.put_http(token, {"example.org", authorization}).has_value());
  ck_assert(store.put_alpn("example.org", "pem").has_value());
  auto mode_of = [&](const std::string& file) {
    struct stat facts {};
    ck_assert_int_eq(::lstat((temp / file).c_str(), &facts), 0);
    return facts.st_mode & 07777;
  };
  for (const char* directory : {"http-01", "tls-alpn-01"}) {
    ck_assert_uint_eq(mode_of(directory), 02750);
  }
  ck_assert_uint_eq(mode_of("http-01/" + token), 0640);
  ck_assert_uint_eq(mode_of("tls-alpn-01/example.org.pem"), 0640);
}
END_TEST

}  // namespace

Suite* challenge_store_suite() {
  Suite* suite = suite_create("challenge_store");
  TCase* tcase = tcase_create("challenge_store");
  tcase_add_test(tcase, http_challenges_come_and_go);
  tcase_add_test(tcase, alpn_challenges_are_found_by_server_name);
  tcase_add_test(tcase, a_token_is_no_path);
  tcase_add_test(tcase, only_key_authorizations_are_served);
  tcase_add_test(tcase, challenges_of_the_past_are_cleared);
  tcase_add_test(tcase, httpds_group_may_read_challenges);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
