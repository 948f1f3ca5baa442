// SPDX-License-Identifier: Apache-2.0
// The store, worked on by tlsguardctl. While one of these lives, this process acts as the agent's
// user, so nothing that lies there can lead root astray; what is root's, the sealing key, is read
// before. One at a time, one thread; blocking.
#ifndef TLSGUARD_CTL_STORE_ACCESS_H
#define TLSGUARD_CTL_STORE_ACCESS_H

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/log_sink.h"
#include "crypto/sealing.h"
#include "renew/accounts.h"
#include "renew/job_store.h"
#include "renew/open_store.h"
#include "store/prepare.h"

namespace tlsguard::ctl {

// Whoever may not use the store learns it before anything is done, and what to do. No error where
// it is missing: that is said where it matters.
[[nodiscard]] Result<void> check_rights(const std::string& store);

class StoreAccess {
 public:
  // nullopt: no domain was ever managed there. An error, too, where there is no store at all.
  [[nodiscard]] static Result<std::optional<StoreAccess>> open(const std::string& path);
  // Makes it where it is missing.
  [[nodiscard]] static Result<StoreAccess> make(const std::string& path,
                                                const store::Owners& owners);
  StoreAccess(StoreAccess&& other) noexcept;
  StoreAccess(const StoreAccess&) = delete;
  StoreAccess& operator=(const StoreAccess&) = delete;
  StoreAccess& operator=(StoreAccess&&) = delete;
  ~StoreAccess();  // this process is again who it was

  [[nodiscard]] store::CertificateStore& certificates() { return store_->certificates(); }
  [[nodiscard]] renew::JobStore& jobs() { return *jobs_; }
  // Once.
  [[nodiscard]] renew::Accounts accounts();
  [[nodiscard]] std::string agent_path() const { return path_ + "/agent"; }
  [[nodiscard]] std::string ca_path() const { return path_ + "/agent/ca"; }
  // What the agent alone may change. An error where there is one, here or of another server.
  [[nodiscard]] Result<void> lock();

 private:
  StoreAccess(std::string path, crypto::SealingKey key);
  static Result<StoreAccess> enter(const std::string& path, crypto::SealingKey key);
  Result<void> become_owner();
  void come_back();

  std::string path_;
  std::unique_ptr<crypto::SealingKey> key_;
  std::unique_ptr<LogSink> log_;
  std::optional<renew::OpenStore> store_;
  std::optional<renew::JobStore> jobs_;
  bool changed_ = false;  // acts as another user
};

// Who a store belongs to that is not there yet: the agent's user (empty: tlsguard where there is
// such a user, else httpd's) and the group of httpd's workers (empty: that of httpd's user, by the
// usual names). The error says what to write.
[[nodiscard]] Result<store::Owners> owners_of_new_store(const std::string& agent_user,
                                                        const std::string& httpd_group);

}  // namespace tlsguard::ctl

#endif
