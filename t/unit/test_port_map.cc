// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <initializer_list>
#include <vector>

#include "web/port_map.h"

namespace tlsguard::test {
namespace {

using web::PortMap;

Result<PortMap> parse(std::initializer_list<std::string_view> arguments) {
  return web::parse_port_map(std::vector<std::string_view>(arguments));
}

START_TEST(what_is_not_said_keeps_its_default) {
  ck_assert(PortMap{}.http == 80 && PortMap{}.https == 443);
  ck_assert((value_of(parse({"http:8080"})) == PortMap{8080, 443}));
  ck_assert((value_of(parse({"https:8443"})) == PortMap{80, 8443}));
  ck_assert((value_of(parse({"https:8443", "http:8080"})) == PortMap{8080, 8443}));
  ck_assert((value_of(parse({"HTTP:1", "Https:65535"})) == PortMap{1, 65535}));
  ck_assert((value_of(parse({"http:-", "https:-"})) == PortMap{std::nullopt, std::nullopt}));
}
END_TEST

START_TEST(errors_name_directive_value_and_what_is_valid) {
  for (std::string_view argument :
       {"http", "https", "", ":", "8080", "ftp:21", "http:", "http:0", "http:65536", "http:-1",
        "http:+1", "http:80x", "http: 80", "http:--", "https:99999999999999999999", "http:80:80",
        "http=80", "http:80,https:443"}) {
    std::string text = error_of(parse({argument}));
    expect_contains(text, "TLSGuardPortMap");
    expect_contains(text, "'" + std::string(argument) + "'");
    expect_contains(text, "valid are http:port and https:port");
  }
  expect_contains(error_of(parse({"http:80", "http:81"})), "'http:81': http is there twice");
  expect_contains(error_of(parse({"https:-", "https:-"})), "'https:-': https is there twice");
  expect_contains(error_of(parse({})), "TLSGuardPortMap needs a value");
}
END_TEST

START_TEST(the_redirect_goes_to_the_port_of_the_outside) {
  PortMap map = value_of(parse({"https:8443"}));
  ck_assert_uint_eq(web::redirect_port(std::nullopt, 8443, map), 443);
  ck_assert_uint_eq(web::redirect_port(std::nullopt, 9443, map), 9443);
  ck_assert_uint_eq(web::redirect_port(std::nullopt, 443, map), 443);
  ck_assert_uint_eq(web::redirect_port(4443, 8443, map), 4443);
  PortMap unreachable = value_of(parse({"https:-"}));
  ck_assert_uint_eq(web::redirect_port(std::nullopt, 8443, unreachable), 8443);
  ck_assert_uint_eq(web::redirect_port(std::nullopt, 8443, PortMap{}), 8443);
  ck_assert_uint_eq(web::redirect_port(std::nullopt, 443, PortMap{}), 443);
}
END_TEST

}  // namespace

Suite* port_map_suite() {
  Suite* suite = suite_create("port map");
  TCase* tests = tcase_create("port map");
  tcase_add_test(tests, what_is_not_said_keeps_its_default);
  tcase_add_test(tests, errors_name_directive_value_and_what_is_valid);
  tcase_add_test(tests, the_redirect_goes_to_the_port_of_the_outside);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
