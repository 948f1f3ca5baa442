// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <utility>

#include "core/date.h"
#include "core/text.h"

namespace tlsguard::crypto {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view certificate_label = "CERTIFICATE-----";

// OpenSSL's security level 2, which no policy goes below: RSA 2048, P-256, SHA-256.
constexpr int least_security_bits = 112;

// One block of a PEM text, as OpenSSL hands it out.
struct Block {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, data != nullptr ? static_cast<std::size_t>(size) : 0);
  }
};

// How many blocks are announced; an error where one is no certificate (RFC 8555 9.1).
Result<std::size_t> count_blocks(std::string_view pem) {
  std::size_t count = 0;
  for (auto at = pem.find(begin_mark); at != std::string_view::npos;
       at = pem.find(begin_mark, at)) {
    at += begin_mark.size();
    if (!pem.substr(at).starts_with(certificate_label)) {
      return fail(
          "the chain holds something else than certificates (a private key, perhaps): it is not "
          "used");
    }
    ++count;
  }
  return count;
}

Result<Certificate> read_block(BIO* bio) {
  Block block;
  if (PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.size) != 1) {
    return fail("a certificate's PEM block is broken: " + drain_errors());
  }
  const unsigned char* at = block.data;
  if (*block.header == '\0') {
    Certificate certificate(d2i_X509(nullptr, &at, block.size));
    if (certificate && at == block.data + block.size) return certificate;
  }
  return fail("a certificate cannot be read: " + drain_errors());
}

// OpenSSL caches what it has found out in the object, under a lock of its own.
X509* mutable_of(const X509* certificate) { return const_cast<X509*>(certificate); }

Result<void> check_signatures(const Chain& chain) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    X509* issuer = chain[i + 1].get();
    EVP_PKEY* key = X509_get0_pubkey(issuer);
    if (X509_check_issued(issuer, chain[i].get()) != X509_V_OK || key == nullptr ||
        X509_verify(chain[i].get(), key) != 1) {
      ERR_clear_error();
      return fail(fmt::format("certificate {} of the chain is not signed by the next one", i + 1));
    }
  }
  return {};
}

// A signature that nothing is known about is left to whoever verifies it; that of a root to nobody.
bool is_weakly_signed(X509* certificate) {
  int bits = 0;
  return X509_self_signed(certificate, 0) != 1 &&
         X509_get_signature_info(certificate, nullptr, nullptr, &bits, nullptr) == 1 &&
         bits < least_security_bits;
}

Result<void> check_strength(const Chain& chain) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    X509* certificate = chain[i].get();
    const EVP_PKEY* key = X509_get0_pubkey(certificate);
    int bits = key != nullptr ? EVP_PKEY_get_security_bits(key) : 0;
    if (bits < least_security_bits) {
      return fail(
          fmt::format("the key of certificate {} of the chain is too weak: {} bits of "
                      "security, {} are the least that clients and policies accept",
                      i + 1, bits, least_security_bits));
    }
    if (is_weakly_signed(certificate)) {
      return fail(
          fmt::format("certificate {} of the chain has a signature that is too weak (SHA-1 "
                      "or MD5): clients and policies do not accept it",
                      i + 1));
    }
  }
  ERR_clear_error();
  return {};
}

Result<void> check_names(const CertificateFacts& facts, const std::vector<std::string>& names) {
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    if (!facts.covers(name)) missing.push_back(name);
  }
  if (missing.empty()) return {};
  return fail(fmt::format("the certificate is not for {}", join(missing, ", ")));
}

Result<void> check_dates(const CertificateFacts& facts, UnixSeconds now) {
  if (facts.not_before > now) {
    return fail(fmt::format("the certificate is valid only from {} on: is the clock right?",
                            format_date(facts.not_before)));
  }
  if (facts.not_after < now) {
    return fail(fmt::format("the certificate expired at {}", format_date(facts.not_after)));
  }
  return {};
}

}  // namespace

Result<Chain> parse_chain(std::string_view pem) {
  if (pem.size() > max_chain_pem) {
    return fail(fmt::format("a chain of more than {} bytes is not read", max_chain_pem));
  }
  auto count = count_blocks(pem);
  if (!count) return tl::unexpected(count.error());
  if (*count == 0) return fail("there is no certificate in it");
  if (*count > max_chain_length) {
    return fail(fmt::format("a chain of more than {} certificates is not read", max_chain_length));
  }
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return fail("no memory for a certificate");
  Chain chain;
  for (std::size_t i = 0; i < *count; ++i) {
    auto certificate = read_block(bio.get());
    if (!certificate) return tl::unexpected(certificate.error());
    chain.push_back(std::move(*certificate));
  }
  ERR_clear_error();
  return chain;
}

Result<Certificate> first_certificate(std::string_view pem) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  std::size_t from = pem.find(begin);
  std::size_t to = from == std::string_view::npos ? from : pem.find(end, from);
  if (to == std::string_view::npos) return fail("there is no certificate in it");
  auto chain = parse_chain(pem.substr(from, to + end.size() - from));
  if (!chain) return tl::unexpected(chain.error());
  return std::move(chain->front());
}

Result<std::string> certificate_to_pem(const X509* certificate) {
  Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return fail("a certificate cannot be written as PEM: " + drain_errors());
  }
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<std::string> chain_to_pem(const Chain& chain) {
  std::string whole;
  for (const Certificate& certificate : chain) {
    auto pem = certificate_to_pem(certificate.get());
    if (!pem) return pem;
    whole += *pem;
  }
  return whole;
}

Result<void> check_servable(const Chain& chain, const EVP_PKEY* key,
                            const std::vector<std::string>& names, UnixSeconds now) {
  if (chain.empty()) return fail("there is no certificate");
  X509* leaf = mutable_of(chain.front().get());
  if (key == nullptr || X509_check_private_key(leaf, key) != 1) {
    ERR_clear_error();
    return fail("the key does not belong to the certificate");
  }
  if (auto checked = check_signatures(chain); !checked) return checked;
  if (auto checked = check_strength(chain); !checked) return checked;
  if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1) {
    return fail("the certificate may not be used for TLS servers (extended key usage)");
  }
  auto facts = facts_of(leaf);
  if (!facts) return tl::unexpected(facts.error());
  if (auto checked = check_names(*facts, names); !checked) return checked;
  return check_dates(*facts, now);
}

}  // namespace tlsguard::crypto
