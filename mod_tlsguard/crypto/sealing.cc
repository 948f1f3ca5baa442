// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealing.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <limits>
#include <utility>

#include "crypto/openssl.h"

namespace tlsguard::crypto {
namespace {

using CipherCtx = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>>;

constexpr std::uint8_t version = 1;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t head_size = 1 + nonce_size;
// Keys are a few kilobytes; OpenSSL counts in int.
constexpr std::size_t max_plain = 16UL * 1024 * 1024;

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// Everything before the text itself: cipher, key, nonce, associated text. encrypt: 1, 0.
bool begin(EVP_CIPHER_CTX* context, std::span<const std::uint8_t> key, const std::uint8_t* nonce,
           std::string_view associated, int encrypt) {
  int done = 0;
  return context != nullptr && associated.size() <= max_plain &&
         EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, key.data(), nonce, encrypt) == 1 &&
         EVP_CipherUpdate(context, nullptr, &done, bytes_of(associated),
                          static_cast<int>(associated.size())) == 1;
}

}  // namespace

Result<SealingKey> SealingKey::generate() {
  SecretBytes key(size);
  if (RAND_priv_bytes(key.bytes().data(), static_cast<int>(size)) != 1) {
    return fail("no random bytes for the sealing key: " + drain_errors());
  }
  return SealingKey(std::move(key));
}

Result<SealingKey> SealingKey::from_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != size) {
    return fail_for_good("a sealing key has " + std::to_string(size) + " bytes, this one has " +
                         std::to_string(bytes.size()) +
                         ": bring back its file from a backup, for what it sealed opens with no "
                         "other key");
  }
  return SealingKey(SecretBytes(bytes));
}

Result<std::string> SealingKey::seal(std::span<const std::uint8_t> plain,
                                     std::string_view associated) const {
  if (plain.size() > max_plain) return fail("what is to be sealed is too large");
  std::string sealed(head_size + plain.size() + tag_size, '\0');
  auto* out = reinterpret_cast<std::uint8_t*>(sealed.data());
  out[0] = version;
  if (RAND_bytes(out + 1, static_cast<int>(nonce_size)) != 1) {
    return fail("no random bytes for sealing: " + drain_errors());
  }
  CipherCtx context(EVP_CIPHER_CTX_new());
  int done = 0;
  if (!begin(context.get(), key_.bytes(), out + 1, associated, 1) ||
      EVP_EncryptUpdate(context.get(), out + head_size, &done, plain.data(),
                        static_cast<int>(plain.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), out + head_size + plain.size(), &done) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag_size),
                          out + head_size + plain.size()) != 1) {
    return fail("sealing failed: " + drain_errors());
  }
  return sealed;
}

Result<SecretBytes> SealingKey::unseal(std::string_view sealed, std::string_view associated) const {
  if (sealed.size() < head_size + tag_size || sealed.size() > max_plain) {
    return fail("this is no sealed file: " + std::to_string(sealed.size()) + " bytes");
  }
  if (static_cast<std::uint8_t>(sealed[0]) != version) {
    return fail("this is no sealed file of version " + std::to_string(version));
  }
  const std::uint8_t* in = bytes_of(sealed);
  SecretBytes plain(sealed.size() - head_size - tag_size);
  std::array<std::uint8_t, tag_size> tag{};
  sealed.copy(reinterpret_cast<char*>(tag.data()), tag_size, head_size + plain.size());
  CipherCtx context(EVP_CIPHER_CTX_new());
  int done = 0;
  if (!begin(context.get(), key_.bytes(), in + 1, associated, 0) ||
      EVP_DecryptUpdate(context.get(), plain.bytes().data(), &done, in + head_size,
                        static_cast<int>(plain.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag_size),
                          tag.data()) != 1) {
    return fail("opening a sealed file failed: " + drain_errors());
  }
  if (EVP_DecryptFinal_ex(context.get(), tag.data(), &done) != 1) {
    ERR_clear_error();
    return fail(
        "it was sealed with another key or for another purpose, or was changed: bring back the "
        "store and its seal.key from one backup");
  }
  return plain;
}

}  // namespace tlsguard::crypto
