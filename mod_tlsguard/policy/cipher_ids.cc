// SPDX-License-Identifier: Apache-2.0
#include "policy/cipher_ids.h"

#include <fmt/format.h>

#include <array>

namespace tlsguard::policy {

CipherNames::CipherNames() : context_(SSL_CTX_new(TLS_server_method())) {
  if (context_) ssl_.reset(SSL_new(context_.get()));
}

std::string CipherNames::operator()(std::uint16_t id) const {
  const std::array<unsigned char, 2> wire{static_cast<unsigned char>(id >> 8),
                                          static_cast<unsigned char>(id & 0xff)};
  const SSL_CIPHER* cipher = ssl_ ? SSL_CIPHER_find(ssl_.get(), wire.data()) : nullptr;
  return cipher != nullptr ? SSL_CIPHER_get_name(cipher) : fmt::format("0x{:04x}", id);
}

}  // namespace tlsguard::policy
