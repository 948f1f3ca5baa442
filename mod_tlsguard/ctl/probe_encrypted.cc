// SPDX-License-Identifier: Apache-2.0
#include "ctl/probe_encrypted.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/text.h"
#include "ctl/http_answer.h"
#include "ctl/tls_client.h"
#include "policy/names.h"

namespace tlsguard::ctl {
namespace {

constexpr const char* h2 = "h2";
constexpr const char* http1 = "http/1.1";

// Signatures of CertificateVerify by the key they need (RFC 8446 4.2.3), in OpenSSL's names. With
// RSA come those of RSA PKCS#1, which TLS 1.3 allows for certificates alone.
constexpr std::string_view rsa_signatures =
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512";
constexpr std::string_view other_signatures =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:RSA+SHA256:RSA+SHA384:RSA+SHA512";

HandshakeOffer tls13_offer(const ProbeRequest& request) {
  HandshakeOffer offer;
  offer.min = Protocol::tls1_3;
  offer.server_name = request.server_name;
  return offer;
}

// A handshake, or a note why there was none (nullopt).
Result<std::optional<TlsClient>> shake(Asker& asker, const HandshakeOffer& offer,
                                       std::string& refusal) {
  auto connection = asker.connect();
  if (!connection) return tl::unexpected(connection.error());
  auto client = TlsClient::handshake(*std::move(connection), offer, asker.limit());
  if (client) return std::optional<TlsClient>(*std::move(client));
  refusal = client.error().text;
  return std::optional<TlsClient>();
}

// Names of the signature algorithms a key of this certificate can make in TLS 1.3.
std::vector<std::string> signatures_of(const CertificateFacts& certificate) {
  using hello::KeyType;
  if (!certificate.type) return {};
  switch (*certificate.type) {
    case KeyType::rsa:
      return {"rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"};
    case KeyType::rsa_pss:
      return {"rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"};
    case KeyType::ecdsa:
      if (certificate.curve == 0x0017) return {"ecdsa_secp256r1_sha256"};
      if (certificate.curve == 0x0018) return {"ecdsa_secp384r1_sha384"};
      if (certificate.curve == 0x0019) return {"ecdsa_secp521r1_sha512"};
      return {};
    case KeyType::ed25519:
      return {"ed25519"};
    case KeyType::ed448:
      return {"ed448"};
    case KeyType::mldsa44:
      return {"mldsa44"};
    case KeyType::mldsa65:
      return {"mldsa65"};
    case KeyType::mldsa87:
      return {"mldsa87"};
  }
  return {};
}

// RFC 9110 7.2: the port where it is not the scheme's own.
std::string host_field(const ProbeRequest& request, std::uint16_t port, std::uint16_t usual) {
  std::string with_port = to_text({request.http_host, port});
  if (port != usual) return with_port;
  return with_port.substr(0, with_port.rfind(':'));
}

// One GET, and the tickets of TLS 1.3 that come with the answer. Closes the connection.
void ask_http(Asker& asker, const ProbeRequest& request, TlsClient tls, Facts& facts) {
  std::string question = http_request(host_field(request, asker.address().port(), 443));
  std::string received = tls.exchange(question, http_header_ends, max_http_header, asker.limit());
  facts.http = parse_http_answer(received);
  if (!facts.http) facts.notes.emplace_back("it does not answer HTTP over TLS");
  if (tls.version() == Protocol::tls1_3) facts.tickets13 = tls.has_ticket();
}

void note_no_http(Facts& facts, const std::string& why) {
  facts.notes.push_back("HTTP was not looked at, as no handshake of OpenSSL's succeeds: " + why);
}

}  // namespace

Result<void> probe_tls13_chains(Asker& asker, const ProbeRequest& request, Chains& chains,
                                Facts& facts) {
  std::string refusal;
  bool any = false;
  for (std::string_view signatures : {rsa_signatures, other_signatures}) {
    HandshakeOffer offer = tls13_offer(request);
    offer.signature_algorithms = signatures;
    auto client = shake(asker, offer, refusal);
    if (!client) return tl::unexpected(client.error());
    if (!*client) continue;
    any = true;
    chains.add((*client)->chain(), Protocol::tls1_3);
  }
  if (!any) {
    facts.notes.push_back(
        "certificates of TLS 1.3 were not seen, as no handshake of OpenSSL's "
        "succeeds: " +
        refusal);
  }
  return {};
}

Result<void> probe_tls13_signatures(Asker& asker, const ProbeRequest& request, Facts& facts) {
  std::string refusal;
  for (const CertificateFacts& certificate : facts.certificates) {
    for (const std::string& name : signatures_of(certificate)) {
      const auto* algorithm = policy::find_signature_algorithm(name);
      if (algorithm == nullptr) continue;
      HandshakeOffer offer = tls13_offer(request);
      // For the chain, whose signatures are not the question.
      offer.signature_algorithms =
          fmt::format("{}:RSA+SHA256:RSA+SHA384:RSA+SHA512", algorithm->openssl_name);
      auto client = shake(asker, offer, refusal);
      if (!client) return tl::unexpected(client.error());
      auto& found = facts.signatures13;
      bool known = std::find(found.begin(), found.end(), algorithm->id) != found.end();
      if (*client && !known) found.push_back(algorithm->id);
    }
  }
  return {};
}

Result<void> probe_application(Asker& asker, const ProbeRequest& request, Facts& facts) {
  HandshakeOffer offer;
  offer.server_name = request.server_name;
  offer.alpn = {h2, http1};
  std::string refusal;
  auto client = shake(asker, offer, refusal);
  if (client && !*client) {
    offer.alpn.clear();  // a server that knows neither may refuse both (RFC 7301 3.2)
    client = shake(asker, offer, refusal);
  }
  if (!client) return tl::unexpected(client.error());
  if (!*client) {
    note_no_http(facts, refusal);
    return {};
  }
  std::string chosen = (*client)->alpn();
  if (chosen != h2) ask_http(asker, request, *std::move(*client), facts);
  client->reset();  // one connection at a time: some servers can do no more
  if (chosen.empty()) return {};
  facts.alpn.push_back(chosen);
  offer.alpn = {chosen == h2 ? http1 : h2};
  client = shake(asker, offer, refusal);
  if (!client) return tl::unexpected(client.error());
  if (*client && (*client)->alpn() == offer.alpn.front()) facts.alpn.push_back(offer.alpn.front());
  if (chosen != h2) return {};
  if (*client) {
    ask_http(asker, request, *std::move(*client), facts);
  } else {
    note_no_http(facts, refusal);
  }
  return {};
}

void probe_plain_port(Asker& asker, const ProbeRequest& request, Facts& facts) {
  asker.tell("HTTP in clear");
  SteadyTime until = asker.limit();
  auto connection = Connection::open(asker.address().with_port(*request.plain_port), until);
  if (!connection) {
    facts.notes.push_back(
        fmt::format("port {} in clear: {}", *request.plain_port, connection.error().text));
    return;
  }
  std::string question = http_request(host_field(request, *request.plain_port, 80));
  std::vector<std::uint8_t> bytes(question.begin(), question.end());
  (void)connection->send(bytes, until);
  std::string received;
  std::array<std::uint8_t, 4096> buffer{};
  while (!http_header_ends(received)) {
    auto got = connection->receive(buffer, until);
    if (got.status != Connection::Status::done) break;
    received.append(buffer.begin(), buffer.begin() + got.size);
  }
  facts.plain = parse_http_answer(received);
  if (!facts.plain) {
    facts.notes.push_back(fmt::format("port {} does not answer HTTP", *request.plain_port));
  }
}

}  // namespace tlsguard::ctl
