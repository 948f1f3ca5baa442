// SPDX-License-Identifier: Apache-2.0
#include "crypto/general_names.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tlsguard::crypto {
namespace {

constexpr std::size_t max_name = 253;
constexpr std::size_t max_label = 63;
constexpr std::size_t max_common_name = 64;

// An address in network order: 4 bytes, 16 bytes, or none.
std::string ip_bytes(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return {};
  const std::string terminated(text);
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= max_label &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

// Adds one name; the stack owns it then.
bool add(GENERAL_NAMES* names, int type, std::string_view data) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* value = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
  if (name == nullptr || value == nullptr ||
      ASN1_STRING_set(value, data.data(), static_cast<int>(data.size())) != 1) {
    ASN1_STRING_free(value);
    GENERAL_NAME_free(name);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  if (sk_GENERAL_NAME_push(names, name) > 0) return true;
  GENERAL_NAME_free(name);
  return false;
}

}  // namespace

bool is_dns_identifier(std::string_view text) {
  if (text.empty() || text.size() > max_name || !ip_bytes(text).empty()) return false;
  if (text.starts_with("*.")) text.remove_prefix(2);
  for (;;) {
    auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

std::optional<std::string> canonical_ip(std::string_view text) {
  std::string bytes = ip_bytes(text);
  if (bytes.empty()) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), canonical.data(),
            canonical.size());
  return canonical.data();
}

Result<GeneralNames> general_names(const std::vector<std::string>& names) {
  GeneralNames all(GENERAL_NAMES_new());
  bool added = all != nullptr;
  for (const std::string& name : names) {
    std::string ip = ip_bytes(name);
    if (ip.empty() && !is_dns_identifier(name)) {
      return fail_for_good(fmt::format("'{}' is neither a host name nor an IP address", name));
    }
    added = added && (ip.empty() ? add(all.get(), GEN_DNS, name) : add(all.get(), GEN_IPADD, ip));
  }
  if (names.empty()) return fail_for_good("a certificate needs one name at least");
  if (!added) return fail("no memory for the names of a certificate");
  return all;
}

std::string common_name_for(const std::vector<std::string>& names) {
  if (names.empty() || names.front().size() > max_common_name ||
      !is_dns_identifier(names.front())) {
    return {};
  }
  return names.front();
}

}  // namespace tlsguard::crypto
