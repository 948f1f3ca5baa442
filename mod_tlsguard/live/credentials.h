// SPDX-License-Identifier: Apache-2.0
// What a worker serves: of each managed domain the certificates that are live, parsed once for each
// process and generation and shared by its threads. A domain is loaded when it is first asked for,
// and again when the board tells a newer generation: one thread loads and verifies, all others go
// on with what they have. What cannot be loaded changes nothing: the last good one is served on.
//
// One a process, made before it forks; any thread. The board is a hint only: what is current is
// what the store says, which workers cannot write.
#ifndef TLSGUARD_LIVE_CREDENTIALS_H
#define TLSGUARD_LIVE_CREDENTIALS_H

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/log_sink.h"
#include "core/unix_time.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "hello/server_settings.h"
#include "live/domain_board.h"
#include "store/certificate_store.h"

namespace tlsguard::live {

// One certificate, its chain and its key.
struct Credential {
  crypto::KeyType type = crypto::KeyType::p256;
  crypto::Chain chain;  // leaf first
  // The issuers, as OpenSSL takes them; not owned, they are chain's.
  std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> issuers{nullptr, nullptr};
  crypto::Key key;
};

// What certificates mean for the verdict about a ClientHello. Few distinct ones exist, however many
// the domains: each process keeps one of each, so that equal ones have one address.
using KeySet = std::vector<hello::CertificateKey>;

// One generation of one domain. Immutable.
struct LiveCertificate {
  std::uint64_t generation = 0;  // store::Current's
  std::uint32_t version = 0;
  std::vector<Credential> credentials;  // one of each family (ECDSA, RSA) that OpenSSL can hold
  crypto::CertificateFacts names;       // those that all of them cover, and nothing else
  UnixSeconds not_before = 0;           // the latest
  UnixSeconds not_after = 0;            // the earliest
  const KeySet* keys = nullptr;         // the process's
  // Exact, or by a wildcard for one label.
  [[nodiscard]] bool covers(std::string_view name) const { return names.covers(name); }
};
using LivePtr = std::shared_ptr<const LiveCertificate>;

// Puts them on a connection, in place of whatever it has. An error where OpenSSL takes none of them
// (its security level).
[[nodiscard]] Result<void> serve(SSL* ssl, const LiveCertificate& live);

class Credentials {
 public:
  // board, store and log must outlive this object. recheck: in seconds, where nobody tells the
  // board of news (another server renews): the store is asked again so long after it was last
  // asked; 0: never.
  Credentials(DomainBoard board, const store::CertificateStore& store, LogSink& log, Clock now,
              UnixSeconds recheck = 0);
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials();

  // The worker, when it begins: what it serves from here on is written into its row, and what it
  // has inherited, at once.
  void use_row(WorkerRow row);

  // What is live; null: nothing, or nothing that can be served. Loads where that is new; then it
  // blocks on the disk, else it takes well below a microsecond. slot: of the board.
  [[nodiscard]] LivePtr find(DomainSlot& slot, std::string_view identity);

 private:
  // One domain that was asked for.
  struct Entry {
    std::mutex pointing;  // held for the copy of a pointer only
    LivePtr live;
    std::mutex loading;
    // Of the board, when the store was last asked, plus one; 0: it never was.
    std::atomic<std::uint64_t> seen{0};
    // When the store is asked again though the board has no news: after a failure, which may pass
    // (no file descriptor was free), or to recheck. 0: it is not.
    std::atomic<UnixSeconds> again_at{0};
    std::optional<std::uint64_t> complained_of;  // under loading
    Entry* next = nullptr;

    [[nodiscard]] LivePtr current() {
      std::lock_guard lock(pointing);
      return live;
    }
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  [[nodiscard]] Entry& entry_of(std::uint32_t position);
  [[nodiscard]] bool is_settled(const Entry& entry, std::uint64_t generation) const;
  [[nodiscard]] LivePtr refresh(Entry& entry, DomainSlot& slot, std::uint64_t generation,
                                std::string_view identity);
  // What the store has; null: nothing is live.
  [[nodiscard]] Result<LivePtr> load(std::string_view identity, const LivePtr& old);
  [[nodiscard]] Result<LivePtr> read_version(std::string_view identity,
                                             const store::Current& current);
  [[nodiscard]] const KeySet* shared_keys(KeySet keys);
  void complain(Entry& entry, DomainSlot& slot, std::uint64_t generation, std::string_view identity,
                const Error& error);

  DomainBoard board_;
  const store::CertificateStore& store_;
  LogSink& log_;
  Clock now_;
  UnixSeconds recheck_;
  WorkerRow row_;
  // By position on the board. Zeroed memory of the system: pages that no domain touches cost
  // nothing.
  std::unique_ptr<std::atomic<Entry*>[], Free> entries_;
  std::atomic<Entry*> all_{nullptr};
  std::mutex key_sets_lock_;
  std::vector<std::unique_ptr<const KeySet>> key_sets_;
};

}  // namespace tlsguard::live

#endif
