// SPDX-License-Identifier: Apache-2.0
// Settings as words, for notes, errors and dumps. Pure; thread-safe.
#ifndef TLSGUARD_POLICY_WORDING_H
#define TLSGUARD_POLICY_WORDING_H

#include <cstdint>
#include <string>
#include <vector>

#include "core/protocol.h"
#include "hello/server_settings.h"

namespace tlsguard::policy {

[[nodiscard]] std::string version_names(ProtocolSet protocols);  // "TLSv1.2 TLSv1.3"; "none"
[[nodiscard]] std::vector<std::string> cipher_names(const std::vector<hello::Cipher>& ciphers);
[[nodiscard]] std::vector<std::string> group_names(const std::vector<std::uint16_t>& groups);
[[nodiscard]] std::vector<std::string> signature_algorithm_names(
    const std::vector<std::uint16_t>& algorithms);
[[nodiscard]] std::string key_type_name(hello::KeyType type);          // "RSA", "ECDSA"
[[nodiscard]] std::string key_name(const hello::CertificateKey& key);  // "RSA 2048", "ECDSA P-256"

// "a, b, c and 4 more"; "none" where there are none.
[[nodiscard]] std::string enumerate(const std::vector<std::string>& names);

}  // namespace tlsguard::policy

#endif
