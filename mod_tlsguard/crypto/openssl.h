// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL objects, and its error queue as text. Thread-safe as OpenSSL is: an owner
// belongs to one thread at a time, the error queue is the calling thread's.
#ifndef TLSGUARD_CRYPTO_OPENSSL_H
#define TLSGUARD_CRYPTO_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace tlsguard::crypto {

template <typename T, void (*Free)(T*)>
struct Deleter {
  void operator()(T* object) const { Free(object); }
};

inline void free_bio(BIO* bio) { BIO_free_all(bio); }

using SslCtx = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX, SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Deleter<SSL, SSL_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO, free_bio>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using SslConfCtx = std::unique_ptr<SSL_CONF_CTX, Deleter<SSL_CONF_CTX, SSL_CONF_CTX_free>>;
using DigestCtx = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX, EVP_MD_CTX_free>>;

// Empties this thread's error queue into one line; "unknown error" where it was empty.
[[nodiscard]] std::string drain_errors();

}  // namespace tlsguard::crypto

#endif
