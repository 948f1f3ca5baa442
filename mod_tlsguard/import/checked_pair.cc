// SPDX-License-Identifier: Apache-2.0
#include "import/checked_pair.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.h"
#include "crypto/general_names.h"

namespace tlsguard::import {
namespace {

// That the private half is the right one: X509_check_private_key compares public halves, and a
// file may hold any.
bool signs_for(const EVP_PKEY* key, EVP_PKEY* public_key) {
  constexpr std::array<unsigned char, 16> text{'t', 'l', 's', 'g', 'u', 'a', 'r', 'd'};
  crypto::DigestCtx signing(EVP_MD_CTX_new());
  crypto::DigestCtx verifying(EVP_MD_CTX_new());
  std::array<unsigned char, 1024> signature{};
  std::size_t size = signature.size();
  bool good =
      signing && verifying && public_key != nullptr &&
      EVP_DigestSignInit(signing.get(), nullptr, EVP_sha256(), nullptr,
                         const_cast<EVP_PKEY*>(key)) == 1 &&
      EVP_DigestSign(signing.get(), signature.data(), &size, text.data(), text.size()) == 1 &&
      EVP_DigestVerifyInit(verifying.get(), nullptr, EVP_sha256(), nullptr, public_key) == 1 &&
      EVP_DigestVerify(verifying.get(), signature.data(), size, text.data(), text.size()) == 1;
  ERR_clear_error();
  return good;
}

// The one that lasts longest, of each type.
std::vector<CheckedPair> best_of_each_type(std::vector<CheckedPair> pairs) {
  std::stable_sort(pairs.begin(), pairs.end(), [](const CheckedPair& a, const CheckedPair& b) {
    return a.pair.type != b.pair.type ? a.pair.type < b.pair.type
                                      : a.facts.not_after > b.facts.not_after;
  });
  auto same = [](const CheckedPair& a, const CheckedPair& b) { return a.pair.type == b.pair.type; };
  pairs.erase(std::unique(pairs.begin(), pairs.end(), same), pairs.end());
  return pairs;
}

bool all_cover(const std::vector<CheckedPair>& pairs, const std::string& name) {
  return std::all_of(pairs.begin(), pairs.end(),
                     [&](const CheckedPair& each) { return each.facts.covers(name); });
}

std::vector<std::string> names_of(const crypto::CertificateFacts& facts) {
  std::vector<std::string> names = facts.dns_names;
  names.insert(names.end(), facts.ip_addresses.begin(), facts.ip_addresses.end());
  return names;
}

void choose_names(const std::vector<CheckedPair>& pairs, std::vector<std::string> wanted,
                  ImportedDomain& domain) {
  const bool known = !wanted.empty();
  if (!known) wanted = names_of(pairs.front().facts);
  std::vector<std::string> missing;
  for (std::string& name : wanted) {
    name = crypto::canonical_ip(name).value_or(to_lower(name));
    auto& list = all_cover(pairs, name) ? domain.names : missing;
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  }
  if (known && !missing.empty()) {
    domain.notes.push_back(
        fmt::format("not in the certificate, so left out: {}", join(missing, ", ")));
  }
}

}  // namespace

Result<CheckedPair> check_pair(std::string_view chain_pem, const EVP_PKEY* key, UnixSeconds now) {
  auto chain = crypto::parse_chain(chain_pem);
  if (!chain) return tl::unexpected(chain.error());
  auto type = crypto::key_type_of(key);
  if (!type) {
    return fail(
        "its key is of a type that is not managed: P-256, P-384 and RSA of 2048, 3072 and "
        "4096 bits are");
  }
  if (auto good = crypto::check_servable(*chain, key, {}, now); !good) {
    return tl::unexpected(good.error());
  }
  if (!signs_for(key, X509_get0_pubkey(chain->front().get()))) {
    return fail("the key does not sign for the certificate: its file is damaged");
  }
  auto facts = crypto::facts_of(chain->front().get());
  if (!facts) return tl::unexpected(facts.error());
  if (facts->dns_names.empty() && facts->ip_addresses.empty()) {
    return fail("the certificate has no names (subjectAltName)");
  }
  auto pem = crypto::chain_to_pem(*chain);
  if (!pem) return tl::unexpected(pem.error());
  auto der = crypto::key_to_der(key);
  if (!der) return tl::unexpected(der.error());
  return CheckedPair{{*type, std::move(*pem), std::move(*der)}, std::move(*facts)};
}

Result<ImportedDomain> make_domain(std::string name, std::vector<CheckedPair> pairs,
                                   const std::vector<std::string>& wanted) {
  if (pairs.empty()) return fail("there is no certificate that can be served");
  pairs = best_of_each_type(std::move(pairs));
  ImportedDomain domain;
  domain.name = std::move(name);
  choose_names(pairs, wanted, domain);
  if (domain.names.empty()) return fail("its certificates have none of its names in common");
  domain.not_after = pairs.front().facts.not_after;
  for (CheckedPair& each : pairs) {
    domain.issued_at = std::max(domain.issued_at, each.facts.not_before);
    domain.not_after = std::min(domain.not_after, each.facts.not_after);
    domain.pairs.push_back(std::move(each.pair));
  }
  return domain;
}

store::Version version_of(const ImportedDomain& domain) {
  store::Version version;
  version.meta = {domain.names, "imported", domain.profile, domain.issued_at};
  for (const store::StoredKeyPair& pair : domain.pairs) {
    version.pairs.push_back({pair.type, pair.chain_pem, crypto::SecretBytes(pair.key_der.bytes())});
  }
  return version;
}

}  // namespace tlsguard::import
