// SPDX-License-Identifier: Apache-2.0
#include "issued.h"

#include "crypto/certificate_builder.h"
#include "expect.h"

namespace tlsguard::test {

Issuer make_issuer(const std::string& common_name, const Issuer* parent) {
  auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
  crypto::CertificateBuilder builder(key.get(),
                                     parent != nullptr ? parent->certificate.get() : nullptr);
  builder.subject("Test", common_name).valid(test_now - 999 * one_day, test_now + 999 * one_day);
  builder.extension(NID_basic_constraints, "critical,CA:TRUE")
      .extension(NID_key_usage, "critical,keyCertSign")
      .extension(NID_subject_key_identifier, "hash")
      .extension(NID_authority_key_identifier, "keyid");
  auto certificate = value_of(builder.sign(parent != nullptr ? parent->key.get() : key.get()));
  return {std::move(key), std::move(certificate)};
}

crypto::Certificate make_leaf(const std::vector<std::string>& names, const EVP_PKEY* key,
                              const Issuer& issuer, const LeafOptions& options) {
  crypto::CertificateBuilder builder(key, issuer.certificate.get());
  builder.subject("", "").valid(options.from, options.until);
  builder.extension(NID_ext_key_usage, options.usage)
      .extension(NID_authority_key_identifier, "keyid");
  if (!names.empty()) builder.names(value_of(crypto::general_names(names)).get(), true);
  return value_of(builder.sign(issuer.key.get()));
}

std::string chain_pem_for(const std::vector<std::string>& names, const EVP_PKEY* key,
                          const Issuer& issuer, const LeafOptions& options) {
  crypto::Chain chain;
  chain.push_back(make_leaf(names, key, issuer, options));
  X509_up_ref(issuer.certificate.get());
  chain.emplace_back(issuer.certificate.get());
  return value_of(crypto::chain_to_pem(chain));
}

}  // namespace tlsguard::test
