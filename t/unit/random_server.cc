// SPDX-License-Identifier: Apache-2.0
#include "random_server.h"

#include <algorithm>

namespace tlsguard::test {
namespace {

using hello::KeyType;

Identity make(std::string name, Key key, KeyType type, std::uint16_t curve,
              std::uint16_t issuer_signature, const CertificateRequest& request = {}) {
  hello::CertificateKey facts;
  facts.type = type;
  facts.curve = curve;
  facts.issuer_signature = issuer_signature;
  return make_identity(std::move(name), std::move(key), facts, request);
}

}  // namespace

Identities::Identities()
    : rsa_issuer_(make_identity("issuer-rsa", make_rsa(2048), {})),
      ec_issuer_(make_identity("issuer-p256", make_ec("P-256"), {})) {
  rsa_.push_back(make("rsa2048", make_rsa(2048), KeyType::rsa, 0, 0x0401));
  rsa_.push_back(make("rsa1024", make_rsa(1024), KeyType::rsa, 0, 0x0401));
  rsa_.push_back(
      make("rsa2048-by-sha1", make_rsa(2048), KeyType::rsa, 0, 0x0201, {"SHA1", &rsa_issuer_}));
  rsa_.push_back(
      make("rsa2048-by-ec", make_rsa(2048), KeyType::rsa, 0, 0x0403, {"SHA256", &ec_issuer_}));
  ecdsa_.push_back(make("p256", make_ec("P-256"), KeyType::ecdsa, 23, 0x0403));
  ecdsa_.push_back(make("p384", make_ec("P-384"), KeyType::ecdsa, 24, 0x0503, {"SHA384"}));
  ecdsa_.push_back(
      make("p521-by-rsa", make_ec("P-521"), KeyType::ecdsa, 25, 0x0601, {"SHA512", &rsa_issuer_}));
  ecdsa_.push_back(make("brainpool", make_ec("brainpoolP256r1"), KeyType::ecdsa, 26, 0x0403));
  ecdsa_.push_back(make("p256-agreement", make_ec("P-256"), KeyType::ecdsa, 23, 0x0403,
                        {"SHA256", nullptr, "keyAgreement"}));
  ecdsa_.back().facts.may_sign = false;
  ecdsa_.push_back(
      make("p256-by-sha3", make_ec("P-256"), KeyType::ecdsa, 23, 0, {"SHA3-256", &ec_issuer_}));
  other_.push_back(make("ed25519", make_key("ED25519"), KeyType::ed25519, 0, 0x0807, {nullptr}));
  other_.push_back(make("ed448", make_key("ED448"), KeyType::ed448, 0, 0x0808, {nullptr}));
  other_.push_back(make("pss", make_rsa_pss(2048, nullptr), KeyType::rsa_pss, 0, 0x0809));
  other_.push_back(
      make("pss-sha384", make_rsa_pss(2048, "SHA384"), KeyType::rsa_pss, 0, 0x080a, {"SHA384"}));
  other_.back().facts.pss_hash_bits = 384;
}

std::vector<const Identity*> Identities::random(Random& random) const {
  std::vector<const Identity*> chosen;
  bool both = random.chance(40);
  bool use_rsa = both || random.chance(50);
  // The plain ones most of the time.
  if (use_rsa) chosen.push_back(random.chance(60) ? &rsa_[0] : &rsa_[random.below(rsa_.size())]);
  if (both || !use_rsa) {
    chosen.push_back(random.chance(60) ? &ecdsa_[random.below(2)]
                                       : &ecdsa_[random.below(ecdsa_.size())]);
  }
  if (random.chance(15)) {
    if (random.chance(40)) chosen.clear();
    chosen.push_back(&other_[random.below(other_.size())]);
  }
  return chosen;
}
ServerSpec random_spec(Random& random, const Identities& identities) {
  ServerSpec spec;
  spec.security_level = random.pick({0, 0, 1, 1, 1, 2, 2, 2, 3, 4});
  spec.min = random.pick({TLS1_VERSION, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION});
  spec.max = random.chance(60)   ? TLS1_3_VERSION
             : random.chance(80) ? TLS1_2_VERSION
                                 : TLS1_1_VERSION;
  if (random.chance(5)) spec.min = spec.max = TLS1_3_VERSION;
  if (spec.security_level >= 3) spec.max = std::max(spec.max, TLS1_2_VERSION);
  spec.min = std::min(spec.min, spec.max);
  if (spec.max == TLS1_3_VERSION && spec.min < TLS1_2_VERSION && random.chance(15)) {
    spec.options |= SSL_OP_NO_TLSv1_2;
    spec.security_level = std::min(spec.security_level, 2);
  }
  if (random.chance(50)) spec.options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
  spec.ciphers = random.pick({"ALL:COMPLEMENTOFALL", "DEFAULT", "DEFAULT", "ECDHE+AESGCM:ECDHE+AES",
                              "ECDHE+AESGCM:ECDHE+AES", "AES128-SHA:ECDHE-RSA-AES128-SHA",
                              "DHE+AES:ECDHE-ECDSA-AES128-SHA", "aRSA+AES", "aECDSA+AES",
                              "ECDHE+CHACHA20:kRSA+AES", "ALL:COMPLEMENTOFALL:!aNULL:!eNULL"});
  if (random.chance(30))
    spec.suites = random.pick(
        {"TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256"});
  if (random.chance(60)) {
    spec.groups = random.pick({"X25519:P-256:P-384", "P-256", "P-384", "X25519", "P-521:X448",
                               "ffdhe2048:P-256", "P-224:secp256k1:brainpoolP256r1:P-384"});
  }
  if (random.chance(40)) {
    spec.sigalgs = random.pick(
        {"ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256", "RSA+SHA256", "RSA-PSS+SHA512", "ECDSA+SHA384",
         "ECDSA+SHA256:ECDSA+SHA384", "ed25519:rsa_pss_pss_sha256:rsa_pss_pss_sha384:RSA+SHA512",
         "RSA+SHA1:ECDSA+SHA1:ECDSA+SHA256", "RSA+SHA224:ECDSA+SHA224:RSA-PSS+SHA384"});
  }
  if (spec.security_level >= 2) {
    // What is too weak for a level leaves nothing over.
    if (spec.groups.starts_with("P-224")) spec.groups = "brainpoolP256r1:P-384:P-256";
    if (spec.sigalgs.starts_with("RSA+SHA1")) spec.sigalgs.clear();
  }
  if (spec.security_level >= 3) {
    spec.groups = spec.groups.empty() ? "" : "P-521:X25519:P-384";
    spec.sigalgs = spec.sigalgs.empty() ? "" : "ECDSA+SHA384:RSA-PSS+SHA512:ed448";
    spec.suites = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
    spec.ciphers = "ALL";
  }
  spec.dh_auto = random.chance(70);
  spec.dh_1536 = random.chance(10);
  spec.identities = identities.random(random);
  return spec;
}

}  // namespace tlsguard::test
