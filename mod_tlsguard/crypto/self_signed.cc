// SPDX-License-Identifier: Apache-2.0
#include "crypto/self_signed.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/keys.h"

namespace tlsguard::crypto {
namespace {

constexpr UnixSeconds day = 24L * 60 * 60;
constexpr std::size_t max_pem = 64UL * 1024;
constexpr std::string_view organization = "mod_tlsguard";
constexpr std::string_view placeholder_text = "no certificate has been obtained yet";
constexpr std::string_view challenge_text = "answer to tls-alpn-01";
// RFC 8737 6.1.
constexpr char acme_identifier[] = "1.3.6.1.5.5.7.1.31";

}  // namespace

Placeholders::Placeholders(Key key, std::string key_pem, UnixSeconds now)
    : key_(std::move(key)), key_pem_(std::move(key_pem)), builder_(key_.get(), nullptr) {
  builder_.subject(organization, placeholder_text).valid(now - day, now + 365 * day);
  builder_.extension(NID_basic_constraints, "critical,CA:FALSE")
      .extension(NID_key_usage, "critical,digitalSignature")
      .extension(NID_ext_key_usage, "serverAuth");
}

Result<std::unique_ptr<Placeholders>> Placeholders::make(UnixSeconds now) {
  auto key = generate_key(KeyType::p256);
  if (!key) return tl::unexpected(key.error());
  auto pem = key_to_pem(key->get());
  if (!pem) return tl::unexpected(pem.error());
  return std::unique_ptr<Placeholders>(
      new Placeholders(std::move(*key), std::string(pem->text()), now));
}

Result<std::string> Placeholders::pem_for(const std::vector<std::string>& names) {
  auto alternatives = general_names(names);
  if (!alternatives) return tl::unexpected(alternatives.error());
  auto certificate = builder_.names(alternatives->get(), false).new_serial().sign_pem(key_.get());
  if (!certificate) return certificate;
  return key_pem_ + *certificate;
}

bool is_placeholder(const X509* certificate) {
  if (certificate == nullptr) return false;
  auto facts = facts_of(certificate);
  return facts && facts->issuer == placeholder_text;
}

Result<std::string> make_alpn_certificate_pem(const std::string& name,
                                              std::string_view key_authorization, UnixSeconds now) {
  auto alternatives = general_names({name});
  if (!alternatives) return tl::unexpected(alternatives.error());
  auto key = generate_key(KeyType::p256);
  if (!key) return tl::unexpected(key.error());
  CertificateBuilder builder(key->get(), nullptr);
  builder.subject(organization, challenge_text).valid(now - day, now + 7 * day);
  builder.names(alternatives->get(), false)
      .octets(acme_identifier, sha256(key_authorization), true);
  auto certificate = builder.sign_pem(key->get());
  if (!certificate) return certificate;
  auto key_pem = key_to_pem(key->get());
  if (!key_pem) return tl::unexpected(key_pem.error());
  return std::string(key_pem->text()) + *certificate;
}

Result<KeyAndCertificate> key_and_certificate_from_pem(std::string_view pem) {
  if (pem.size() > max_pem) return fail("a key and certificate of this size are not read");
  auto key = key_from_pem(pem);
  if (!key) return tl::unexpected(key.error());
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return fail("there is no certificate beside the key: " + drain_errors());
  ERR_clear_error();
  return KeyAndCertificate{std::move(*key), std::move(certificate)};
}

}  // namespace tlsguard::crypto
