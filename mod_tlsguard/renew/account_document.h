// SPDX-License-Identifier: Apache-2.0
// One account's file in agent/accounts. Plain values; the JSON is pure, and takes any bytes.
#ifndef TLSGUARD_RENEW_ACCOUNT_DOCUMENT_H
#define TLSGUARD_RENEW_ACCOUNT_DOCUMENT_H

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/keys.h"

namespace tlsguard::renew {

inline constexpr std::size_t max_account_file = 64UL * 1024;

struct AccountId {
  std::string directory_url;
  std::vector<std::string> contacts;  // sorted
  std::string kid;                    // of the external account; empty: none
  bool operator==(const AccountId&) const = default;
  // The file's name: a digest of all three.
  [[nodiscard]] std::string file() const;
};

struct AccountDocument {
  AccountId id;
  std::string account_url = {};                      // empty: the CA has not confirmed it yet
  crypto::KeyType key_type = crypto::KeyType::p256;  // another: an imported account
  std::string sealed_key = {};                       // base64url
  std::string next_key = {};  // P-256, during a roll-over, sealed: the CA may have either
  UnixSeconds created_at = 0;
  bool operator==(const AccountDocument&) const = default;
};

[[nodiscard]] std::string to_json(const AccountDocument& document);
[[nodiscard]] Result<AccountDocument> account_document_from_json(std::string_view text);

}  // namespace tlsguard::renew

#endif
