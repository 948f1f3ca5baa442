// SPDX-License-Identifier: Apache-2.0
#include "expect.h"

#include <initializer_list>
#include <vector>

#include "web/trusted_proxy.h"

namespace tlsguard::test {
namespace {

using web::IpAddress;
using web::IpBlock;

IpAddress address(std::string_view text) {
  auto parsed = IpAddress::parse(text);
  ck_assert_msg(parsed.has_value(), "%s", std::string(text).c_str());
  return *parsed;
}

Result<std::vector<IpBlock>> parse(std::initializer_list<std::string_view> arguments) {
  return web::parse_trusted_proxies(std::vector<std::string_view>(arguments));
}

bool trusts(std::initializer_list<std::string_view> arguments, std::string_view peer) {
  return web::contains(value_of(parse(arguments)), address(peer));
}

START_TEST(addresses_are_read) {
  for (std::string_view text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "example.com", "1.2.3.4 ",
                                "[::1]", "fe80::1%eth0", "::1::", "1.2.3.4/8", "g::"}) {
    ck_assert_msg(!IpAddress::parse(text), "%s", std::string(text).c_str());
  }
  ck_assert(!IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
  ck_assert(!IpAddress::parse(std::string(100, '1')));
  ck_assert(address("1.2.3.4") == address("::ffff:1.2.3.4"));
  ck_assert(address("1.2.3.4") == address("::FFFF:102:304"));
  ck_assert(address("1.2.3.4") != address("::1.2.3.4"));
  ck_assert(address("1.2.3.4").is_ipv4() && !address("::1").is_ipv4());
}
END_TEST

START_TEST(addresses_are_made_of_bytes) {
  const std::uint8_t four[] = {192, 0, 2, 1};
  ck_assert(IpAddress::from_bytes(four) == address("192.0.2.1"));
  const std::uint8_t sixteen[] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  ck_assert(IpAddress::from_bytes(sixteen) == address("2001:db8::1"));
  ck_assert(!IpAddress::from_bytes(std::span(sixteen).first(5)));
  ck_assert(!IpAddress::from_bytes({}));
}
END_TEST

START_TEST(single_addresses_match_themselves) {
  ck_assert(trusts({"192.0.2.1"}, "192.0.2.1"));
  ck_assert(!trusts({"192.0.2.1"}, "192.0.2.2"));
  ck_assert(trusts({"192.0.2.1"}, "::ffff:192.0.2.1"));
  ck_assert(trusts({"::ffff:192.0.2.1"}, "192.0.2.1"));
  ck_assert(trusts({"2001:db8::1"}, "2001:DB8:0::1"));
  ck_assert(!trusts({"2001:db8::1"}, "2001:db8::2"));
  ck_assert(trusts({"192.0.2.9", "2001:db8::9", "192.0.2.1"}, "192.0.2.1"));
  ck_assert(!web::contains({}, address("192.0.2.1")));
}
END_TEST

START_TEST(blocks_match_up_to_their_last_bit) {
  ck_assert(trusts({"10.0.0.0/8"}, "10.255.255.255"));
  ck_assert(!trusts({"10.0.0.0/8"}, "11.0.0.0"));
  ck_assert(!trusts({"10.0.0.0/8"}, "9.255.255.255"));
  ck_assert(trusts({"172.16.0.0/12"}, "172.31.255.255"));
  ck_assert(!trusts({"172.16.0.0/12"}, "172.32.0.0"));
  ck_assert(trusts({"192.0.2.4/31"}, "192.0.2.5"));
  ck_assert(!trusts({"192.0.2.4/31"}, "192.0.2.6"));
  ck_assert(trusts({"192.0.2.4/32"}, "192.0.2.4"));
  ck_assert(!trusts({"192.0.2.4/32"}, "192.0.2.5"));
  ck_assert(trusts({"2001:db8::/33"}, "2001:db8:7fff::1"));
  ck_assert(!trusts({"2001:db8::/33"}, "2001:db8:8000::1"));
  ck_assert(trusts({"2001:db8::1/128"}, "2001:db8::1"));
  ck_assert(!trusts({"2001:db8::1/128"}, "2001:db8::"));
}
END_TEST

START_TEST(bits_beyond_the_prefix_are_ignored) {
  ck_assert(trusts({"127.0.0.1/8"}, "127.9.9.9"));
  ck_assert(trusts({"2001:db8::1/32"}, "2001:db8:ffff::"));
}
END_TEST

START_TEST(the_families_stay_apart) {
  ck_assert(trusts({"0.0.0.0/0"}, "192.0.2.1"));
  ck_assert(!trusts({"0.0.0.0/0"}, "2001:db8::1"));
  ck_assert(!trusts({"0.0.0.0/0"}, "::"));
  ck_assert(trusts({"::/0"}, "2001:db8::1"));
  ck_assert(!trusts({"::/0"}, "192.0.2.1"));
  ck_assert(!trusts({"::/0"}, "::ffff:192.0.2.1"));
  ck_assert(trusts({"::ffff:0:0/96"}, "192.0.2.1"));
  ck_assert(trusts({"::ffff:10.0.0.0/104"}, "10.1.1.1"));
  ck_assert(!trusts({"::ffff:10.0.0.0/104"}, "11.1.1.1"));
  ck_assert(!trusts({"::ffff:10.0.0.0/8"}, "10.1.1.1"));
  ck_assert(trusts({"::ffff:10.0.0.0/8"}, "::1"));
}
END_TEST

START_TEST(each_prefix_length_covers_what_it_says) {
  // Flipping a bit leaves the block exactly where the bit is within the prefix.
  const std::string base = "2001:db8:5a5a:a5a5:1234:5678:9abc:def0";
  for (unsigned length = 0; length <= 128; ++length) {
    IpBlock block(address(base), length);
    for (unsigned bit = 0; bit < 128; ++bit) {
      auto bytes = address(base).bytes();
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (0x80U >> (bit % 8)));
      ck_assert_msg(block.contains(*IpAddress::from_bytes(bytes)) == (bit >= length), "%u %u",
                    length, bit);
    }
  }
}
END_TEST

START_TEST(errors_name_directive_value_and_what_is_valid) {
  for (std::string_view argument :
       {"example.com", "", "*", "10", "10.0.0", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "10.0.0.0/",
        "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "::/129", "[::1]", "fe80::1%eth0", "::1/x",
        "10.0.0.0/08x", "1.2.3.4,5.6.7.8", "1.2.3.4:80", "::ffff:1.2.3.4/129"}) {
    std::string text = error_of(parse({"192.0.2.1", argument}));
    expect_contains(text, "TLSGuardTrustedProxy: ");
    expect_contains(text, "'" + std::string(argument) + "'");
    expect_contains(text, "valid are IPv4 and IPv6 addresses and blocks");
  }
  expect_contains(error_of(parse({"10.0.0.0/33"})), "from 0 to 32");
  expect_contains(error_of(parse({"::/129"})), "from 0 to 128");
  expect_contains(error_of(parse({})), "TLSGuardTrustedProxy needs a value");
}
END_TEST

}  // namespace

Suite* trusted_proxy_suite() {
  Suite* suite = suite_create("trusted proxy");
  TCase* tests = tcase_create("addresses and blocks");
  tcase_add_test(tests, addresses_are_read);
  tcase_add_test(tests, addresses_are_made_of_bytes);
  tcase_add_test(tests, single_addresses_match_themselves);
  tcase_add_test(tests, blocks_match_up_to_their_last_bit);
  tcase_add_test(tests, bits_beyond_the_prefix_are_ignored);
  tcase_add_test(tests, the_families_stay_apart);
  tcase_add_test(tests, each_prefix_length_covers_what_it_says);
  tcase_add_test(tests, errors_name_directive_value_and_what_is_valid);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
