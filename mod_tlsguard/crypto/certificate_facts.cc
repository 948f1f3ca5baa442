// SPDX-License-Identifier: Apache-2.0
// What a certificate says of itself.
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/text.h"
#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/general_names.h"
#include "crypto/keys.h"

namespace tlsguard::crypto {
namespace {

constexpr std::size_t longest_issuer = 200;

using BigNumber = std::unique_ptr<BIGNUM, Deleter<BIGNUM, BN_free>>;

Result<UnixSeconds> seconds_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) {
    return fail("a certificate has no valid dates: " + drain_errors());
  }
  return UnixSeconds{timegm(&fields)};
}

// Text of a certificate goes into messages and on status pages.
std::string printable(std::string text) {
  text.resize(std::min(text.size(), longest_issuer));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string common_name_of(const X509_NAME* name) {
  int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

std::string name_text(const X509_NAME* name) {
  Bio bio(BIO_new(BIO_s_mem()));
  constexpr unsigned long flags =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, flags) < 0) return "?";
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string issuer_of(const X509* certificate) {
  const X509_NAME* name = X509_get_issuer_name(certificate);
  std::string text = common_name_of(name);
  return printable(text.empty() ? name_text(name) : std::move(text));
}

std::string serial_of(const X509* certificate) {
  BigNumber number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* digits = number ? BN_bn2hex(number.get()) : nullptr;
  if (digits == nullptr) return "?";
  std::string text = to_lower(digits);
  OPENSSL_free(digits);
  // Two digits a byte.
  if (text.size() > 1 && text.front() == '0') text.erase(0, 1);
  return text;
}

std::string key_type_text(const X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return "unreadable";
  if (auto type = key_type_of(key)) return std::string(key_type_name(*type));
  const char* name = EVP_PKEY_get0_type_name(key);
  std::string text = name != nullptr ? name : "unknown";
  if (EVP_PKEY_is_a(key, "RSA") == 1) text += std::to_string(EVP_PKEY_get_bits(key));
  return text;
}

bool names_ocsp(const X509* certificate) {
  STACK_OF(OPENSSL_STRING)* responders = X509_get1_ocsp(const_cast<X509*>(certificate));
  bool any = responders != nullptr && sk_OPENSSL_STRING_num(responders) > 0;
  X509_email_free(responders);
  return any;
}

void read_names(const X509* certificate, CertificateFacts& facts) {
  GeneralNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    std::string_view data(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<std::size_t>(ASN1_STRING_length(value)));
    if (type == GEN_DNS && is_dns_identifier(data)) facts.dns_names.push_back(to_lower(data));
    if (type != GEN_IPADD || (data.size() != 4 && data.size() != 16)) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(data.size() == 4 ? AF_INET : AF_INET6, data.data(), text.data(), text.size());
    facts.ip_addresses.emplace_back(text.data());
  }
}

}  // namespace

Result<CertificateFacts> facts_of(const X509* certificate) {
  if (certificate == nullptr) return fail("there is no certificate");
  CertificateFacts facts;
  auto from = seconds_of(X509_get0_notBefore(certificate));
  if (!from) return tl::unexpected(from.error());
  auto until = seconds_of(X509_get0_notAfter(certificate));
  if (!until) return tl::unexpected(until.error());
  facts.not_before = *from;
  facts.not_after = *until;
  read_names(certificate, facts);
  facts.serial = serial_of(certificate);
  facts.issuer = issuer_of(certificate);
  facts.key_type = key_type_text(certificate);
  facts.has_ocsp = names_ocsp(certificate);
  Sha256 digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return fail("a certificate has no digest: " + drain_errors());
  }
  facts.sha256 = hex(digest);
  ERR_clear_error();
  return facts;
}

bool CertificateFacts::covers(std::string_view name) const {
  auto has = [](const std::vector<std::string>& list, std::string_view wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end();
  };
  if (auto ip = canonical_ip(name)) return has(ip_addresses, *ip);
  if (has(dns_names, name)) return true;
  auto dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0 || name.front() == '*') return false;
  return has(dns_names, "*" + std::string(name.substr(dot)));
}

bool leads_to(const Chain& chain, std::string_view issuer) {
  return std::any_of(chain.begin(), chain.end(), [&](const Certificate& one) {
    auto facts = facts_of(one.get());
    return facts && equal_ignoring_case(facts->issuer, issuer);
  });
}

}  // namespace tlsguard::crypto
