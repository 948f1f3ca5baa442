// SPDX-License-Identifier: Apache-2.0
// The built-in CA (TLSGuardCA internal): a root and an intermediate of this store alone, made on
// first use, and short-lived leaves (RFC 5280). Agent only, one thread at a time; tlsguardctl reads
// the root.
#ifndef TLSGUARD_CA_INTERNAL_CA_H
#define TLSGUARD_CA_INTERNAL_CA_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/openssl.h"
#include "crypto/sealing.h"
#include "store/state_file.h"

namespace tlsguard::ca {

struct InternalCaSettings {
  // Names the root is constrained to (RFC 5280 4.2.1.10) when it is made; empty: none. A later
  // change does not touch a root that is there.
  std::vector<std::string> permitted_names;
};

class InternalCa {
 public:
  // directory: agent/ca of the store. Makes root (10 years) and intermediate (1 year, renewed when
  // a third of it is left) where they are missing.
  [[nodiscard]] static Result<InternalCa> open(const store::Directory& directory,
                                               const crypto::SealingKey& sealing,
                                               const InternalCaSettings& settings, UnixSeconds now);

  // A leaf for these names (DNS names, wildcards, IP addresses) and this key: valid for 7 days,
  // from 5 minutes before now. Returns leaf and intermediate as PEM.
  [[nodiscard]] Result<std::string> issue(const std::vector<std::string>& names,
                                          const EVP_PKEY* public_key, UnixSeconds now) const;
  [[nodiscard]] const std::string& root_pem() const { return root_pem_; }

 private:
  InternalCa() = default;
  crypto::Certificate root_;
  crypto::Certificate intermediate_;
  crypto::Key intermediate_key_;
  std::string root_pem_;
};

}  // namespace tlsguard::ca

#endif
