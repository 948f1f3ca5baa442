// SPDX-License-Identifier: Apache-2.0
// Writing versions, and deleting them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "crypto/digest.h"
#include "store/certificate_store.h"
#include "store/domain_directory.h"
#include "store/layout.h"
#include "store/version_files.h"

namespace tlsguard::store {
namespace {

// The files of one version, complete and synced.
Result<void> write_files(const Directory& directory, const VersionFile& file,
                         const Version& version, const crypto::SealingKey& sealing) {
  std::vector<std::string> names;
  auto create = [&](const std::string& name, std::string_view content) {
    names.push_back(name);
    return directory.create(name, content, shared_file_mode);
  };
  for (const StoredKeyPair& pair : version.pairs) {
    auto sealed =
        sealing.seal(pair.key_der.bytes(), key_purpose(file.identity, file.number, pair.type));
    if (!sealed) return tl::unexpected(sealed.error());
    if (auto written = create(key_file(pair.type), *sealed); !written) return written;
    if (auto written = create(chain_file(pair.type), pair.chain_pem); !written) return written;
  }
  if (auto written = create(meta_file, to_json(file)); !written) return written;
  return directory.sync(names);
}

VersionFile describe(const std::string& identity, std::uint32_t number, const Version& version) {
  VersionFile file{identity, number, version.meta, {}};
  for (const StoredKeyPair& pair : version.pairs) {
    file.certificates.push_back({pair.type, crypto::hex(crypto::sha256(pair.chain_pem))});
  }
  return file;
}

}  // namespace

// Made where it is missing.
Result<Directory> CertificateStore::directory_for_writing(std::string_view identity) const {
  const std::string name = directory_of(identity);
  auto found = certs_.below(name);
  if (!found) return tl::unexpected(found.error());
  if (!*found) {
    auto made = certs_.make_below(name, shared_directory_mode);
    if (!made) return made;
    if (auto synced = certs_.sync({}); !synced) return tl::unexpected(synced.error());
    return made;
  }
  return std::move(**found);
}

Result<std::uint32_t> CertificateStore::put(std::string_view identity, const Version& version) {
  const std::string name = to_lower(identity);
  auto domain = directory_for_writing(name);
  if (!domain) return tl::unexpected(domain.error());
  if (auto removed = remove_unfinished(*domain); !removed) return tl::unexpected(removed.error());
  auto number = next_number(*domain);
  if (!number) return number;
  const VersionFile file = describe(name, *number, version);
  // What could not be read again must not be written: then it is our error, not the disk's.
  if (auto readable = version_from_json(to_json(file)); !readable) {
    return tl::unexpected(readable.error().within(fmt::format("a version of '{}'", name)));
  }
  const std::string unfinished = unfinished_name(*number);
  auto directory = domain->make_below(unfinished, shared_directory_mode);
  if (!directory) return tl::unexpected(directory.error());
  auto written = write_files(*directory, file, version, *key_);
  if (written) written = domain->rename(unfinished, std::to_string(*number));
  if (written) return number;
  // The first error is the one to tell; what stays is removed by the next put().
  static_cast<void>(domain->remove_with_files(unfinished));
  return tl::unexpected(written.error());
}

Result<void> CertificateStore::collect(std::string_view identity, std::size_t keep) {
  const std::string name = to_lower(identity);
  auto domain = certs_.below(directory_of(name));
  if (!domain) return tl::unexpected(domain.error());
  if (!*domain) return {};
  if (auto removed = remove_unfinished(**domain); !removed) return removed;
  auto current = read_current(**domain);
  if (!current) return tl::unexpected(current.error());
  auto numbers = version_numbers(**domain);
  if (!numbers) return tl::unexpected(numbers.error());
  std::size_t kept = 0;
  bool highest = true;  // nothing with a higher number stays
  for (auto number = numbers->rbegin(); number != numbers->rend(); ++number) {
    auto complete = check_complete(**domain, name, *number);
    if (!complete && complete.error().kind != torn_kind) return complete;
    if ((complete && kept++ < keep) || (*current && (*current)->version == *number)) {
      highest = false;
      continue;
    }
    if (highest) {
      if (auto noted = remember_number(**domain, *number); !noted) return noted;
    }
    auto removed = (*domain)->remove_with_files(std::to_string(*number));
    // A file of such a name is not the store's.
    if (!removed && removed.error().kind != torn_kind) return removed;
  }
  return {};
}

Result<void> CertificateStore::remove(std::string_view identity) {
  const std::string directory = directory_of(identity);
  auto domain = certs_.below(directory);
  if (!domain) return tl::unexpected(domain.error());
  if (!*domain) return {};
  // First of all, so that whoever looks in between finds nothing live.
  if (auto removed = (*domain)->remove(current_file); !removed) return removed;
  if (auto removed = remove_unfinished(**domain); !removed) return removed;
  auto numbers = version_numbers(**domain);
  if (!numbers) return tl::unexpected(numbers.error());
  for (std::uint32_t number : *numbers) {
    auto removed = (*domain)->remove_with_files(std::to_string(number));
    if (!removed && removed.error().kind != torn_kind) return removed;
  }
  return certs_.remove_with_files(directory);
}

}  // namespace tlsguard::store
