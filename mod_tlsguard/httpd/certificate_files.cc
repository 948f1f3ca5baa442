// SPDX-License-Identifier: Apache-2.0
#include "httpd/certificate_files.h"

#include <utility>

#include "policy/context.h"

namespace tlsguard::httpd {

namespace {

Result<CertificateFile> read_file(std::string path) {
  crypto::Certificate leaf;
  auto key = policy::key_of_file(path, &leaf);
  if (!key) return tl::unexpected(key.error());
  CertificateFile file{std::move(path), *key, std::nullopt};
  if (auto facts = crypto::facts_of(leaf.get())) file.facts = std::move(*facts);
  return file;
}

}  // namespace

const Result<CertificateFile>& CertificateFiles::read(const std::string& name) {
  auto known = files_.find(name);
  if (known != files_.end()) return known->second;
  const char* resolved = ap_server_root_relative(temporary_, name.c_str());
  return files_.emplace(name, read_file(resolved != nullptr ? resolved : name)).first->second;
}

}  // namespace tlsguard::httpd
