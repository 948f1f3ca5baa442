// SPDX-License-Identifier: Apache-2.0
// The names of key-exchange groups and signature algorithms: IANA's, OpenSSL's and their
// aliases, with their code points and strength. Static tables; thread-safe.
#ifndef TLSGUARD_POLICY_NAMES_H
#define TLSGUARD_POLICY_NAMES_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tlsguard::policy {

// RFC 8446 4.2.7, RFC 7919, RFC 8422, RFC 7027, RFC 8734, draft-ietf-tls-ecdhe-mlkem.
struct Group {
  std::uint16_t id;
  const char* name;          // canonical here: X25519, P-256, X25519MLKEM768, ffdhe2048 …
  const char* openssl_name;  // as SSL_CTX_set1_groups_list of every supported version takes it
  const char* aliases;       // separated by spaces: "prime256v1 secp256r1"
  int bits;                  // security strength as OpenSSL counts it: P-256 128, X25519 128 …
  bool post_quantum;
};

// Case-insensitive, aliases too. nullptr: a name nobody knows.
[[nodiscard]] const Group* find_group(std::string_view name);
[[nodiscard]] const Group* find_group(std::uint16_t id);
[[nodiscard]] std::string group_name(std::uint16_t id);  // "0x1234" where unknown
[[nodiscard]] std::vector<std::string> all_group_names();
// The argument of SSL_set1_groups_list for these groups, in this order, on the OpenSSL that runs:
// from 3.5 on post-quantum groups in front are a tuple of their own, else that library prefers a
// classic group whose key share came along. Groups without a name here are left out.
[[nodiscard]] std::string groups_list(const std::vector<std::uint16_t>& groups);

// For SSL_set1_groups, which is much cheaper than the list of names; 0: it has none (some groups of
// providers, post-quantum ones).
[[nodiscard]] int group_nid(const Group& group);

// RFC 8446 4.2.3 SignatureScheme.
struct SignatureAlgorithm {
  std::uint16_t id;
  const char* name;          // rsa_pss_rsae_sha256, ecdsa_secp256r1_sha256, …
  const char* openssl_name;  // as SSL_CTX_set1_sigalgs_list of every supported version takes it
  const char* aliases;       // RSA+SHA256, ECDSA+SHA256 …
  int hash_bits;             // 160 for SHA-1, 224 … 512; without a hash: twice the strength
};
[[nodiscard]] const SignatureAlgorithm* find_signature_algorithm(std::string_view name);
[[nodiscard]] const SignatureAlgorithm* find_signature_algorithm(std::uint16_t id);
[[nodiscard]] std::string signature_algorithm_name(std::uint16_t id);
[[nodiscard]] std::vector<std::string> all_signature_algorithm_names();

}  // namespace tlsguard::policy

#endif
