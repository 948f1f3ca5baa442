// SPDX-License-Identifier: Apache-2.0
#include "crypto/self_signed.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <optional>
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

struct NewKey {
  Key key;
  std::string pem;
};
Result<NewKey> new_key() {
  auto key = generate_key(KeyType::p256);
  if (!key) return tl::unexpected(key.error());
  auto pem = key_to_pem(key->get());
  if (!pem) return tl::unexpected(pem.error());
  return NewKey{std::move(*key), std::string(pem->text())};
}

// A thread's answers to tls-alpn-01: what they have in common is made once.
class AlpnCertificates {
 public:
  explicit AlpnCertificates(NewKey made)
      : key_(std::move(made.key)), key_pem_(std::move(made.pem)), builder_(key_.get(), nullptr) {
    builder_.subject(organization, challenge_text);
  }
  Result<std::string> pem_for(const GENERAL_NAMES* name, std::string_view key_authorization,
                              UnixSeconds now) {
    auto certificate = builder_.valid(now - day, now + 7 * day)
                           .names(name, false)
                           .octets(acme_identifier, sha256(key_authorization), true)
                           .new_serial()
                           .sign_pem(key_.get());
    if (!certificate) return certificate;
    return key_pem_ + *certificate;
  }

 private:
  Key key_;
  std::string key_pem_;
  CertificateBuilder builder_;
};

}  // namespace

Placeholders::Placeholders(Key key, std::string key_pem, UnixSeconds now)
    : key_(std::move(key)), key_pem_(std::move(key_pem)), builder_(key_.get(), nullptr) {
  builder_.subject(organization, placeholder_text).valid(now - day, now + 365 * day);
  builder_.extension(NID_basic_constraints, "critical,CA:FALSE")
      .extension(NID_key_usage, "critical,digitalSignature")
      .extension(NID_ext_key_usage, "serverAuth");
}

Result<std::unique_ptr<Placeholders>> Placeholders::make(UnixSeconds now) {
  auto made = new_key();
  if (!made) return tl::unexpected(made.error());
  return std::unique_ptr<Placeholders>(
      new Placeholders(std::move(made->key), std::move(made->pem), now));
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
  thread_local std::optional<AlpnCertificates> certificates;
  if (!certificates) {
    auto made = new_key();
    if (!made) return tl::unexpected(made.error());
    certificates.emplace(std::move(*made));
  }
  auto pem = certificates->pem_for(alternatives->get(), key_authorization, now);
  if (!pem) certificates.reset();
  return pem;
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
