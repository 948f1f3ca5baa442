// SPDX-License-Identifier: Apache-2.0
#include "ca/constraints.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "core/text.h"
#include "crypto/general_names.h"

namespace tlsguard::ca {
namespace {

using Subtrees = STACK_OF(GENERAL_SUBTREE);

// 4 or 16 bytes; empty: no address.
std::string address_bytes(std::string_view text) {
  const std::string terminated(text);
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

std::string mask_bytes(std::size_t size, unsigned ones) {
  std::string mask(size, '\0');
  for (unsigned bit = 0; bit < ones; ++bit) {
    mask[bit / 8] = static_cast<char>(mask[bit / 8] | (0x80 >> (bit % 8)));
  }
  return mask;
}

// An address and its mask, as the constraint has them; nullopt: neither address nor network.
std::optional<std::string> network_of(std::string_view text) {
  const auto slash = text.find('/');
  std::string address = address_bytes(text.substr(0, slash));
  auto ones = static_cast<unsigned>(8 * address.size());
  if (address.empty()) return std::nullopt;
  if (slash != std::string_view::npos) {
    unsigned prefix = 0;
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data() + slash + 1, end, prefix);
    if (error != std::errc() || stop != end || prefix > ones) return std::nullopt;
    ones = prefix;
  }
  return address + mask_bytes(address.size(), ones);
}

bool add(Subtrees*& list, int type, std::string_view data) {
  if (list == nullptr) list = sk_GENERAL_SUBTREE_new_null();
  GENERAL_SUBTREE* subtree = GENERAL_SUBTREE_new();
  ASN1_STRING* value = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
  if (list == nullptr || subtree == nullptr || value == nullptr ||
      ASN1_STRING_set(value, data.data(), static_cast<int>(data.size())) != 1) {
    ASN1_STRING_free(value);
    GENERAL_SUBTREE_free(subtree);
    return false;
  }
  GENERAL_NAME_set0_value(subtree->base, type, value);
  if (sk_GENERAL_SUBTREE_push(list, subtree) > 0) return true;
  GENERAL_SUBTREE_free(subtree);
  return false;
}

std::string text_of(const GENERAL_SUBTREE* subtree) {
  int type = 0;
  const auto* value =
      static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(subtree->base, &type));
  std::string_view data(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                        static_cast<std::size_t>(ASN1_STRING_length(value)));
  if (type == GEN_DNS) return std::string(data);
  if (type != GEN_IPADD || (data.size() != 8 && data.size() != 32)) return "another kind of name";
  const std::size_t half = data.size() / 2;
  unsigned ones = 0;
  for (char byte : data.substr(half)) {
    for (auto bits = static_cast<unsigned char>(byte); bits != 0;
         bits = static_cast<unsigned char>(bits << 1)) {
      ++ones;
    }
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(half == 4 ? AF_INET : AF_INET6, data.data(), text.data(), text.size());
  return ones == 8 * half ? std::string(text.data()) : fmt::format("{}/{}", text.data(), ones);
}

}  // namespace

Result<Constraints> make_constraints(const std::vector<std::string>& permitted) {
  Constraints constraints(NAME_CONSTRAINTS_new());
  bool added = constraints != nullptr;
  bool dns = false;
  bool ip = false;
  for (const std::string& name : permitted) {
    if (!added) break;
    auto network = network_of(name);
    if (!network && !crypto::is_dns_identifier(name)) {
      return fail_for_good(fmt::format(
          "'{}' is no name that a CA can be constrained to: a host name, an IP address or a "
          "network like 10.0.0.0/8 is",
          name));
    }
    (network ? ip : dns) = true;
    std::string_view base = name;
    if (base.starts_with("*.")) base.remove_prefix(2);
    added = network ? add(constraints->permittedSubtrees, GEN_IPADD, *network)
                    : add(constraints->permittedSubtrees, GEN_DNS, base);
  }
  if (added && !dns) added = add(constraints->excludedSubtrees, GEN_DNS, "");
  for (std::size_t size : {4U, 16U}) {
    if (added && !ip) {
      added = add(constraints->excludedSubtrees, GEN_IPADD, std::string(2 * size, '\0'));
    }
  }
  if (!added) return fail("name constraints cannot be made: " + crypto::drain_errors());
  return constraints;
}

Result<void> check_permitted(const X509* root, const X509* leaf) {
  Constraints constraints(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(root, NID_name_constraints, nullptr, nullptr)));
  ERR_clear_error();
  if (!constraints) return {};
  // OpenSSL looks at the names it has cached, and caches them here; without, it would look at none.
  if ((X509_get_extension_flags(const_cast<X509*>(leaf)) & EXFLAG_INVALID) != 0) {
    return fail("a certificate's extensions cannot be read");
  }
  if (NAME_CONSTRAINTS_check(const_cast<X509*>(leaf), constraints.get()) == X509_V_OK) return {};
  std::vector<std::string> permitted;
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
    permitted.push_back(text_of(sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)));
  }
  return fail_for_good(
      fmt::format("the root of the internal CA was made for {} only, and this certificate has "
                  "another name: another CA is needed for it, or a new root that every client must "
                  "come to trust (move agent/ca out of the store)",
                  join(permitted, ", ")));
}

}  // namespace tlsguard::ca
