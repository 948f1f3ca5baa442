// SPDX-License-Identifier: Apache-2.0
// An order under way, as it stands in a domain's order.json: each step is there before the next is
// taken, so whoever comes after a crash goes on where it ended. Keys are sealed, and on disk before
// the CA hears of them; a power failure before that costs an order, after it nothing. Plain values;
// the JSON is pure, and takes any bytes.
#ifndef TLSGUARD_RENEW_ORDER_RECORD_H
#define TLSGUARD_RENEW_ORDER_RECORD_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "acme/types.h"
#include "core/error.h"
#include "core/unix_time.h"
#include "crypto/keys.h"
#include "crypto/sealing.h"
#include "renew/schedule.h"
#include "renew/spec.h"

namespace tlsguard::renew {

inline constexpr char order_file[] = "order.json";
inline constexpr std::size_t max_order_file = 4UL * 1024 * 1024;

// The certificate of one key type.
struct OrderPart {
  crypto::KeyType type = crypto::KeyType::p256;
  std::string replaces = {};         // RFC 9773 5; empty: none
  std::string url = {};              // of the order; empty: not made yet, or not known to us
  std::string sealed_key = {};       // from before finalize on (seal_key)
  bool finalized = false;            // finalize was, or was about to be, sent
  std::string certificate_url = {};  // once valid
  std::string chain_pem = {};        // downloaded and checked
  bool operator==(const OrderPart&) const = default;
};

// A challenge that was, or was about to be, put in place.
struct PlacedChallenge {
  acme::Authorization authorization;  // url, identifier, wildcard
  acme::Challenge challenge;          // type, url, token, issuer_domain_names
};

struct OrderRecord {
  std::string identity;
  std::vector<std::string> names;
  std::string ca;      // as written
  std::string ca_url;  // empty: internal
  std::string account_url;
  std::string profile;
  std::string preferred_chain;
  Cause cause = Cause::first;
  UnixSeconds begun_at = 0;
  std::vector<OrderPart> parts;  // as TLSGuardKeyTypes
  std::vector<PlacedChallenge> placed;
};

[[nodiscard]] std::string to_json(const OrderRecord& order);
[[nodiscard]] Result<OrderRecord> order_record_from_json(std::string_view text);

// A part's key: opened only for this domain and key type.
[[nodiscard]] Result<std::string> seal_key(const crypto::SealingKey& sealing,
                                           const std::string& identity, crypto::KeyType type,
                                           const EVP_PKEY* key);
[[nodiscard]] Result<crypto::Key> unseal_key(const crypto::SealingKey& sealing,
                                             const std::string& identity, const OrderPart& part);

// Whether an order that was begun is still one that these settings would make: its CA is listed,
// names, key types, profile and chain are the same.
[[nodiscard]] bool still_wanted(const OrderRecord& order, const DomainSpec& spec);

}  // namespace tlsguard::renew

#endif
