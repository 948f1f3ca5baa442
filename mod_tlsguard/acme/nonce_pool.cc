// SPDX-License-Identifier: Apache-2.0
#include "acme/nonce_pool.h"

#include <algorithm>
#include <utility>

namespace tlsguard::acme {

std::optional<std::string> NoncePool::take() {
  std::scoped_lock lock(mutex_);
  if (nonces_.empty()) return std::nullopt;
  std::string nonce = std::move(nonces_.back());
  nonces_.pop_back();
  return nonce;
}

void NoncePool::put(std::string nonce) {
  std::scoped_lock lock(mutex_);
  if (nonces_.size() == max_nonces) nonces_.pop_front();
  nonces_.push_back(std::move(nonce));
}

std::optional<std::string> nonce_of(const net::HttpResponse& response) {
  constexpr std::size_t max_size = 512;
  auto field = response.field("replay-nonce");
  if (!field || field->empty() || field->size() > max_size) return std::nullopt;
  bool good = std::all_of(field->begin(), field->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  return good ? std::optional<std::string>(*field) : std::nullopt;
}

}  // namespace tlsguard::acme
