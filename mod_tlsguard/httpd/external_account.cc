// SPDX-License-Identifier: Apache-2.0
#include "httpd/external_account.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "renew/spec_ca.h"

namespace tlsguard::httpd {

namespace {

using nlohmann::json;

constexpr std::size_t max_file = 64UL * 1024;

bool is_base64url(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

Result<renew::ExternalAccountSpec> account(const std::string& kid, const std::string& hmac) {
  if (kid.empty()) return fail("the key id (kid) is empty");
  if (!is_base64url(hmac)) {
    return fail("the HMAC key is not base64url (letters, digits, '-' and '_'), as CAs give it");
  }
  return renew::ExternalAccountSpec{"", kid, hmac.substr(0, hmac.find('='))};
}

Result<renew::ExternalAccountSpec> from_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(max_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad() || file.gcount() == 0) {
    return fail(
        fmt::format("file '{}' cannot be read; or kid and hmac were meant, of which one is "
                    "missing",
                    path));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  json parsed = text.size() <= max_file ? json::parse(text, nullptr, false) : json();
  if (!parsed.is_object() || !parsed.contains("kid") || !parsed["kid"].is_string() ||
      !parsed.contains("hmac") || !parsed["hmac"].is_string()) {
    return fail(
        fmt::format("file '{}' is not of the form {{\"kid\": \"...\", \"hmac\": \"...\"}}", path));
  }
  auto read = account(parsed["kid"], parsed["hmac"]);
  return read ? read : tl::unexpected(read.error().within("file '" + path + "'"));
}

}  // namespace

Result<renew::ExternalAccountSpec> parse_external_account(
    const std::vector<std::string>& words,
    const std::function<std::string(const std::string&)>& resolve) {
  constexpr std::size_t most = 3;
  if (words.empty() || words.size() > most) return fail("takes [ca] kid hmac, or [ca] file");
  auto ca = renew::parse_ca(words[0]);
  bool names_ca = words.size() > 1 && ca;
  if (words.size() == most && !ca) return tl::unexpected(ca.error());
  std::size_t rest = words.size() - (names_ca ? 1 : 0);
  auto read =
      rest == 1 ? from_file(resolve(words.back())) : account(words[words.size() - 2], words.back());
  if (!read) return read;
  if (names_ca) {
    if (ca->internal()) return fail("the internal CA has no external accounts");
    read->ca = ca->name;
  }
  return read;
}

}  // namespace tlsguard::httpd
