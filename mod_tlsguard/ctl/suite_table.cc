// SPDX-License-Identifier: Apache-2.0
#include "ctl/suite_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tlsguard::ctl {
namespace {

using A = hello::Authentication;
using K = hello::KeyExchange;
constexpr Protocol S3 = Protocol::ssl3;
constexpr Protocol T10 = Protocol::tls1_0;
constexpr Protocol T11 = Protocol::tls1_1;
constexpr Protocol T12 = Protocol::tls1_2;
constexpr Protocol T13 = Protocol::tls1_3;

// clang-format off: one suite a line, ordered by id.
constexpr std::array<Suite, 169> table{{
    {0x0001, "NULL-MD5", S3, T12, K::rsa, A::rsa, 0, false},
    {0x0002, "NULL-SHA", S3, T12, K::rsa, A::rsa, 0, false},
    {0x0003, "EXP-RC4-MD5", S3, T10, K::rsa, A::rsa, 40, false},
    {0x0004, "RC4-MD5", S3, T12, K::rsa, A::rsa, 128, false},
    {0x0005, "RC4-SHA", S3, T12, K::rsa, A::rsa, 128, false},
    {0x0006, "EXP-RC2-CBC-MD5", S3, T10, K::rsa, A::rsa, 40, false},
    {0x0007, "IDEA-CBC-SHA", S3, T11, K::rsa, A::rsa, 128, false},
    {0x0008, "EXP-DES-CBC-SHA", S3, T10, K::rsa, A::rsa, 40, false},
    {0x0009, "DES-CBC-SHA", S3, T11, K::rsa, A::rsa, 56, false},
    {0x000a, "DES-CBC3-SHA", S3, T12, K::rsa, A::rsa, 112, false},
    {0x0011, "EXP-EDH-DSS-DES-CBC-SHA", S3, T10, K::dhe, A::other, 40, false},
    {0x0012, "EDH-DSS-DES-CBC-SHA", S3, T11, K::dhe, A::other, 56, false},
    {0x0013, "DHE-DSS-DES-CBC3-SHA", S3, T12, K::dhe, A::other, 112, false},
    {0x0014, "EXP-EDH-RSA-DES-CBC-SHA", S3, T10, K::dhe, A::rsa, 40, false},
    {0x0015, "EDH-RSA-DES-CBC-SHA", S3, T11, K::dhe, A::rsa, 56, false},
    {0x0016, "DHE-RSA-DES-CBC3-SHA", S3, T12, K::dhe, A::rsa, 112, false},
    {0x0017, "EXP-ADH-RC4-MD5", S3, T10, K::dhe, A::none, 40, false},
    {0x0018, "ADH-RC4-MD5", S3, T12, K::dhe, A::none, 128, false},
    {0x0019, "EXP-ADH-DES-CBC-SHA", S3, T10, K::dhe, A::none, 40, false},
    {0x001a, "ADH-DES-CBC-SHA", S3, T11, K::dhe, A::none, 56, false},
    {0x001b, "ADH-DES-CBC3-SHA", S3, T12, K::dhe, A::none, 112, false},
    {0x002f, "AES128-SHA", S3, T12, K::rsa, A::rsa, 128, false},
    {0x0032, "DHE-DSS-AES128-SHA", S3, T12, K::dhe, A::other, 128, false},
    {0x0033, "DHE-RSA-AES128-SHA", S3, T12, K::dhe, A::rsa, 128, false},
    {0x0034, "ADH-AES128-SHA", S3, T12, K::dhe, A::none, 128, false},
    {0x0035, "AES256-SHA", S3, T12, K::rsa, A::rsa, 256, false},
    {0x0038, "DHE-DSS-AES256-SHA", S3, T12, K::dhe, A::other, 256, false},
    {0x0039, "DHE-RSA-AES256-SHA", S3, T12, K::dhe, A::rsa, 256, false},
    {0x003a, "ADH-AES256-SHA", S3, T12, K::dhe, A::none, 256, false},
    {0x003b, "NULL-SHA256", T12, T12, K::rsa, A::rsa, 0, false},
    {0x003c, "AES128-SHA256", T12, T12, K::rsa, A::rsa, 128, false},
    {0x003d, "AES256-SHA256", T12, T12, K::rsa, A::rsa, 256, false},
    {0x0040, "DHE-DSS-AES128-SHA256", T12, T12, K::dhe, A::other, 128, false},
    {0x0041, "CAMELLIA128-SHA", S3, T12, K::rsa, A::rsa, 128, false},
    {0x0044, "DHE-DSS-CAMELLIA128-SHA", S3, T12, K::dhe, A::other, 128, false},
    {0x0045, "DHE-RSA-CAMELLIA128-SHA", S3, T12, K::dhe, A::rsa, 128, false},
    {0x0046, "ADH-CAMELLIA128-SHA", S3, T12, K::dhe, A::none, 128, false},
    {0x0062, "EXP1024-DES-CBC-SHA", S3, T10, K::rsa, A::rsa, 56, false},
    {0x0063, "EXP1024-DHE-DSS-DES-CBC-SHA", S3, T10, K::dhe, A::other, 56, false},
    {0x0064, "EXP1024-RC4-SHA", S3, T10, K::rsa, A::rsa, 56, false},
    {0x0065, "EXP1024-DHE-DSS-RC4-SHA", S3, T10, K::dhe, A::other, 56, false},
    {0x0066, "DHE-DSS-RC4-SHA", S3, T12, K::dhe, A::other, 128, false},
    {0x0067, "DHE-RSA-AES128-SHA256", T12, T12, K::dhe, A::rsa, 128, false},
    {0x006a, "DHE-DSS-AES256-SHA256", T12, T12, K::dhe, A::other, 256, false},
    {0x006b, "DHE-RSA-AES256-SHA256", T12, T12, K::dhe, A::rsa, 256, false},
    {0x006c, "ADH-AES128-SHA256", T12, T12, K::dhe, A::none, 128, false},
    {0x006d, "ADH-AES256-SHA256", T12, T12, K::dhe, A::none, 256, false},
    {0x0081, "GOST2001-GOST89-GOST89", S3, T12, K::other, A::other, 256, false},
    {0x0084, "CAMELLIA256-SHA", S3, T12, K::rsa, A::rsa, 256, false},
    {0x0087, "DHE-DSS-CAMELLIA256-SHA", S3, T12, K::dhe, A::other, 256, false},
    {0x0088, "DHE-RSA-CAMELLIA256-SHA", S3, T12, K::dhe, A::rsa, 256, false},
    {0x0089, "ADH-CAMELLIA256-SHA", S3, T12, K::dhe, A::none, 256, false},
    {0x0096, "SEED-SHA", S3, T12, K::rsa, A::rsa, 128, false},
    {0x0099, "DHE-DSS-SEED-SHA", S3, T12, K::dhe, A::other, 128, false},
    {0x009a, "DHE-RSA-SEED-SHA", S3, T12, K::dhe, A::rsa, 128, false},
    {0x009b, "ADH-SEED-SHA", S3, T12, K::dhe, A::none, 128, false},
    {0x009c, "AES128-GCM-SHA256", T12, T12, K::rsa, A::rsa, 128, true},
    {0x009d, "AES256-GCM-SHA384", T12, T12, K::rsa, A::rsa, 256, true},
    {0x009e, "DHE-RSA-AES128-GCM-SHA256", T12, T12, K::dhe, A::rsa, 128, true},
    {0x009f, "DHE-RSA-AES256-GCM-SHA384", T12, T12, K::dhe, A::rsa, 256, true},
    {0x00a2, "DHE-DSS-AES128-GCM-SHA256", T12, T12, K::dhe, A::other, 128, true},
    {0x00a3, "DHE-DSS-AES256-GCM-SHA384", T12, T12, K::dhe, A::other, 256, true},
    {0x00a6, "ADH-AES128-GCM-SHA256", T12, T12, K::dhe, A::none, 128, true},
    {0x00a7, "ADH-AES256-GCM-SHA384", T12, T12, K::dhe, A::none, 256, true},
    {0x00ba, "CAMELLIA128-SHA256", T12, T12, K::rsa, A::rsa, 128, false},
    {0x00bd, "DHE-DSS-CAMELLIA128-SHA256", T12, T12, K::dhe, A::other, 128, false},
    {0x00be, "DHE-RSA-CAMELLIA128-SHA256", T12, T12, K::dhe, A::rsa, 128, false},
    {0x00bf, "ADH-CAMELLIA128-SHA256", T12, T12, K::dhe, A::none, 128, false},
    {0x00c0, "CAMELLIA256-SHA256", T12, T12, K::rsa, A::rsa, 256, false},
    {0x00c3, "DHE-DSS-CAMELLIA256-SHA256", T12, T12, K::dhe, A::other, 256, false},
    {0x00c4, "DHE-RSA-CAMELLIA256-SHA256", T12, T12, K::dhe, A::rsa, 256, false},
    {0x00c5, "ADH-CAMELLIA256-SHA256", T12, T12, K::dhe, A::none, 256, false},
    {0x00c6, "TLS_SM4_GCM_SM3", T13, T13, K::any, A::any, 128, true},
    {0x00c7, "TLS_SM4_CCM_SM3", T13, T13, K::any, A::any, 128, true},
    {0x1301, "TLS_AES_128_GCM_SHA256", T13, T13, K::any, A::any, 128, true},
    {0x1302, "TLS_AES_256_GCM_SHA384", T13, T13, K::any, A::any, 256, true},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", T13, T13, K::any, A::any, 256, true},
    {0x1304, "TLS_AES_128_CCM_SHA256", T13, T13, K::any, A::any, 128, true},
    {0x1305, "TLS_AES_128_CCM_8_SHA256", T13, T13, K::any, A::any, 128, true},
    {0xc001, "ECDH-ECDSA-NULL-SHA", T10, T12, K::other, A::ecdsa, 0, false},
    {0xc002, "ECDH-ECDSA-RC4-SHA", T10, T12, K::other, A::ecdsa, 128, false},
    {0xc003, "ECDH-ECDSA-DES-CBC3-SHA", T10, T12, K::other, A::ecdsa, 112, false},
    {0xc004, "ECDH-ECDSA-AES128-SHA", T10, T12, K::other, A::ecdsa, 128, false},
    {0xc005, "ECDH-ECDSA-AES256-SHA", T10, T12, K::other, A::ecdsa, 256, false},
    {0xc006, "ECDHE-ECDSA-NULL-SHA", T10, T12, K::ecdhe, A::ecdsa, 0, false},
    {0xc007, "ECDHE-ECDSA-RC4-SHA", T10, T12, K::ecdhe, A::ecdsa, 128, false},
    {0xc008, "ECDHE-ECDSA-DES-CBC3-SHA", T10, T12, K::ecdhe, A::ecdsa, 112, false},
    {0xc009, "ECDHE-ECDSA-AES128-SHA", T10, T12, K::ecdhe, A::ecdsa, 128, false},
    {0xc00a, "ECDHE-ECDSA-AES256-SHA", T10, T12, K::ecdhe, A::ecdsa, 256, false},
    {0xc00b, "ECDH-RSA-NULL-SHA", T10, T12, K::other, A::rsa, 0, false},
    {0xc00c, "ECDH-RSA-RC4-SHA", T10, T12, K::other, A::rsa, 128, false},
    {0xc00d, "ECDH-RSA-DES-CBC3-SHA", T10, T12, K::other, A::rsa, 112, false},
    {0xc00e, "ECDH-RSA-AES128-SHA", T10, T12, K::other, A::rsa, 128, false},
    {0xc00f, "ECDH-RSA-AES256-SHA", T10, T12, K::other, A::rsa, 256, false},
    {0xc010, "ECDHE-RSA-NULL-SHA", T10, T12, K::ecdhe, A::rsa, 0, false},
    {0xc011, "ECDHE-RSA-RC4-SHA", T10, T12, K::ecdhe, A::rsa, 128, false},
    {0xc012, "ECDHE-RSA-DES-CBC3-SHA", T10, T12, K::ecdhe, A::rsa, 112, false},
    {0xc013, "ECDHE-RSA-AES128-SHA", T10, T12, K::ecdhe, A::rsa, 128, false},
    {0xc014, "ECDHE-RSA-AES256-SHA", T10, T12, K::ecdhe, A::rsa, 256, false},
    {0xc015, "AECDH-NULL-SHA", T10, T12, K::ecdhe, A::none, 0, false},
    {0xc016, "AECDH-RC4-SHA", T10, T12, K::ecdhe, A::none, 128, false},
    {0xc017, "AECDH-DES-CBC3-SHA", T10, T12, K::ecdhe, A::none, 112, false},
    {0xc018, "AECDH-AES128-SHA", T10, T12, K::ecdhe, A::none, 128, false},
    {0xc019, "AECDH-AES256-SHA", T10, T12, K::ecdhe, A::none, 256, false},
    {0xc023, "ECDHE-ECDSA-AES128-SHA256", T12, T12, K::ecdhe, A::ecdsa, 128, false},
    {0xc024, "ECDHE-ECDSA-AES256-SHA384", T12, T12, K::ecdhe, A::ecdsa, 256, false},
    {0xc025, "ECDH-ECDSA-AES128-SHA256", T12, T12, K::other, A::ecdsa, 128, false},
    {0xc026, "ECDH-ECDSA-AES256-SHA384", T12, T12, K::other, A::ecdsa, 256, false},
    {0xc027, "ECDHE-RSA-AES128-SHA256", T12, T12, K::ecdhe, A::rsa, 128, false},
    {0xc028, "ECDHE-RSA-AES256-SHA384", T12, T12, K::ecdhe, A::rsa, 256, false},
    {0xc029, "ECDH-RSA-AES128-SHA256", T12, T12, K::other, A::rsa, 128, false},
    {0xc02a, "ECDH-RSA-AES256-SHA384", T12, T12, K::other, A::rsa, 256, false},
    {0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256", T12, T12, K::ecdhe, A::ecdsa, 128, true},
    {0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384", T12, T12, K::ecdhe, A::ecdsa, 256, true},
    {0xc02d, "ECDH-ECDSA-AES128-GCM-SHA256", T12, T12, K::other, A::ecdsa, 128, true},
    {0xc02e, "ECDH-ECDSA-AES256-GCM-SHA384", T12, T12, K::other, A::ecdsa, 256, true},
    {0xc02f, "ECDHE-RSA-AES128-GCM-SHA256", T12, T12, K::ecdhe, A::rsa, 128, true},
    {0xc030, "ECDHE-RSA-AES256-GCM-SHA384", T12, T12, K::ecdhe, A::rsa, 256, true},
    {0xc031, "ECDH-RSA-AES128-GCM-SHA256", T12, T12, K::other, A::rsa, 128, true},
    {0xc032, "ECDH-RSA-AES256-GCM-SHA384", T12, T12, K::other, A::rsa, 256, true},
    {0xc03c, "TLS_RSA_WITH_ARIA_128_CBC_SHA256", T12, T12, K::rsa, A::rsa, 128, false},
    {0xc03d, "TLS_RSA_WITH_ARIA_256_CBC_SHA384", T12, T12, K::rsa, A::rsa, 256, false},
    {0xc044, "TLS_DHE_RSA_WITH_ARIA_128_CBC_SHA256", T12, T12, K::dhe, A::rsa, 128, false},
    {0xc045, "TLS_DHE_RSA_WITH_ARIA_256_CBC_SHA384", T12, T12, K::dhe, A::rsa, 256, false},
    {0xc048, "TLS_ECDHE_ECDSA_WITH_ARIA_128_CBC_SHA256", T12, T12, K::ecdhe, A::ecdsa, 128, false},
    {0xc049, "TLS_ECDHE_ECDSA_WITH_ARIA_256_CBC_SHA384", T12, T12, K::ecdhe, A::ecdsa, 256, false},
    {0xc04c, "TLS_ECDHE_RSA_WITH_ARIA_128_CBC_SHA256", T12, T12, K::ecdhe, A::rsa, 128, false},
    {0xc04d, "TLS_ECDHE_RSA_WITH_ARIA_256_CBC_SHA384", T12, T12, K::ecdhe, A::rsa, 256, false},
    {0xc050, "ARIA128-GCM-SHA256", T12, T12, K::rsa, A::rsa, 128, true},
    {0xc051, "ARIA256-GCM-SHA384", T12, T12, K::rsa, A::rsa, 256, true},
    {0xc052, "DHE-RSA-ARIA128-GCM-SHA256", T12, T12, K::dhe, A::rsa, 128, true},
    {0xc053, "DHE-RSA-ARIA256-GCM-SHA384", T12, T12, K::dhe, A::rsa, 256, true},
    {0xc056, "DHE-DSS-ARIA128-GCM-SHA256", T12, T12, K::dhe, A::other, 128, true},
    {0xc057, "DHE-DSS-ARIA256-GCM-SHA384", T12, T12, K::dhe, A::other, 256, true},
    {0xc05c, "ECDHE-ECDSA-ARIA128-GCM-SHA256", T12, T12, K::ecdhe, A::ecdsa, 128, true},
    {0xc05d, "ECDHE-ECDSA-ARIA256-GCM-SHA384", T12, T12, K::ecdhe, A::ecdsa, 256, true},
    {0xc060, "ECDHE-ARIA128-GCM-SHA256", T12, T12, K::ecdhe, A::rsa, 128, true},
    {0xc061, "ECDHE-ARIA256-GCM-SHA384", T12, T12, K::ecdhe, A::rsa, 256, true},
    {0xc072, "ECDHE-ECDSA-CAMELLIA128-SHA256", T12, T12, K::ecdhe, A::ecdsa, 128, false},
    {0xc073, "ECDHE-ECDSA-CAMELLIA256-SHA384", T12, T12, K::ecdhe, A::ecdsa, 256, false},
    {0xc076, "ECDHE-RSA-CAMELLIA128-SHA256", T12, T12, K::ecdhe, A::rsa, 128, false},
    {0xc077, "ECDHE-RSA-CAMELLIA256-SHA384", T12, T12, K::ecdhe, A::rsa, 256, false},
    {0xc07a, "TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256", T12, T12, K::rsa, A::rsa, 128, true},
    {0xc07b, "TLS_RSA_WITH_CAMELLIA_256_GCM_SHA384", T12, T12, K::rsa, A::rsa, 256, true},
    {0xc07c, "TLS_DHE_RSA_WITH_CAMELLIA_128_GCM_SHA256", T12, T12, K::dhe, A::rsa, 128, true},
    {0xc07d, "TLS_DHE_RSA_WITH_CAMELLIA_256_GCM_SHA384", T12, T12, K::dhe, A::rsa, 256, true},
    {0xc086, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_GCM_SHA256", T12, T12, K::ecdhe, A::ecdsa, 128,
     true},
    {0xc087, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_GCM_SHA384", T12, T12, K::ecdhe, A::ecdsa, 256,
     true},
    {0xc08a, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256", T12, T12, K::ecdhe, A::rsa, 128, true},
    {0xc08b, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_GCM_SHA384", T12, T12, K::ecdhe, A::rsa, 256, true},
    {0xc09c, "AES128-CCM", T12, T12, K::rsa, A::rsa, 128, true},
    {0xc09d, "AES256-CCM", T12, T12, K::rsa, A::rsa, 256, true},
    {0xc09e, "DHE-RSA-AES128-CCM", T12, T12, K::dhe, A::rsa, 128, true},
    {0xc09f, "DHE-RSA-AES256-CCM", T12, T12, K::dhe, A::rsa, 256, true},
    {0xc0a0, "AES128-CCM8", T12, T12, K::rsa, A::rsa, 128, true},
    {0xc0a1, "AES256-CCM8", T12, T12, K::rsa, A::rsa, 256, true},
    {0xc0a2, "DHE-RSA-AES128-CCM8", T12, T12, K::dhe, A::rsa, 128, true},
    {0xc0a3, "DHE-RSA-AES256-CCM8", T12, T12, K::dhe, A::rsa, 256, true},
    {0xc0ac, "ECDHE-ECDSA-AES128-CCM", T12, T12, K::ecdhe, A::ecdsa, 128, true},
    {0xc0ad, "ECDHE-ECDSA-AES256-CCM", T12, T12, K::ecdhe, A::ecdsa, 256, true},
    {0xc0ae, "ECDHE-ECDSA-AES128-CCM8", T12, T12, K::ecdhe, A::ecdsa, 128, true},
    {0xc0af, "ECDHE-ECDSA-AES256-CCM8", T12, T12, K::ecdhe, A::ecdsa, 256, true},
    {0xc0b4, "TLS_SHA256_SHA256", T13, T13, K::any, A::any, 0, false},
    {0xc0b5, "TLS_SHA384_SHA384", T13, T13, K::any, A::any, 0, false},
    {0xc102, "IANA-GOST2012-GOST8912-GOST8912", T12, T12, K::other, A::other, 256, false},
    {0xcca8, "ECDHE-RSA-CHACHA20-POLY1305", T12, T12, K::ecdhe, A::rsa, 256, true},
    {0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305", T12, T12, K::ecdhe, A::ecdsa, 256, true},
    {0xccaa, "DHE-RSA-CHACHA20-POLY1305", T12, T12, K::dhe, A::rsa, 256, true},
    {0xff85, "GOST2012-GOST8912-GOST8912", T10, T12, K::other, A::other, 256, false},
}};
// clang-format on

static_assert(std::is_sorted(table.begin(), table.end(),
                             [](const Suite& a, const Suite& b) { return a.id < b.id; }));

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> older_names{{
    {"EDH-RSA-DES-CBC3-SHA", "DHE-RSA-DES-CBC3-SHA"},
    {"EDH-DSS-DES-CBC3-SHA", "DHE-DSS-DES-CBC3-SHA"},
}};

}  // namespace

std::span<const Suite> all_suites() { return table; }

const Suite* find_suite(std::uint16_t id) {
  const auto* found =
      std::lower_bound(table.begin(), table.end(), id,
                       [](const Suite& suite, std::uint16_t wanted) { return suite.id < wanted; });
  return found != table.end() && found->id == id ? found : nullptr;
}

const Suite* find_suite(std::string_view name) {
  for (const auto& [older, newer] : older_names) {
    if (name == older) name = newer;
  }
  const auto* found = std::find_if(table.begin(), table.end(),
                                   [name](const Suite& suite) { return name == suite.name; });
  return found != table.end() ? found : nullptr;
}

std::string suite_name(std::uint16_t id) {
  const Suite* suite = find_suite(id);
  return suite != nullptr ? suite->name : fmt::format("{:#06x}", id);
}

std::vector<std::uint16_t> suites_of(Protocol protocol) {
  std::vector<std::uint16_t> ids;
  for (const Suite& suite : table) {
    if (suite.min <= protocol && protocol <= suite.max) ids.push_back(suite.id);
  }
  return ids;
}

}  // namespace tlsguard::ctl
