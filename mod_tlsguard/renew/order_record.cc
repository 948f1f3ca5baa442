// SPDX-License-Identifier: Apache-2.0
#include "renew/order_record.h"

#include <algorithm>

#include "crypto/base64url.h"

namespace tlsguard::renew {
namespace {

std::string purpose(const std::string& identity, crypto::KeyType type) {
  return "order/" + identity + "/" + std::string(crypto::key_type_name(type));
}

}  // namespace

Result<std::string> seal_key(const crypto::SealingKey& sealing, const std::string& identity,
                             crypto::KeyType type, const EVP_PKEY* key) {
  auto der = crypto::key_to_der(key);
  if (!der) return tl::unexpected(der.error());
  auto sealed = sealing.seal(der->bytes(), purpose(identity, type));
  if (!sealed) return tl::unexpected(sealed.error());
  return crypto::base64url(*sealed);
}

Result<crypto::Key> unseal_key(const crypto::SealingKey& sealing, const std::string& identity,
                               const OrderPart& part) {
  auto sealed = crypto::from_base64url(part.sealed_key);
  if (!sealed) return tl::unexpected(sealed.error());
  auto der = sealing.unseal(sealed->text(), purpose(identity, part.type));
  if (!der) return tl::unexpected(der.error());
  return crypto::key_from_der(part.type, der->bytes());
}

bool still_wanted(const OrderRecord& order, const DomainSpec& spec) {
  const DomainSettings& settings = *spec.settings;
  bool listed = std::any_of(settings.cas.begin(), settings.cas.end(),
                            [&](const CaSpec& ca) { return ca.directory_url == order.ca_url; });
  bool same_keys = std::equal(
      order.parts.begin(), order.parts.end(), settings.key_types.begin(), settings.key_types.end(),
      [](const OrderPart& part, crypto::KeyType type) { return part.type == type; });
  // A profile that the CA did not have was left out.
  bool same_profile =
      order.profile.empty() ? !settings.profile_required : order.profile == settings.profile;
  return listed && same_keys && same_profile && order.names == spec.names &&
         order.preferred_chain == settings.preferred_chain;
}

}  // namespace tlsguard::renew
