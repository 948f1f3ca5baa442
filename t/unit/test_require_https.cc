// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <string>

#include "web/require_https.h"

namespace tlsguard::test {
namespace {

using web::ClearRequest;
using web::decide_clear;
using web::https_location;
using web::Pass;
using web::Redirect;
using web::Refuse;
using web::RequireHttps;

constexpr RequireHttps all_settings[] = {RequireHttps::off, RequireHttps::temporary,
                                         RequireHttps::permanent, RequireHttps::refuse};

ClearRequest request(RequireHttps setting) {
  ClearRequest clear;
  clear.setting = setting;
  clear.method = "GET";
  clear.host = "www.example.com";
  clear.target = "/path?query";
  clear.tls_host_exists = true;
  return clear;
}

bool passes(const ClearRequest& clear) { return std::holds_alternative<Pass>(decide_clear(clear)); }
bool refused(const ClearRequest& clear) {
  return std::holds_alternative<Refuse>(decide_clear(clear));
}
int redirect_status(const ClearRequest& clear) {
  auto decision = decide_clear(clear);
  auto* redirect = std::get_if<Redirect>(&decision);
  return redirect != nullptr ? redirect->status : 0;
}

std::string location(std::string_view host, std::uint16_t port, std::string_view target) {
  auto made = https_location(host, port, target);
  ck_assert_msg(made.has_value(), "%s %s", std::string(host).c_str(), std::string(target).c_str());
  return *made;
}

START_TEST(arguments_are_read) {
  for (RequireHttps setting : all_settings) {
    auto name = web::require_https_name(setting);
    ck_assert(value_of(web::parse_require_https(name)) == setting);
  }
  expect_text(web::require_https_name(RequireHttps::permanent), "permanent");
  ck_assert(value_of(web::parse_require_https("Refuse")) == RequireHttps::refuse);
  for (std::string_view argument : {"", "on", "redirect", "301", "temporary "}) {
    expect_text(error_of(web::parse_require_https(argument)),
                "TLSGuardRequireHTTPS: '" + std::string(argument) +
                    "' is not known: valid are off, temporary, permanent and refuse");
  }
}
END_TEST

START_TEST(the_stricter_of_two_wins_whatever_the_order) {
  for (RequireHttps a : all_settings) {
    ck_assert(web::stricter(a, a) == a);
    ck_assert(web::stricter(a, RequireHttps::off) == a);
    ck_assert(web::stricter(a, RequireHttps::refuse) == RequireHttps::refuse);
    for (RequireHttps b : all_settings) ck_assert(web::stricter(a, b) == web::stricter(b, a));
  }
  ck_assert(web::stricter(RequireHttps::temporary, RequireHttps::permanent) ==
            RequireHttps::permanent);
}
END_TEST

START_TEST(the_method_survives_the_redirect) {
  for (const char* method : {"GET", "HEAD"}) {
    auto clear = request(RequireHttps::temporary);
    clear.method = method;
    ck_assert_int_eq(redirect_status(clear), 302);
    clear.setting = RequireHttps::permanent;
    ck_assert_int_eq(redirect_status(clear), 301);
  }
  for (const char* method :
       {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "GETX", ""}) {
    auto clear = request(RequireHttps::temporary);
    clear.method = method;
    ck_assert_int_eq(redirect_status(clear), 307);
    clear.setting = RequireHttps::permanent;
    ck_assert_int_eq(redirect_status(clear), 308);
  }
}
END_TEST

START_TEST(the_redirect_names_host_port_and_path) {
  auto clear = request(RequireHttps::permanent);
  clear.port = 8443;
  ck_assert((decide_clear(clear) ==
             web::ClearDecision(Redirect{301, "https://www.example.com:8443/path?query"})));
}
END_TEST

START_TEST(off_passes_and_refuse_refuses) {
  ck_assert(passes(request(RequireHttps::off)));
  ck_assert(refused(request(RequireHttps::refuse)));
  ck_assert_int_eq(Refuse::status, 403);
  expect_text(Refuse::cache_control, "no-store");
}
END_TEST

START_TEST(no_redirect_to_a_placeholder_or_to_nowhere) {
  for (RequireHttps setting : {RequireHttps::temporary, RequireHttps::permanent}) {
    auto clear = request(setting);
    clear.placeholder = true;
    ck_assert(passes(clear));
    clear.trusted_proxy = true;
    ck_assert(passes(clear));
    clear = request(setting);
    clear.tls_host_exists = false;
    ck_assert(passes(clear));
    clear.trusted_proxy = true;
    ck_assert_int_ne(redirect_status(clear), 0);
  }
}
END_TEST

START_TEST(refuse_needs_no_certificate_and_no_host) {
  auto clear = request(RequireHttps::refuse);
  clear.placeholder = true;
  clear.tls_host_exists = false;
  ck_assert(refused(clear));
  clear.host = "";
  clear.target = "";
  clear.method = "CONNECT";
  ck_assert(refused(clear));
}
END_TEST

START_TEST(challenges_and_health_checks_pass) {
  for (RequireHttps setting : all_settings) {
    auto clear = request(setting);
    clear.pending_challenge = true;
    ck_assert(passes(clear));
    clear = request(setting);
    clear.plain_wanted = true;
    ck_assert(passes(clear));
  }
}
END_TEST

START_TEST(connect_names_nothing_to_redirect_to) {
  auto clear = request(RequireHttps::permanent);
  clear.method = "CONNECT";
  clear.target = "www.example.com:443";
  ck_assert(passes(clear));
}
END_TEST

START_TEST(what_makes_no_url_is_not_served_in_clear) {
  auto clear = request(RequireHttps::temporary);
  clear.host = "evil\r\nX: y";
  ck_assert(refused(clear));
  clear = request(RequireHttps::temporary);
  clear.target = "no-slash";
  ck_assert(refused(clear));
}
END_TEST

START_TEST(hosts_are_normalised) {
  expect_text(location("WWW.Example.COM", 443, "/"), "https://www.example.com/");
  expect_text(location("www.example.com.", 443, "/"), "https://www.example.com./");
  expect_text(location("a_b-c.example", 80, "/"), "https://a_b-c.example:80/");
  expect_text(location("localhost", 8443, "/"), "https://localhost:8443/");
  expect_text(location("192.0.2.1", 443, "/"), "https://192.0.2.1/");
  expect_text(location("2001:DB8::1", 443, "/"), "https://[2001:db8::1]/");
  expect_text(location("[2001:db8::1]", 8443, "/x"), "https://[2001:db8::1]:8443/x");
  expect_text(location(std::string(63, 'a') + ".example", 443, "/"),
              "https://" + std::string(63, 'a') + ".example/");
}
END_TEST

START_TEST(hosts_that_are_none_give_no_url) {
  for (const char* host : {"",
                           ".",
                           "..",
                           ".example.com",
                           "a..b",
                           "a..",
                           "example.com:80",
                           "user@example.com",
                           "a/b",
                           "a\\b",
                           "a b",
                           "a\tb",
                           "a\rb",
                           "a\nb",
                           "a%2eb",
                           "a,b",
                           "a?b",
                           "a#b",
                           "*.example.com",
                           "[",
                           "[]",
                           "[::1",
                           "::1]",
                           "[example.com]",
                           "[fe80::1%25eth0]",
                           "fe80::1%eth0",
                           "[::1]:80",
                           "1::2::3",
                           "\xc3\xbc.example",
                           "a\x7f",
                           "a\"b",
                           "a<b>",
                           "example.com\r\nSet-Cookie: a=b"}) {
    ck_assert_msg(!https_location(host, 443, "/"), "%s", host);
  }
  ck_assert(!https_location(std::string_view("a\0b", 3), 443, "/"));
  ck_assert(!https_location(std::string(64, 'a') + ".example", 443, "/"));
  std::string long_name;
  while (long_name.size() < 253) long_name += "a.";
  ck_assert(!https_location(long_name + "b", 443, "/"));
  ck_assert(!https_location(long_name.substr(0, 252) + "bc", 443, "/"));
  ck_assert(https_location(long_name.substr(0, 253), 443, "/").has_value());
}
END_TEST

START_TEST(origin_form_is_kept) {
  for (const char* target :
       {"/", "/a/b", "/a?b=c&d", "/?", "/??", "/a//b/../c", "//evil.example/x", "/%41%zz%",
        "/a:b@c", "/~user/!$&'()*+,;=", "/[x]", "/http://other.example/"}) {
    expect_text(location("h.example", 443, target), std::string("https://h.example") + target);
  }
}
END_TEST

START_TEST(odd_bytes_are_encoded) {
  expect_text(location("h.example", 443, "/a b\"<>^`{|}\\c"),
              "https://h.example/a%20b%22%3C%3E%5E%60%7B%7C%7D%5Cc");
  expect_text(location("h.example", 443, "/\r\nSet-Cookie: a=b"),
              "https://h.example/%0D%0ASet-Cookie:%20a=b");
  expect_text(location("h.example", 443, "/\xc3\xa4?\xff\x7f\x01"),
              "https://h.example/%C3%A4?%FF%7F%01");
  expect_text(location("h.example", 443, std::string_view("/a\0b", 4)), "https://h.example/a%00b");
  expect_text(location("h.example", 443, "/\\evil.example"), "https://h.example/%5Cevil.example");
}
END_TEST

START_TEST(fragments_are_dropped) {
  expect_text(location("h.example", 443, "/a?b#c"), "https://h.example/a?b");
  expect_text(location("h.example", 443, "/#"), "https://h.example/");
  expect_text(location("h.example", 443, "/a#b?c#d"), "https://h.example/a");
  expect_text(location("h.example", 443, "http://other.example#/x"), "https://h.example/");
}
END_TEST

START_TEST(absolute_form_loses_scheme_and_authority) {
  expect_text(location("h.example", 443, "http://h.example/a?b"), "https://h.example/a?b");
  expect_text(location("h.example", 8443, "HTTP://H.example:8080/a"), "https://h.example:8443/a");
  expect_text(location("h.example", 443, "https://user:pw@other.example/a"), "https://h.example/a");
  expect_text(location("h.example", 443, "http://h.example"), "https://h.example/");
  expect_text(location("h.example", 443, "http://h.example?q"), "https://h.example/?q");
  expect_text(location("h.example", 443, "http://[::1]:80/a"), "https://h.example/a");
  expect_text(location("h.example", 443, "http:///a"), "https://h.example/a");
  expect_text(location("h.example", 443, "x+y-z.1://h/a"), "https://h.example/a");
}
END_TEST

START_TEST(options_star_has_no_path) {
  expect_text(location("h.example", 443, "*"), "https://h.example");
  expect_text(location("h.example", 8443, "*"), "https://h.example:8443");
}
END_TEST

START_TEST(targets_that_are_none_give_no_url) {
  for (const char* target : {"", "a", "#", "h.example:443", "h.example:443/a", "://x/", "a b://x/",
                             "**", "*x", "?q", "http:/a", "javascript:alert(1)", "\\/x"}) {
    ck_assert_msg(!https_location("h.example", 443, target), "%s", target);
  }
}
END_TEST

}  // namespace

Suite* require_https_suite() {
  Suite* suite = suite_create("require HTTPS");
  TCase* decision = tcase_create("decision");
  tcase_add_test(decision, arguments_are_read);
  tcase_add_test(decision, the_stricter_of_two_wins_whatever_the_order);
  tcase_add_test(decision, the_method_survives_the_redirect);
  tcase_add_test(decision, the_redirect_names_host_port_and_path);
  tcase_add_test(decision, off_passes_and_refuse_refuses);
  tcase_add_test(decision, no_redirect_to_a_placeholder_or_to_nowhere);
  tcase_add_test(decision, refuse_needs_no_certificate_and_no_host);
  tcase_add_test(decision, challenges_and_health_checks_pass);
  tcase_add_test(decision, connect_names_nothing_to_redirect_to);
  tcase_add_test(decision, what_makes_no_url_is_not_served_in_clear);
  suite_add_tcase(suite, decision);
  TCase* url = tcase_create("location");
  tcase_add_test(url, hosts_are_normalised);
  tcase_add_test(url, hosts_that_are_none_give_no_url);
  tcase_add_test(url, origin_form_is_kept);
  tcase_add_test(url, odd_bytes_are_encoded);
  tcase_add_test(url, fragments_are_dropped);
  tcase_add_test(url, absolute_form_loses_scheme_and_authority);
  tcase_add_test(url, options_star_has_no_path);
  tcase_add_test(url, targets_that_are_none_give_no_url);
  suite_add_tcase(suite, url);
  return suite;
}

}  // namespace tlsguard::test
