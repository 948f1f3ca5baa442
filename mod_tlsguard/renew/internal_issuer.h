// SPDX-License-Identifier: Apache-2.0
// The internal CA, opened when it is first needed and looked after now and then: its intermediate
// is renewed when it is opened. Thread-safe. Blocking.
#ifndef TLSGUARD_RENEW_INTERNAL_ISSUER_H
#define TLSGUARD_RENEW_INTERNAL_ISSUER_H

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ca/internal_ca.h"
#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/sealing.h"
#include "store/state_file.h"

namespace tlsguard::renew {

class InternalIssuer {
 public:
  // directory: agent/ca. sealing must outlive this.
  InternalIssuer(store::Directory directory, const crypto::SealingKey& sealing,
                 std::vector<std::string> permitted_names)
      : directory_(std::move(directory)),
        sealing_(&sealing),
        settings_{std::move(permitted_names)} {}

  // A chain as PEM.
  [[nodiscard]] Result<std::string> issue(const std::vector<std::string>& names,
                                          const EVP_PKEY* key, UnixSeconds now);
  // Made where there is none yet.
  [[nodiscard]] Result<std::string> root_pem(UnixSeconds now);

 private:
  Result<void> open(UnixSeconds now);

  std::mutex mutex_;
  store::Directory directory_;
  const crypto::SealingKey* sealing_;
  ca::InternalCaSettings settings_;
  std::optional<ca::InternalCa> ca_;
  UnixSeconds opened_at_ = 0;
};

}  // namespace tlsguard::renew

#endif
