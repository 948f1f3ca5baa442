// SPDX-License-Identifier: Apache-2.0
#include "ctl/certificate_facts.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <optional>

#include "core/date.h"
#include "core/dns_name.h"
#include "crypto/openssl.h"
#include "policy/names.h"

namespace tlsguard::ctl {
namespace {

constexpr std::size_t max_chain = 16;
constexpr int max_names = 100;

using Names = std::unique_ptr<GENERAL_NAMES, crypto::Deleter<GENERAL_NAMES, GENERAL_NAMES_free>>;
using Store = std::unique_ptr<X509_STORE, crypto::Deleter<X509_STORE, X509_STORE_free>>;
using StoreCtx =
    std::unique_ptr<X509_STORE_CTX, crypto::Deleter<X509_STORE_CTX, X509_STORE_CTX_free>>;

inline void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }
using Borrowed = std::unique_ptr<STACK_OF(X509), crypto::Deleter<STACK_OF(X509), free_stack>>;

crypto::Certificate parse(const Der& der) {
  const unsigned char* at = der.data();
  return crypto::Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

std::string content_of(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// RFC 4514, but as UTF-8 rather than escaped bytes.
std::string name_text(const X509_NAME* name) {
  crypto::Bio bio(BIO_new(BIO_s_mem()));
  constexpr unsigned long flags =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, flags) < 0) return "?";
  return content_of(bio.get());
}

std::string serial_text(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  std::string text = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0 ? "-" : "";
  int size = std::min(ASN1_STRING_length(serial), 64);
  for (int i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", ASN1_STRING_get0_data(serial)[i]);
  }
  return text;
}

// nullopt: not a time.
std::optional<std::int64_t> seconds_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return std::nullopt;
  return timegm(&fields);
}

std::string san_text(const GENERAL_NAME* name) {
  int type = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  if (type != GEN_DNS && type != GEN_IPADD) return {};
  const unsigned char* data = ASN1_STRING_get0_data(value);
  auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
  if (type == GEN_DNS) return {data, data + size};
  std::array<char, INET6_ADDRSTRLEN> text{};
  int family = size == 4 ? AF_INET : AF_INET6;
  if (size != 4 && size != 16) return {};
  return inet_ntop(family, data, text.data(), text.size()) != nullptr ? text.data() : "";
}

std::vector<std::string> san_names(const X509* certificate) {
  std::vector<std::string> texts;
  Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  int count = std::min(sk_GENERAL_NAME_num(names.get()), max_names);
  for (int i = 0; i < count; ++i) {
    std::string text = san_text(sk_GENERAL_NAME_value(names.get(), i));
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

void read_curve(EVP_PKEY* key, CertificateFacts& facts) {
  std::array<char, 80> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(),
                                     &size) != 1) {
    facts.key = "ECDSA with explicit parameters";
    return;
  }
  const policy::Group* group = policy::find_group(name.data());
  facts.key = fmt::format("ECDSA {}", group != nullptr ? group->name : name.data());
  if (group != nullptr) facts.curve = group->id;
}

void read_key(const X509* certificate, CertificateFacts& facts) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) {
    facts.key = "a key that OpenSSL cannot read";
    ERR_clear_error();
    return;
  }
  facts.bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      facts.type = hello::KeyType::rsa;
      facts.key = "RSA";
      return;
    case EVP_PKEY_RSA_PSS:
      facts.type = hello::KeyType::rsa_pss;
      facts.key = "RSA-PSS";
      return;
    case EVP_PKEY_EC:
      facts.type = hello::KeyType::ecdsa;
      read_curve(key, facts);
      return;
    case EVP_PKEY_ED25519:
      facts.type = hello::KeyType::ed25519;
      facts.key = "Ed25519";
      return;
    case EVP_PKEY_ED448:
      facts.type = hello::KeyType::ed448;
      facts.key = "Ed448";
      return;
    default:
      break;
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  facts.key = name != nullptr ? name : "another key";
  if (facts.key == "ML-DSA-44") facts.type = hello::KeyType::mldsa44;
  if (facts.key == "ML-DSA-65") facts.type = hello::KeyType::mldsa65;
  if (facts.key == "ML-DSA-87") facts.type = hello::KeyType::mldsa87;
}

void read_dates(const X509* certificate, std::int64_t now, CertificateFacts& facts) {
  auto from = seconds_of(X509_get0_notBefore(certificate));
  auto until = seconds_of(X509_get0_notAfter(certificate));
  facts.not_before = from ? format_date(*from) : "?";
  facts.not_after = until ? format_date(*until) : "?";
  facts.not_yet_valid = from.value_or(0) > now;
  facts.expired = !until || *until < now;
}

bool fits(X509* certificate, const std::string& name) {
  if (is_ip_literal(name)) return X509_check_ip_asc(certificate, name.c_str(), 0) == 1;
  return X509_check_host(certificate, name.data(), name.size(), 0, nullptr) == 1;
}

// Empty: it leads to a CA the system trusts.
std::string judge_trust(X509* certificate, const std::vector<crypto::Certificate>& others,
                        std::int64_t now) {
  Store store(X509_STORE_new());
  StoreCtx context(X509_STORE_CTX_new());
  Borrowed untrusted(sk_X509_new_null());
  if (!store || !context || !untrusted || X509_STORE_set_default_paths(store.get()) != 1) {
    return crypto::drain_errors();
  }
  for (const auto& other : others) sk_X509_push(untrusted.get(), other.get());
  if (X509_STORE_CTX_init(context.get(), store.get(), certificate, untrusted.get()) != 1) {
    return crypto::drain_errors();
  }
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_STORE_CTX_set_time(context.get(), 0, static_cast<std::time_t>(now));
  bool trusted = X509_verify_cert(context.get()) == 1;
  int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return trusted ? std::string() : X509_verify_cert_error_string(error);
}

}  // namespace

Result<CertificateFacts> certificate_facts(const std::vector<Der>& chain, const std::string& name,
                                           std::int64_t now) {
  if (chain.empty()) return fail("the server sent no certificate");
  crypto::Certificate certificate = parse(chain.front());
  if (!certificate) {
    return fail("the certificate cannot be read: " + crypto::drain_errors());
  }
  CertificateFacts facts;
  read_key(certificate.get(), facts);
  read_dates(certificate.get(), now, facts);
  facts.subject = name_text(X509_get_subject_name(certificate.get()));
  facts.issuer = name_text(X509_get_issuer_name(certificate.get()));
  facts.serial = serial_text(certificate.get());
  facts.signature = OBJ_nid2ln(X509_get_signature_nid(certificate.get()));
  facts.names = san_names(certificate.get());
  facts.self_signed = X509_NAME_cmp(X509_get_subject_name(certificate.get()),
                                    X509_get_issuer_name(certificate.get())) == 0;
  if (!name.empty()) facts.name_fits = fits(certificate.get(), name);
  std::vector<crypto::Certificate> others;
  for (std::size_t i = 1; i < std::min(chain.size(), max_chain); ++i) {
    crypto::Certificate other = parse(chain[i]);
    facts.chain.push_back(other ? name_text(X509_get_subject_name(other.get())) : "unreadable");
    if (other) others.push_back(std::move(other));
  }
  facts.trust = judge_trust(certificate.get(), others, now);
  ERR_clear_error();
  return facts;
}

}  // namespace tlsguard::ctl
