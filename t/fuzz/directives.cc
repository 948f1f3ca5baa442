// SPDX-License-Identifier: Apache-2.0
// The parsers of directives' arguments. An error must say something and must not be the only way
// out of memory or time.
// Input: one byte that chooses the directive, then its arguments, separated by NUL bytes.
#include <openssl/err.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/protocol.h"
#include "core/text.h"
#include "policy/policy.h"
#include "web/hsts.h"
#include "web/hsts_ramp.h"
#include "web/port_map.h"
#include "web/require_https.h"
#include "web/trusted_proxy.h"

namespace {

using namespace tlsguard;
using Views = std::vector<std::string_view>;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

template <typename T>
bool good(const Result<T>& result) {
  require(result.has_value() || !result.error().text.empty(), "an error without a text");
  return result.has_value();
}

void definition(const std::vector<std::string>& words) {
  policy::Settings settings;
  settings.cipher_suite = words[0];
  if (words.size() > 1) settings.groups = split(words[1], ":");
  if (words.size() > 2) settings.tls13_cipher_suite = words[2];
  policy::Catalogue catalogue;
  if (!good(catalogue.define("house", words.back(), settings, "here:1"))) return;
  bool resolved = good(catalogue.resolve_all());
  require(resolved == good(catalogue.find("HOUSE")), "resolve_all and find differ");
}

void hsts(const Views& words) {
  auto setting = web::parse_hsts(words);
  if (!good(setting) || !setting->enabled) return;
  require(web::format_hsts(*setting, setting->max_age).starts_with("max-age="), "HSTS field");
}

void duration(std::string_view text) {
  auto parsed = parse_duration(text, PlainNumber::seconds);
  if (!good(parsed)) return;
  auto again = parse_duration(format_duration(*parsed), PlainNumber::error);
  require(good(again) && *again == *parsed, "a duration does not survive its spelling");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  std::string text(data + 1, data + size);
  std::vector<std::string> words = split(text, std::string_view("\0", 1));
  if (words.empty()) return 0;
  Views views(words.begin(), words.end());
  switch (data[0] % 12) {
    case 0:
      good(policy::check_cipher_suite(words[0]));
      break;
    case 1:
      good(policy::check_tls13_cipher_suite(words[0]));
      break;
    case 2:
      good(policy::check_groups(words));
      break;
    case 3:
      good(policy::check_signature_algorithms(words));
      break;
    case 4:
      good(policy::Catalogue().find(words[0]));
      break;
    case 5:
      definition(words);
      break;
    case 6:
      hsts(views);
      break;
    case 7:
      good(web::parse_hsts_ramp(views));
      break;
    case 8:
      good(web::parse_require_https(words[0]));
      good(parse_protocol(words[0]));
      break;
    case 9:
      good(web::parse_trusted_proxies(views));
      break;
    case 10:
      good(web::parse_port_map(views));
      break;
    default:
      duration(words[0]);
  }
  require(ERR_peek_error() == 0, "an error of OpenSSL is left in the queue");
  return 0;
}
