// SPDX-License-Identifier: Apache-2.0
#include "renew/webhook.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "core/date.h"
#include "core/text.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"
#include "crypto/secret_bytes.h"
#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t longest_key = 4096;
constexpr std::size_t most_names = 100;

Result<crypto::SecretBytes> key_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail("key file '" + path + "' cannot be read");
  crypto::SecretBytes content(longest_key + 1);
  file.read(reinterpret_cast<char*>(content.bytes().data()),
            static_cast<std::streamsize>(content.size()));
  auto size = static_cast<std::size_t>(file.gcount());
  if (size > longest_key) {
    return fail(fmt::format("key file '{}' has more than {} bytes", path, longest_key));
  }
  // An editor's end of line is no part of the key.
  crypto::SecretBytes key(trim(content.text().substr(0, size)));
  if (key.size() == 0) return fail("key file '" + path + "' is empty");
  return key;
}

Result<std::string> signature_of(std::string_view body, const crypto::SecretBytes& key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (::HMAC(::EVP_sha256(), key.bytes().data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac.data(),
             &size) == nullptr) {
    return fail("it cannot be signed: " + crypto::drain_errors());
  }
  return "sha256=" + crypto::hex({mac.data(), size});
}

}  // namespace

std::string new_event_id() {
  std::array<unsigned char, 16> bytes{};
  ::RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return crypto::hex(bytes);
}

std::string webhook_body(const Occurrence& what) {
  std::vector<std::string> names = what.domain.names;
  names.resize(std::min(names.size(), most_names));
  return dump({{"id", what.id},
               {"event", what.event},
               {"domain", what.domain.identity},
               {"names", std::move(names)},
               {"text", what.text},
               {"time", format_date(what.at)},
               {"server", what.server},
               {"version", TLSGUARD_VERSION}});
}

Result<net::HttpRequest> webhook_request(const EventSpec& line, const std::string& body) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = line.arguments.front();
  request.fields = {{"Content-Type", "application/json"}};
  request.body = body;
  if (line.arguments.size() < 2) return request;
  auto key = key_in(line.arguments[1]);
  if (!key) return tl::unexpected(key.error());
  auto signature = signature_of(body, *key);
  if (!signature) return tl::unexpected(signature.error());
  request.fields.emplace_back("TLSGuard-Signature", std::move(*signature));
  return request;
}

}  // namespace tlsguard::renew
