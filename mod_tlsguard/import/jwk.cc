// SPDX-License-Identifier: Apache-2.0
#include "import/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base64url.h"
#include "crypto/keys.h"
#include "import/json_fields.h"

namespace tlsguard::import {
namespace {

using crypto::Deleter;
using crypto::SecretBytes;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM, OSSL_PARAM_free>>;
using KeyCtx = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using SecretNumber = std::unique_ptr<BIGNUM, Deleter<BIGNUM, BN_clear_free>>;

constexpr std::size_t longest_number = 512;  // bytes, of RSA with 4096 bits

struct Member {
  const char* jwk;
  const char* param;
};
constexpr std::array rsa_members{
    Member{"n", OSSL_PKEY_PARAM_RSA_N},          Member{"e", OSSL_PKEY_PARAM_RSA_E},
    Member{"d", OSSL_PKEY_PARAM_RSA_D},          Member{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
    Member{"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    Member{"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    Member{"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, Member{"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};

struct Curve {
  const char* jwk;
  const char* group;
  std::size_t size;  // bytes of a coordinate
};
constexpr std::array curves{Curve{"P-256", "prime256v1", 32}, Curve{"P-384", "secp384r1", 48}};

Result<SecretBytes> member(const Json& jwk, const char* name) {
  auto bytes = crypto::from_base64url(text_at(jwk, {name}));
  if (!bytes || bytes->empty() || bytes->size() > longest_number) {
    return fail(std::string("its member '") + name + "' is missing or wrong");
  }
  return bytes;
}

SecretNumber number_of(const SecretBytes& bytes) {
  return SecretNumber(BN_bin2bn(bytes.bytes().data(), static_cast<int>(bytes.size()), nullptr));
}

Result<crypto::Key> key_of(const char* type, OSSL_PARAM_BLD* builder) {
  Params params(OSSL_PARAM_BLD_to_param(builder));
  KeyCtx context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return fail("its numbers are no key: " + crypto::drain_errors());
  }
  crypto::Key key(made);
  KeyCtx check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  bool good = crypto::key_type_of(key.get()).has_value() && check != nullptr &&
              EVP_PKEY_pairwise_check(check.get()) == 1;
  ERR_clear_error();
  if (!good) return fail("its public and private halves do not fit, or its size is not supported");
  return key;
}

Result<crypto::Key> rsa_from(const Json& jwk) {
  Builder builder(OSSL_PARAM_BLD_new());
  std::vector<SecretNumber> numbers;  // the builder keeps pointers only
  for (const Member& each : rsa_members) {
    auto bytes = member(jwk, each.jwk);
    if (!bytes) return tl::unexpected(bytes.error());
    numbers.push_back(number_of(*bytes));
    if (!builder || !numbers.back() ||
        OSSL_PARAM_BLD_push_BN(builder.get(), each.param, numbers.back().get()) != 1) {
      return fail("no memory for a key");
    }
  }
  return key_of("RSA", builder.get());
}

Result<crypto::Key> ec_from(const Json& jwk) {
  const std::string name = text_at(jwk, {"crv"});
  for (const Curve& curve : curves) {
    if (name != curve.jwk) continue;
    auto x = member(jwk, "x");
    auto y = member(jwk, "y");
    auto d = member(jwk, "d");
    for (const auto* each : {&x, &y, &d}) {
      if (!*each) return tl::unexpected(each->error());
      // RFC 7518 6.2.1.2: full size, leading zeros included.
      if ((*each)->size() != curve.size) return fail("a number of it has the wrong size");
    }
    std::string point = "\x04";
    point += std::string(x->text()) + std::string(y->text());
    SecretNumber secret = number_of(*d);
    Builder builder(OSSL_PARAM_BLD_new());
    if (!builder || !secret ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group,
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get()) != 1) {
      return fail("no memory for a key");
    }
    return key_of("EC", builder.get());
  }
  return fail("its curve is not supported");
}

}  // namespace

Result<crypto::Key> key_from_jwk(std::string_view text) {
  auto jwk = parse_foreign_json(text);
  if (!jwk) return tl::unexpected(jwk.error());
  const std::string type = text_at(*jwk, {"kty"});
  if (type == "RSA") return rsa_from(*jwk);
  if (type == "EC") return ec_from(*jwk);
  return fail("its type is neither RSA nor EC");
}

}  // namespace tlsguard::import
