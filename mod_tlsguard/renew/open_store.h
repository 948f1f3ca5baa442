// SPDX-License-Identifier: Apache-2.0
// The agent's part of a store (store/layout.h), opened: directories that httpd's parent has made,
// or, where everything belongs to one user, makes now. It belongs to one agent at a time.
// One thread at a time, but for what it hands out.
#ifndef TLSGUARD_RENEW_OPEN_STORE_H
#define TLSGUARD_RENEW_OPEN_STORE_H

#include <atomic>
#include <string>
#include <utility>

#include "core/error.h"
#include "crypto/sealing.h"
#include "store/certificate_store.h"
#include "store/challenge_store.h"
#include "store/state_file.h"

namespace tlsguard::renew {

class OpenStore {
 public:
  // sealing must outlive this.
  [[nodiscard]] static Result<OpenStore> open(const std::string& path,
                                              const crypto::SealingKey& sealing);
  OpenStore(OpenStore&& other) noexcept;
  OpenStore& operator=(OpenStore&&) = delete;
  OpenStore(const OpenStore&) = delete;
  OpenStore& operator=(const OpenStore&) = delete;
  ~OpenStore();

  // Takes the store, if no other agent has it.
  bool own();
  [[nodiscard]] bool owned() const { return owned_; }

  [[nodiscard]] const store::Directory& agent() const { return agent_; }
  [[nodiscard]] std::string domains_path() const { return agent_.path() + "/domains"; }
  // Each once: whoever works with it owns it.
  [[nodiscard]] store::Directory take_accounts() { return std::move(accounts_); }
  [[nodiscard]] store::Directory take_ca() { return std::move(ca_); }
  [[nodiscard]] store::Directory take_lists() { return std::move(lists_); }
  [[nodiscard]] store::Directory take_reports() { return std::move(reports_); }
  [[nodiscard]] store::CertificateStore& certificates() { return certificates_; }
  [[nodiscard]] store::ChallengeStore& challenges() { return challenges_; }

 private:
  struct Parts;
  OpenStore(Parts parts, const crypto::SealingKey& sealing);

  store::Directory agent_;
  store::Directory accounts_;
  store::Directory ca_;
  store::Directory lists_;
  store::Directory reports_;
  store::CertificateStore certificates_;
  store::ChallengeStore challenges_;
  int lock_ = -1;
  std::atomic<bool> owned_ = false;
};

}  // namespace tlsguard::renew

#endif
