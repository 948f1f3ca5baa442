// SPDX-License-Identifier: Apache-2.0
// What was issued, by domain and version. The agent alone writes (one thread at a time for each
// domain, several domains at once); workers, the parent and tlsguardctl read, at any time and from
// any thread: a version is complete before `current` names it, and is never changed afterwards.
// Reading blocks on the disk only. A reader compares generations by equality: after a loss of data
// they may go back. Files that are not the store's own are ignored everywhere.
// No error text has a byte of a key.
#ifndef TLSGUARD_STORE_CERTIFICATE_STORE_H
#define TLSGUARD_STORE_CERTIFICATE_STORE_H

#include <cstdint>
#include <functional>
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

// What heal() found and did.
struct Healed {
  std::optional<Current> current;
  std::string wrong;  // what was wrong with `current`, for the log; empty: nothing was
};

class CertificateStore {
 public:
  // certs: the opened directory, with the agent's user as `trusted` where another process reads.
  // key: must outlive this object.
  CertificateStore(Directory certs, const crypto::SealingKey& key);

  // nullopt: the domain has nothing live. An error where `current` is torn: the agent heals it.
  [[nodiscard]] Result<std::optional<Current>> current(std::string_view identity) const;
  // What was live before, for going back; nullopt where there was nothing, or it is not known.
  [[nodiscard]] std::optional<Current> previous(std::string_view identity) const;
  // An error where the version is missing, torn, sealed with another key, or not of this domain.
  [[nodiscard]] Result<Version> load(std::string_view identity, std::uint32_t version) const;
  // Whether a version can be loaded, and each key and chain fit each other and the names; dates are
  // not looked at. An error of torn_kind where they do not.
  [[nodiscard]] Result<void> check(std::string_view identity, std::uint32_t version) const;
  // Newest first; what is incomplete is left out. Keys are not opened.
  [[nodiscard]] Result<std::vector<std::uint32_t>> versions(std::string_view identity) const;
  // Every domain that has a version, sorted. Reads all of the store: for tlsguardctl.
  [[nodiscard]] Result<std::vector<std::string>> identities() const;

  // Writes a new version, synced, and returns its number; version.number is not looked at.
  // Nothing is live yet. After an error, what is live is as before.
  [[nodiscard]] Result<std::uint32_t> put(std::string_view identity, const Version& version);
  // Makes a version live: `current` is replaced whole. Returns what is current now; nothing is
  // written where the version is live already, so doing it twice is no news. An error, and nothing
  // changes, where the version cannot be loaded.
  [[nodiscard]] Result<Current> activate(std::string_view identity, std::uint32_t version);
  // Where `current` is torn, or names what cannot be loaded: sets it aside as current.bad and makes
  // the newest version live whose key and chain fit each other, dates not looked at. Without such
  // a version nothing is live then. To be called before the first use of a domain.
  // may_serve: asked of each other version; one that was revoked, say, is none.
  [[nodiscard]] Result<Healed> heal(
      std::string_view identity,
      const std::function<bool(std::uint32_t version)>& may_serve = [](auto) { return true; });
  // Deletes the oldest versions beyond `keep`, never the current one; and what is incomplete.
  [[nodiscard]] Result<void> collect(std::string_view identity, std::size_t keep);
  // Forgets a domain: all of its versions, and whatever files are beside them. A directory that is
  // not the store's stays, and is an error.
  [[nodiscard]] Result<void> remove(std::string_view identity);

 private:
  [[nodiscard]] Result<Directory> directory_for_writing(std::string_view identity) const;

  Directory certs_;
  const crypto::SealingKey* key_;
};

}  // namespace tlsguard::store

#endif
