// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

namespace tlsguard::net {

std::optional<std::string_view> HttpResponse::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace tlsguard::net
