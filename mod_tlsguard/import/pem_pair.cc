// SPDX-License-Identifier: Apache-2.0
#include "import/pem_pair.h"

#include <utility>

#include "import/checked_pair.h"
#include "import/foreign_files.h"

namespace tlsguard::import {

Result<ImportedDomain> import_pem_pair(const std::string& certificate, const std::string& key,
                                       UnixSeconds now) {
  auto chain_pem = read_foreign_file(certificate, max_foreign_file);
  if (!chain_pem) return tl::unexpected(chain_pem.error());
  auto key_pem = read_foreign_secret(key, max_foreign_file);
  if (!key_pem) return tl::unexpected(key_pem.error());
  auto parsed = crypto::key_from_pem(key_pem->text());
  if (!parsed) return tl::unexpected(parsed.error().within(key));
  auto checked = check_pair(*chain_pem, parsed->get(), now);
  if (!checked) return tl::unexpected(checked.error().within(certificate));
  std::vector<CheckedPair> pairs;
  pairs.push_back(std::move(*checked));
  return make_domain(certificate, std::move(pairs), {});
}

}  // namespace tlsguard::import
