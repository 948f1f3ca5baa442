// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <string>

#include "web/forwarded.h"

namespace tlsguard::test {
namespace {

using web::came_secure;
using web::forwarded_scheme;
using web::ForwardedScheme;

void expect_x_proto(std::string_view value, ForwardedScheme wanted) {
  ck_assert_msg(forwarded_scheme(value, std::nullopt) == wanted, "X-Forwarded-Proto: %s",
                std::string(value).c_str());
}

void expect_forwarded(std::string_view value, ForwardedScheme wanted) {
  ck_assert_msg(forwarded_scheme(std::nullopt, value) == wanted, "Forwarded: %s",
                std::string(value).c_str());
}

START_TEST(x_forwarded_proto_of_https_only) {
  for (const char* value : {"https", "HTTPS", "  https\t", "https,https", "https , Https"}) {
    expect_x_proto(value, ForwardedScheme::https);
  }
}
END_TEST

START_TEST(any_other_x_forwarded_proto_is_clear) {
  for (const char* value : {"",          " ",          "http",          "httpss",
                            "http s",    "https http", "https, http",   "http, https",
                            "https,",    ",https",     "https,,https",  "https;",
                            "\"https\"", "https/1.1",  "https:",        "wss",
                            "on",        "https\n",    "https\r\nX: y", "https\x01",
                            "\xffhttps"}) {
    expect_x_proto(value, ForwardedScheme::clear);
  }
  expect_x_proto(std::string_view("https\0", 6), ForwardedScheme::clear);
}
END_TEST

START_TEST(forwarded_of_https_only) {
  for (const char* value :
       {"proto=https", "Proto=HTTPS", "proto=\"https\"", "proto=\"h\\ttps\"",
        "for=192.0.2.60;proto=https;by=203.0.113.43", "for=192.0.2.43; proto=https", "proto=https;",
        ";proto=https", "proto=https,for=\"[2001:db8::1]:80\";proto=https",
        " proto=https , proto=https ", "for=\"a,b;proto=http\\\"\";proto=https",
        "for=_hidden;secret=x;proto=https", "host=\"\xc3\xa4\";proto=https",
        "for=\"\";proto=https"}) {
    expect_forwarded(value, ForwardedScheme::https);
  }
}
END_TEST

START_TEST(any_other_forwarded_is_clear) {
  for (const char* value :
       {// in clear, or not said
        "", "for=192.0.2.43", "proto=http", "proto=https, proto=http", "proto=http,proto=https",
        "proto=https, for=192.0.2.43", "for=192.0.2.43, proto=https", "proto=\"https,http\"",
        "proto=httpsx", "proto=\"https \"", "proto=\"httpsx\"", "proto=\"http\"", "for=https",
        "for=\"proto=https\"", "xproto=https", "proto=wss",
        // RFC 7239 4: each parameter once
        "proto=https;proto=https", "proto=https;proto=http", "proto=http;proto=https",
        // malformed
        "https", "proto", "proto=", "for=;proto=https", "=https", "proto==https", "proto =https",
        "proto= https", "proto=https,", ",proto=https", "proto=https,,proto=https",
        "proto=https for=x", "proto=\"https", "proto=\"https\\", "proto=https\"",
        "proto=\"https\"x", "for=[2001:db8::1];proto=https", "for=192.0.2.1:80;proto=https",
        "proto=https;by", "for=\"\x01\";proto=https", "for=\"\x7f\";proto=https", "proto=https\r\n",
        "f(r=x;proto=https", "for=\xc3\xa4;proto=https"}) {
    expect_forwarded(value, ForwardedScheme::clear);
  }
  expect_forwarded(std::string_view("proto=https\0", 12), ForwardedScheme::clear);
  expect_forwarded(std::string_view("for=\"\0\";proto=https", 19), ForwardedScheme::clear);
}
END_TEST

START_TEST(both_fields_must_agree) {
  ck_assert(forwarded_scheme("https", "proto=https") == ForwardedScheme::https);
  ck_assert(forwarded_scheme("https", "proto=http") == ForwardedScheme::clear);
  ck_assert(forwarded_scheme("http", "proto=https") == ForwardedScheme::clear);
  ck_assert(forwarded_scheme("https", "for=192.0.2.1") == ForwardedScheme::clear);
  ck_assert(forwarded_scheme("https", "") == ForwardedScheme::clear);
  ck_assert(forwarded_scheme("", "proto=https") == ForwardedScheme::clear);
  ck_assert(forwarded_scheme(std::nullopt, std::nullopt) == ForwardedScheme::absent);
}
END_TEST

START_TEST(long_values_are_clear) {
  std::string list = "https";
  while (list.size() + 6 <= 8192) list += ",https";
  expect_x_proto(list, ForwardedScheme::https);
  expect_x_proto(list + std::string(8192 - list.size(), ' '), ForwardedScheme::https);
  expect_x_proto(list + std::string(8193 - list.size(), ' '), ForwardedScheme::clear);
  expect_forwarded("proto=https;x=" + std::string(8178, 'y'), ForwardedScheme::https);
  expect_forwarded("proto=https;x=" + std::string(8179, 'y'), ForwardedScheme::clear);
}
END_TEST

START_TEST(only_a_trusted_peers_word_counts) {
  for (bool tls : {false, true}) {
    ck_assert(came_secure(tls, false, ForwardedScheme::https) == tls);
    ck_assert(came_secure(tls, false, ForwardedScheme::clear) == tls);
    ck_assert(came_secure(tls, false, ForwardedScheme::absent) == tls);
    ck_assert(came_secure(tls, true, ForwardedScheme::https));
    ck_assert(!came_secure(tls, true, ForwardedScheme::clear));
    ck_assert(came_secure(tls, true, ForwardedScheme::absent) == tls);
  }
}
END_TEST

}  // namespace

Suite* forwarded_suite() {
  Suite* suite = suite_create("forwarded");
  TCase* tests = tcase_create("X-Forwarded-Proto and Forwarded");
  tcase_add_test(tests, x_forwarded_proto_of_https_only);
  tcase_add_test(tests, any_other_x_forwarded_proto_is_clear);
  tcase_add_test(tests, forwarded_of_https_only);
  tcase_add_test(tests, any_other_forwarded_is_clear);
  tcase_add_test(tests, both_fields_must_agree);
  tcase_add_test(tests, long_values_are_clear);
  tcase_add_test(tests, only_a_trusted_peers_word_counts);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
