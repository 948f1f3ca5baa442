// SPDX-License-Identifier: Apache-2.0
// What the five settings of a policy and the names of policies are written as.
// Input: one byte that chooses the directive, then its arguments, separated by NUL bytes.
#include <openssl/err.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.h"
#include "policy/policy.h"

namespace {

using namespace tlsguard;

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  std::string text(data + 1, data + size);
  std::vector<std::string> words = split(text, std::string_view("\0", 1));
  if (words.empty()) return 0;
  switch (data[0] % 6) {
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
    default:
      definition(words);
  }
  require(ERR_peek_error() == 0, "an error of OpenSSL is left in the queue");
  return 0;
}
