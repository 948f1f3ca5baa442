// SPDX-License-Identifier: Apache-2.0
#include "acme/jws.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "acme/json_reader.h"
#include "crypto/base64url.h"
#include "crypto/digest.h"
#include "crypto/keys.h"

namespace tlsguard::acme {
namespace {

using crypto::base64url;
using nlohmann::json;

using BigNumber = std::unique_ptr<BIGNUM, crypto::Deleter<BIGNUM, BN_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, crypto::Deleter<ECDSA_SIG, ECDSA_SIG_free>>;

// A number of the public key, in base64url; size: bytes of a coordinate (RFC 7518 6.2.1.2), 0: as
// few as it takes (6.3.1.1). Empty: it has none.
std::string number_of(const EVP_PKEY* key, const char* name, int size) {
  BIGNUM* read = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &read) != 1) return {};
  BigNumber number(read);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(read) : size));
  if (BN_bn2binpad(read, bytes.data(), static_cast<int>(bytes.size())) < 0) return {};
  return base64url(bytes);
}

// Members in the order of RFC 7638 3.3: json's is that of their names.
std::string ec_jwk(const EVP_PKEY* key, const char* curve, int bytes) {
  std::string x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, bytes);
  std::string y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, bytes);
  if (x.empty() || y.empty()) return {};
  return json{{"crv", curve}, {"kty", "EC"}, {"x", x}, {"y", y}}.dump();
}

std::string rsa_jwk(const EVP_PKEY* key) {
  std::string e = number_of(key, OSSL_PKEY_PARAM_RSA_E, 0);
  std::string n = number_of(key, OSSL_PKEY_PARAM_RSA_N, 0);
  if (e.empty() || n.empty()) return {};
  return json{{"e", e}, {"kty", "RSA"}, {"n", n}}.dump();
}

// RFC 7518 3.4: both numbers at full length, where OpenSSL has an ASN.1 structure.
std::string ecdsa_from_der(std::span<const std::uint8_t> der, int bytes) {
  const unsigned char* at = der.data();
  EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return {};
  auto half = static_cast<std::size_t>(bytes);
  std::vector<std::uint8_t> raw(2 * half);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), bytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + half, bytes) < 0) {
    return {};
  }
  return base64url(raw);
}

// "header.payload" as it is signed (RFC 7515 5.1), with jwk where there is no kid.
std::string signing_input(const char* algorithm, const JwsHeader& header, const std::string& jwk,
                          std::string_view payload) {
  json fields{{"alg", algorithm}, {"url", header.url}};
  if (!header.nonce.empty()) fields["nonce"] = header.nonce;
  if (!header.kid.empty()) fields["kid"] = header.kid;
  std::string text = json_text(fields);
  if (header.kid.empty()) text.insert(text.size() - 1, ",\"jwk\":" + jwk);
  return base64url(text) + "." + base64url(payload);
}

// All of it is base64url: nothing needs escaping.
std::string flattened(std::string_view input, std::string_view signature) {
  std::size_t dot = input.find('.');
  std::string text;
  text.reserve(input.size() + signature.size() + 48);
  text += R"({"protected":")";
  text += input.substr(0, dot);
  text += R"(","payload":")";
  text += input.substr(dot + 1);
  text += R"(","signature":")";
  text += signature;
  text += "\"}";
  return text;
}

struct Hmac {
  std::string_view name;
  const EVP_MD* digest;
  std::size_t least;  // bytes of the key
};

}  // namespace

Result<std::shared_ptr<const Signer>> Signer::make(crypto::Key key) {
  std::shared_ptr<Signer> signer(new Signer());
  auto type = key ? crypto::key_type_of(key.get()) : std::nullopt;
  if (type == crypto::KeyType::p256) {
    signer->algorithm_ = "ES256";
    signer->digest_ = EVP_sha256();
    signer->curve_bytes_ = 32;
    signer->jwk_ = ec_jwk(key.get(), "P-256", 32);
  } else if (type == crypto::KeyType::p384) {
    signer->algorithm_ = "ES384";
    signer->digest_ = EVP_sha384();
    signer->curve_bytes_ = 48;
    signer->jwk_ = ec_jwk(key.get(), "P-384", 48);
  } else if (type) {
    signer->algorithm_ = "RS256";
    signer->digest_ = EVP_sha256();
    signer->jwk_ = rsa_jwk(key.get());
  } else {
    return fail_for_good("the account's key is none of P-256, P-384 and RSA of 2048 to 4096 bits");
  }
  if (signer->jwk_.empty()) return fail("the account's key: " + crypto::drain_errors());
  crypto::Sha256 digest = crypto::sha256(signer->jwk_);
  signer->thumbprint_ = base64url(digest);
  signer->key_ = std::move(key);
  return signer;
}

Result<std::string> Signer::signature(std::string_view input) const {
  crypto::DigestCtx context(EVP_MD_CTX_new());
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = bytes.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, digest_, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), bytes.data(), &size,
                     reinterpret_cast<const unsigned char*>(input.data()), input.size()) != 1) {
    return fail("signing with the account's key: " + crypto::drain_errors());
  }
  bytes.resize(size);
  if (curve_bytes_ == 0) return base64url(bytes);
  std::string raw = ecdsa_from_der(bytes, curve_bytes_);
  if (raw.empty()) return fail("signing with the account's key: " + crypto::drain_errors());
  return raw;
}

Result<std::string> Signer::sign(const JwsHeader& header, std::string_view payload) const {
  std::string input = signing_input(algorithm_, header, jwk_, payload);
  auto signed_input = signature(input);
  if (!signed_input) return tl::unexpected(signed_input.error());
  return flattened(input, *signed_input);
}

Result<std::string> sign_with_hmac(std::span<const std::uint8_t> key, std::string_view algorithm,
                                   const JwsHeader& header, std::string_view payload) {
  if (header.kid.empty()) return fail_for_good("the external account has no key id");
  const std::array<Hmac, 3> known{
      {{"HS256", EVP_sha256(), 1}, {"HS384", EVP_sha384(), 48}, {"HS512", EVP_sha512(), 64}}};
  for (const Hmac& one : known) {
    if (one.name != algorithm) continue;
    if (key.size() < one.least) {
      return fail_for_good("the external account's HMAC key is too short for " +
                           std::string(algorithm));
    }
    std::string input = signing_input(one.name.data(), header, "", payload);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
    unsigned int size = 0;
    if (HMAC(one.digest, key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac.data(),
             &size) == nullptr) {
      return fail("signing with the external account's key: " + crypto::drain_errors());
    }
    return flattened(input, base64url(std::span(mac).first(size)));
  }
  return fail_for_good("external accounts are signed with HS256, HS384 or HS512, not with " +
                       std::string(algorithm));
}

}  // namespace tlsguard::acme
