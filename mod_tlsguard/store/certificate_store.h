// SPDX-License-Identifier: Apache-2.0
// What was issued, by domain and version. The agent alone writes (one thread at a time for each
// domain); workers, the parent and tlsguardctl read, at any time: a version is complete before
// `current` names it, and is never changed afterwards. Reading blocks on the disk only.
#ifndef TLSGUARD_STORE_CERTIFICATE_STORE_H
#define TLSGUARD_STORE_CERTIFICATE_STORE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/keys.h"
#include "crypto/sealing.h"
#include "store/state_file.h"

namespace tlsguard::store {

// One certificate of a version, with its key opened.
struct StoredKeyPair {
  crypto::KeyType type = crypto::KeyType::p256;
  std::string chain_pem;        // leaf first
  crypto::SecretBytes key_der;  // crypto::key_to_der
};

// Where a version came from, for the status page and for renewals.
struct VersionMeta {
  std::vector<std::string> names;
  std::string ca;       // name or URL; "imported" for what tlsguardctl import brought
  std::string profile;  // ACME profile; empty: none
  UnixSeconds issued_at = 0;
};

struct Version {
  std::uint32_t number = 0;  // from 1 on, never used twice for one domain
  VersionMeta meta;
  std::vector<StoredKeyPair> pairs;
};

// generation: counts activations, so going back to an older version is seen as news, too.
struct Current {
  std::uint64_t generation = 0;
  std::uint32_t version = 0;
};

class CertificateStore {
 public:
  // certs: the opened directory. key: must outlive this object.
  CertificateStore(Directory certs, const crypto::SealingKey& key);

  // nullopt: the domain has nothing live.
  [[nodiscard]] Result<std::optional<Current>> current(std::string_view identity) const;
  // An error where the version is missing, torn, sealed with another key, or not of this domain.
  [[nodiscard]] Result<Version> load(std::string_view identity, std::uint32_t version) const;
  // Newest first; what is incomplete is left out.
  [[nodiscard]] Result<std::vector<std::uint32_t>> versions(std::string_view identity) const;

  // Writes a new version, synced, and returns its number; version.number is not looked at.
  // Nothing is live yet.
  [[nodiscard]] Result<std::uint32_t> put(std::string_view identity, const Version& version);
  // Makes a version live: `current` is replaced whole. Returns what is current now.
  [[nodiscard]] Result<Current> activate(std::string_view identity, std::uint32_t version);
  // Deletes the oldest versions beyond `keep`, never the current one; and what is incomplete.
  [[nodiscard]] Result<void> collect(std::string_view identity, std::size_t keep);

 private:
  Directory certs_;
  const crypto::SealingKey* key_;
};

}  // namespace tlsguard::store

#endif
