// SPDX-License-Identifier: Apache-2.0
// The built-in CA (TLSGuardCA internal): a root and an intermediate of this store alone, made on
// first use, and short-lived leaves (RFC 5280), all of P-256. Agent only, one thread at a time;
// tlsguardctl reads the root.
//
//   root.pem, root.key                    10 years; the key (sealed) is read only to sign an
//                                         intermediate
//   intermediate.pem, intermediate.key    a year; may sign certificates of TLS servers only
//
// Clients trust the root, so it is never replaced: where its files are there but cannot be read,
// the error (Next::never) says what to do. An intermediate is nobody's anchor: one that is torn or
// due is set aside and made anew.
#ifndef TLSGUARD_CA_INTERNAL_CA_H
#define TLSGUARD_CA_INTERNAL_CA_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/certificate.h"
#include "crypto/openssl.h"
#include "crypto/sealing.h"
#include "store/state_file.h"

namespace tlsguard::ca {

struct InternalCaSettings {
  // Names the root is constrained to (RFC 5280 4.2.1.10) when it is made: DNS names, with all names
  // below them, and IP addresses; empty: no constraint. What is not listed is excluded, addresses
  // too. A later change does not touch a root that is there.
  std::vector<std::string> permitted_names;
};

class InternalCa {
 public:
  // directory: agent/ca of the store. Makes root and intermediate where they are missing, and the
  // intermediate where a third of its time or less is left. To be opened anew at least once a week.
  [[nodiscard]] static Result<InternalCa> open(const store::Directory& directory,
                                               const crypto::SealingKey& sealing,
                                               const InternalCaSettings& settings, UnixSeconds now);

  // A leaf for these names (DNS names, wildcards, IP addresses) and this key: valid for 7 days,
  // from 5 minutes before now. Returns leaf and intermediate as PEM. An error (Next::never) for a
  // name that the root does not permit.
  [[nodiscard]] Result<std::string> issue(const std::vector<std::string>& names,
                                          const EVP_PKEY* public_key, UnixSeconds now) const;
  [[nodiscard]] const std::string& root_pem() const { return root_pem_; }
  [[nodiscard]] const crypto::CertificateFacts& root_facts() const { return root_facts_; }
  // What an administrator should know: the root ends within a year; or the intermediate is due but
  // no new one could be made (it serves on while a leaf does not outlive it). Empty: all is well.
  [[nodiscard]] const std::string& warning() const { return warning_; }

 private:
  InternalCa() = default;
  crypto::Certificate root_;
  crypto::Certificate intermediate_;
  crypto::Key intermediate_key_;
  std::string root_pem_;
  crypto::CertificateFacts root_facts_;
  std::string warning_;
};

// The root of this directory, for tlsguardctl; an error where there is none yet, or it is torn.
[[nodiscard]] Result<std::string> read_root_pem(const store::Directory& directory);

}  // namespace tlsguard::ca

#endif
