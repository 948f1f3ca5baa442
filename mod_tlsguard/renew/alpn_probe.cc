// SPDX-License-Identifier: Apache-2.0
#include "renew/alpn_probe.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace tlsguard::renew {
namespace {

constexpr std::array<std::uint8_t, 11> protocols{10,  'a', 'c', 'm', 'e', '-',
                                                 't', 'l', 's', '/', '1'};
constexpr std::size_t most_received = 256UL * 1024;

// OpenSSL between two memories, and a socket that fills and empties them: its own socket BIO would
// raise SIGPIPE.
class Handshake {
 public:
  Handshake(const net::Socket& socket, crypto::Ssl ssl) : socket_(socket), ssl_(std::move(ssl)) {
    incoming_ = BIO_new(BIO_s_mem());
    outgoing_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), incoming_, outgoing_);  // they are ssl_'s now
  }

  AlpnAnswer run(const net::Patience& patience) {
    AlpnAnswer answer;
    for (;;) {
      ERR_clear_error();
      int result = SSL_connect(ssl_.get());
      int wants = SSL_get_error(ssl_.get(), result);
      std::string failure = result == 1 ? std::string() : reason(wants);
      if (auto sent = flush(patience); !sent && failure.empty()) failure = sent.error().text;
      if (result == 1 || !failure.empty()) return finish(std::move(answer), result == 1, failure);
      auto size = fill(patience);
      if (!size) return finish(std::move(answer), false, size.error().text);
      answer.tls = true;
      if (*size == 0) return finish(std::move(answer), false, "it answers too much");
    }
  }

 private:
  static std::string reason(int wants) {
    return wants == SSL_ERROR_WANT_READ ? std::string() : crypto::drain_errors();
  }

  AlpnAnswer finish(AlpnAnswer answer, bool done, std::string failure) {
    answer.text = std::move(failure);
    answer.certificate.reset(SSL_get1_peer_certificate(ssl_.get()));
    const unsigned char* agreed = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &agreed, &length);
    std::span wanted = std::span(protocols).subspan(1);
    answer.alpn = done && std::equal(wanted.begin(), wanted.end(), agreed, agreed + length);
    return answer;
  }

  Result<void> flush(const net::Patience& patience) {
    std::array<std::uint8_t, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (;;) {
      int size = BIO_read(outgoing_, buffer.data(), static_cast<int>(buffer.size()));
      if (size <= 0) return {};
      auto sent = socket_.send(std::span(buffer).first(static_cast<std::size_t>(size)), patience);
      if (!sent) return sent;
    }
  }

  // How much came; 0: more than any handshake needs.
  Result<std::size_t> fill(const net::Patience& patience) {
    std::array<std::uint8_t, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    auto size = socket_.receive(buffer, patience);
    if (!size) return size;
    if (*size == 0) return fail("the connection was closed");
    received_ += *size;
    if (received_ > most_received) return std::size_t{0};
    BIO_write(incoming_, buffer.data(), static_cast<int>(*size));
    return size;
  }

  const net::Socket& socket_;
  crypto::Ssl ssl_;
  BIO* incoming_ = nullptr;
  BIO* outgoing_ = nullptr;
  std::size_t received_ = 0;
};

crypto::SslCtx client_context() {
  crypto::SslCtx context(SSL_CTX_new(TLS_client_method()));
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  return context;
}

}  // namespace

Result<AlpnAnswer> probe_alpn(const net::Socket& socket, const std::string& server_name,
                              const net::Patience& patience) {
  // Making one costs more than a handshake with it does.
  static const crypto::SslCtx context = client_context();
  if (!context) return fail("no TLS client can be made: out of memory");
  crypto::Ssl ssl(SSL_new(context.get()));
  std::string name = server_name;
  // What the macro SSL_set_tlsext_host_name stands for, without its old-style cast.
  if (!ssl ||
      SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) !=
          1 ||
      SSL_set_alpn_protos(ssl.get(), protocols.data(), protocols.size()) != 0) {
    return fail(crypto::drain_errors());
  }
  return Handshake(socket, std::move(ssl)).run(patience);
}

}  // namespace tlsguard::renew
