// SPDX-License-Identifier: Apache-2.0
// What workers serve for managed domains: certificates that are live, and pending challenges. Made
// by the parent in post_config, inherited by the workers, which fill their own copies. Any thread.
#ifndef TLSGUARD_HTTPD_LIVE_DOMAINS_H
#define TLSGUARD_HTTPD_LIVE_DOMAINS_H

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/log_sink.h"
#include "crypto/sealing.h"
#include "crypto/self_signed.h"
#include "httpd/managed_domains.h"
#include "live/credentials.h"
#include "live/domain_board.h"
#include "store/certificate_store.h"
#include "store/challenge_store.h"

struct conn_rec;
struct server_rec;

namespace tlsguard::httpd {

// The library's log lines, in the error log of the server.
class ErrorLog : public LogSink {
 public:
  explicit ErrorLog(const server_rec* server) : server_(server) {}
  void write(Severity severity, std::string_view id, std::string_view text) override;

 private:
  const server_rec* server_;
};

class LiveDomains {
 public:
  explicit LiveDomains(const server_rec* base) : log_(base) {}
  LiveDomains(const LiveDomains&) = delete;
  LiveDomains& operator=(const LiveDomains&) = delete;

  // Parent. Without a store nothing is live and nothing is pending; where its challenges cannot be
  // opened, which is an error, what is live is served all the same. Certificates may belong to
  // anybody: keys that nobody but root can have sealed are what is believed. agent: whose
  // challenges are. renewed_by_others: another server owns the store, so the board hears of
  // nothing.
  void use_board(live::DomainBoard board) { board_ = board; }
  [[nodiscard]] Result<void> use_store(const std::string& path, uid_t agent, crypto::SealingKey key,
                                       bool renewed_by_others);
  // Loads what is live of a domain now, so that workers inherit it: for those that must not read it
  // themselves.
  void hold(std::string_view identity) const;
  // A worker begins: from here on the board shows what it serves. The parent, where one has ended.
  void begin_worker(pid_t pid) const;
  void end_worker(pid_t pid) const;
  [[nodiscard]] const live::DomainBoard& board() const { return board_; }
  [[nodiscard]] const std::optional<crypto::SealingKey>& sealing_key() const { return key_; }

  // What a virtual host serves to a client that asks for this name (lower or upper case; empty: for
  // none, over this address of ours). Null: what mod_ssl has.
  [[nodiscard]] live::LivePtr choose(const ManagedHost& host, const ManagedDomains& domains,
                                     std::string_view asked, std::string_view local_address) const;
  [[nodiscard]] live::LivePtr find(const ManagedDomain& domain) const;
  // Whether a name is of a list that this virtual host serves.
  [[nodiscard]] bool lists_name(const ManagedHost& host, std::string_view asked) const;

  // A file that the agent has written for the status page (store/layout.h); nullopt: there is none.
  [[nodiscard]] Result<std::optional<std::string>> report(const std::string& file,
                                                          std::size_t limit) const;

  // http-01: what to answer; nullopt: no such challenge is pending for this name.
  [[nodiscard]] std::optional<std::string> http_challenge(std::string_view token,
                                                          std::string_view name) const;
  // tls-alpn-01: what to show; null: none is pending for this server name.
  [[nodiscard]] std::unique_ptr<crypto::KeyAndCertificate> alpn_challenge(
      std::string_view server_name) const;

 private:
  [[nodiscard]] live::DomainSlot* listed(const ManagedHost& host, std::string_view asked) const;
  [[nodiscard]] live::LivePtr find_listed(live::DomainSlot& slot, std::string_view asked) const;

  mutable ErrorLog log_;
  live::DomainBoard board_;
  std::optional<crypto::SealingKey> key_;
  std::optional<store::CertificateStore> certificates_;
  std::optional<store::ChallengeStore> challenges_;
  std::optional<store::Directory> reports_;
  std::unique_ptr<live::Credentials> credentials_;
};

}  // namespace tlsguard::httpd

#endif
