// SPDX-License-Identifier: Apache-2.0
// Versions and durations as written; and mod_ssl's directives and a policy's settings of any kind
// brought together on a context, which must never widen it.
// Input: one byte that chooses what is read, then its arguments, separated by NUL bytes.
#include <openssl/err.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/protocol.h"
#include "core/text.h"
#include "policy/context.h"
#include "policy/describe.h"
#include "policy/strength.h"

namespace {

using namespace tlsguard;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void read_protocol(const std::string& text) {
  const auto protocol = parse_protocol(text);
  require(protocol.has_value() || !protocol.error().text.empty(), "an error without a text");
  if (protocol) require(*parse_protocol(protocol_name(*protocol)) == *protocol, "not its own name");
}

void read_duration(const std::string& text) {
  for (PlainNumber plain : {PlainNumber::seconds, PlainNumber::days, PlainNumber::error}) {
    const auto duration = parse_duration(text, plain);
    if (!duration) {
      require(!duration.error().text.empty(), "an error without a text");
      continue;
    }
    require(duration->count() >= 0 && duration->count() <= 100LL * 365 * 86400, "out of bounds");
    const auto again = parse_duration(format_duration(*duration), PlainNumber::error);
    require(again && *again == *duration, "the spelling means something else");
  }
}

template <typename T>
bool is_subset(const std::vector<T>& part, const std::vector<T>& whole) {
  return std::all_of(part.begin(), part.end(), [&](const T& each) {
    return std::find(whole.begin(), whole.end(), each) != whole.end();
  });
}

void tighten(const std::vector<std::string>& words) {
  auto word = [&](std::size_t i) { return i < words.size() ? words[i] : std::string{}; };
  policy::SslDirectives directives;
  if (!word(0).empty()) directives.cipher_suite = word(0);
  if (!word(1).empty()) directives.conf_cmds = {{"Groups", word(1)}};
  if (!word(2).empty()) directives.conf_cmds.emplace_back("SignatureAlgorithms", word(2));
  if (!word(3).empty()) directives.conf_cmds.emplace_back("Protocol", word(3));
  policy::Settings settings;
  if (!word(4).empty()) settings.cipher_suite = word(4);
  if (!word(5).empty()) settings.groups = split(word(5), " ");
  if (!word(6).empty()) settings.signature_algorithms = split(word(6), " ");
  const auto base = policy::Catalogue().find(word(7).empty() ? "old" : word(7));
  if (!base) return;
  const auto policy = policy::with_settings(*base, settings);
  auto ctx = policy::build_scratch(directives);
  ERR_clear_error();
  if (!policy || !ctx) return;
  const auto before = policy::read_back(ctx->get());
  require(before.has_value(), "a context that cannot be read");
  const auto outcome = policy::tighten(ctx->get(), *before, *policy, directives);
  if (!outcome) {
    require(!outcome.error().text.empty(), "an error without a text");
    return;
  }
  const hello::ServerSettings& after = outcome->settings;
  require((after.protocols & before->protocols) == after.protocols, "more versions");
  require(is_subset(after.ciphers, before->ciphers), "more ciphers");
  require(is_subset(after.suites, before->suites), "more suites");
  require(is_subset(after.groups, before->groups), "more groups");
  require(is_subset(after.signature_algorithms, before->signature_algorithms), "more signatures");
  require(!after.protocols.empty() && !policy::dump(after, "").empty(), "nothing in force");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 2048) return 0;
  const std::string text(data + 1, data + size);
  if (data[0] % 4 == 0) {
    read_protocol(text);
  } else if (data[0] % 4 == 1) {
    read_duration(text);
  } else {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('\0', begin), text.size());
      words.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    tighten(words);
  }
  require(ERR_peek_error() == 0, "an error of OpenSSL is left in the queue");
  return 0;
}
