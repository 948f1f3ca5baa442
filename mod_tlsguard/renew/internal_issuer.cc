// SPDX-License-Identifier: Apache-2.0
#include "renew/internal_issuer.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t look_again = 3600;  // seconds

}  // namespace

Result<void> InternalIssuer::open(UnixSeconds now) {
  bool fresh = now >= opened_at_ && now - opened_at_ < look_again;
  if (ca_ && fresh) return {};
  auto opened = ca::InternalCa::open(directory_, *sealing_, settings_, now);
  if (!opened) {
    Error error = opened.error().within("internal CA");
    error.kind = "store";
    return tl::unexpected(std::move(error));
  }
  ca_.emplace(std::move(*opened));
  opened_at_ = now;
  return {};
}

Result<std::string> InternalIssuer::issue(const std::vector<std::string>& names,
                                          const EVP_PKEY* key, UnixSeconds now) {
  std::lock_guard lock(mutex_);
  if (auto opened = open(now); !opened) return tl::unexpected(opened.error());
  return ca_->issue(names, key, now);
}

Result<std::string> InternalIssuer::root_pem(UnixSeconds now) {
  std::lock_guard lock(mutex_);
  if (auto opened = open(now); !opened) return tl::unexpected(opened.error());
  return ca_->root_pem();
}

}  // namespace tlsguard::renew
