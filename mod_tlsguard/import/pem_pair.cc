// SPDX-License-Identifier: Apache-2.0
#include "import/pem_pair.h"

#include <string_view>
#include <utility>

#include "import/checked_pair.h"
#include "import/foreign_files.h"

namespace tlsguard::import {
namespace {

// The two files taken for one another.
bool is_swapped(std::string_view certificate, std::string_view key) {
  constexpr std::string_view certificate_begin = "-----BEGIN CERTIFICATE";
  constexpr std::string_view key_end = "PRIVATE KEY-----";
  return certificate.find(certificate_begin) == std::string_view::npos &&
         certificate.find(key_end) != std::string_view::npos &&
         key.find(certificate_begin) != std::string_view::npos;
}

}  // namespace

Result<ImportedDomain> import_pem_pair(const std::string& certificate, const std::string& key,
                                       UnixSeconds now) {
  auto chain_pem = read_foreign_file(certificate, max_foreign_file);
  if (!chain_pem) return tl::unexpected(chain_pem.error());
  auto key_pem = read_foreign_secret(key, max_foreign_file);
  if (!key_pem) return tl::unexpected(key_pem.error());
  if (is_swapped(*chain_pem, key_pem->text())) {
    return fail("'" + certificate + "' has a key and '" + key +
                "' a certificate: the certificate comes first");
  }
  auto parsed = crypto::key_from_pem(key_pem->text());
  if (!parsed) return tl::unexpected(parsed.error().within(key));
  auto checked = check_pair(*chain_pem, parsed->get(), now);
  if (!checked) return tl::unexpected(checked.error().within(certificate));
  std::vector<CheckedPair> pairs;
  pairs.push_back(std::move(*checked));
  return make_domain(certificate, std::move(pairs), {});
}

}  // namespace tlsguard::import
