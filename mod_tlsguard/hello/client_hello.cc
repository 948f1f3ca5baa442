// SPDX-License-Identifier: Apache-2.0
#include "hello/client_hello.h"

#include <algorithm>

#include "hello/extension.h"

namespace tlsguard::hello {
namespace {

constexpr ProtocolSet every_version = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_3);
constexpr ProtocolSet up_to_tls1_2 = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_2);
constexpr ProtocolSet only_tls1_3 = ProtocolSet::range(Protocol::tls1_3, Protocol::tls1_3);
constexpr ProtocolSet from_tls1_2 = ProtocolSet::range(Protocol::tls1_2, Protocol::tls1_3);

void mark(ClientHello& hello, ProtocolSet versions) {
  hello.malformed_for = hello.malformed_for | versions;
}

// A vector that fills the whole extension.
std::optional<Bytes> sole_vector8(Bytes body) {
  Reader reader(body);
  Bytes content;
  if (!reader.vector8(content) || !reader.empty()) return std::nullopt;
  return content;
}

std::optional<Bytes> sole_vector16(Bytes body) {
  Reader reader(body);
  Bytes content;
  if (!reader.vector16(content) || !reader.empty()) return std::nullopt;
  return content;
}

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void server_name(Bytes body, ClientHello& hello) {
  auto list = sole_vector16(body);
  std::uint8_t type = 0;
  Bytes name;
  if (list) {
    Reader reader(*list);
    if (!reader.u8(type) || type != 0 || !reader.vector16(name) || !reader.empty()) list.reset();
  }
  if (!list) return mark(hello, every_version);
  std::string_view text = as_text(name);
  std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos || text.size() > 255) mark(hello, every_version);
  // mod_ssl takes an empty name for none.
  if (!text.empty()) hello.server_name = text.substr(0, nul);
}

void supported_groups(Bytes body, ClientHello& hello) {
  auto list = sole_vector16(body);
  if (!list || list->empty() || list->size() % 2 != 0) return mark(hello, every_version);
  hello.supported_groups = CodePoints(*list);
}

void signature_algorithms(Bytes body, std::optional<CodePoints>& target, ClientHello& hello) {
  auto list = sole_vector16(body);
  if (!list || list->empty()) return mark(hello, every_version);
  // Below TLS 1.2 OpenSSL does not look into the list.
  if (list->size() % 2 != 0) return mark(hello, from_tls1_2);
  target = CodePoints(*list);
}

void alpn(Bytes body, ClientHello& hello) {
  auto list = sole_vector16(body);
  if (!list || list->size() < 2) return mark(hello, every_version);
  Reader reader(*list);
  while (!reader.empty()) {
    Bytes name;
    if (!reader.vector8(name) || name.empty()) return mark(hello, every_version);
  }
  hello.alpn = *list;
}

// RFC 6066 8. The ASN.1 inside is not looked at.
void status_request(Bytes body, ClientHello& hello) {
  Reader reader(body);
  std::uint8_t type = 0;
  if (!reader.u8(type)) return mark(hello, every_version);
  if (type != 1) return;
  Bytes responders;
  Bytes extensions;
  if (!reader.vector16(responders) || !reader.vector16(extensions) || !reader.empty()) {
    return mark(hello, every_version);
  }
  Reader ids(responders);
  while (!ids.empty()) {
    Bytes id;
    if (!ids.vector16(id) || id.empty()) return mark(hello, every_version);
  }
}

void key_share(Bytes body, ClientHello& hello) {
  hello.has_key_share = true;
  auto list = sole_vector16(body);
  if (!list) return mark(hello, only_tls1_3);
  Reader reader(*list);
  while (!reader.empty()) {
    std::uint16_t group = 0;
    Bytes key;
    if (!reader.u16(group) || !reader.vector16(key) || key.empty()) {
      return mark(hello, only_tls1_3);
    }
  }
  hello.key_shares = *list;
}

// RFC 8446 4.2.4. The ASN.1 inside is not looked at.
void certificate_authorities(Bytes body, ClientHello& hello) {
  auto list = sole_vector16(body);
  if (!list) return mark(hello, only_tls1_3);
  Reader reader(*list);
  while (!reader.empty()) {
    Bytes name;
    if (!reader.vector16(name) || name.empty()) return mark(hello, only_tls1_3);
  }
}

// Identities only: binders are read where a session was found, thus not in a full handshake.
bool well_formed_identities(Bytes body) {
  Reader reader(body);
  Bytes identities;
  if (!reader.vector16(identities)) return false;
  Reader each(identities);
  while (!each.empty()) {
    Bytes identity;
    Bytes age;
    if (!each.vector16(identity) || identity.empty() || !each.bytes(4, age)) return false;
  }
  return true;
}

void renegotiation_info(Bytes body, ClientHello& hello) {
  // In a first hello nothing is to be confirmed yet (RFC 5746 3.6).
  if (body.empty() || body[0] != 0) mark(hello, up_to_tls1_2);
}

void srp(Bytes body, ClientHello& hello) {
  auto login = sole_vector8(body);
  if (!login || as_text(*login).find('\0') != std::string_view::npos) mark(hello, up_to_tls1_2);
}

// Its place in the set of extensions seen; 0 for one that OpenSSL's server does not know, which
// may come twice.
std::uint32_t seen_bit(std::uint16_t type) {
  switch (type) {
    case ext_next_protocol:
      return 1U << 30;
    case ext_cryptopro_bug:
      return 1U << 29;
    case ext_renegotiation_info:
      return 1U << 28;
    case ext_server_name:
    case ext_max_fragment_length:
    case ext_status_request:
    case ext_supported_groups:
    case ext_ec_point_formats:
    case ext_srp:
    case ext_signature_algorithms:
    case ext_use_srtp:
    case ext_alpn:
    case ext_signed_certificate_timestamp:
    case ext_padding:
    case ext_encrypt_then_mac:
    case ext_extended_master_secret:
      return 1U << type;  // 0..23
    case ext_session_ticket:
      return 1U << 24;
    case ext_pre_shared_key:
      return 1U << 25;
    case ext_early_data:
      return 1U << 26;
    case ext_supported_versions:
      return 1U << 27;
    case ext_cookie:
      return 1U << 2;
    case ext_psk_key_exchange_modes:
      return 1U << 3;
    case ext_certificate_authorities:
      return 1U << 4;
    case ext_post_handshake_auth:
      return 1U << 6;
    case ext_signature_algorithms_cert:
      return 1U << 7;
    case ext_key_share:
      return 1U << 8;
    default:
      return 0;
  }
}

// Extensions that a build of OpenSSL may lack: a second one is then no reason to refuse.
bool may_be_compiled_out(std::uint16_t type) {
  return type == ext_status_request || type == ext_srp || type == ext_use_srtp ||
         type == ext_signed_certificate_timestamp || type == ext_next_protocol;
}

void extension(std::uint16_t type, Bytes body, ClientHello& hello) {
  switch (type) {
    case ext_server_name:
      return server_name(body, hello);
    case ext_max_fragment_length:  // RFC 6066 4
      if (body.size() != 1 || body[0] < 1 || body[0] > 4) mark(hello, every_version);
      return;
    case ext_status_request:
      return status_request(body, hello);
    case ext_supported_groups:
      return supported_groups(body, hello);
    case ext_ec_point_formats:
      hello.ec_point_formats = sole_vector8(body);
      if (hello.ec_point_formats && hello.ec_point_formats->empty()) hello.ec_point_formats.reset();
      if (!hello.ec_point_formats) mark(hello, up_to_tls1_2);
      return;
    case ext_srp:
      return srp(body, hello);
    case ext_signature_algorithms:
      return signature_algorithms(body, hello.signature_algorithms, hello);
    case ext_use_srtp:  // for DTLS only
      return mark(hello, every_version);
    case ext_alpn:
      return alpn(body, hello);
    case ext_extended_master_secret:
      if (!body.empty()) return mark(hello, up_to_tls1_2);
      hello.has_extended_master_secret = true;
      return;
    case ext_session_ticket:
      hello.has_session_ticket = !body.empty();
      return;
    case ext_pre_shared_key:
      hello.has_pre_shared_key = true;
      return;
    case ext_early_data:
    case ext_post_handshake_auth:
      if (!body.empty()) mark(hello, only_tls1_3);
      return;
    case ext_supported_versions: {
      auto list = sole_vector8(body);
      if (!list || list->size() % 2 != 0) mark(hello, every_version);
      hello.supported_versions = CodePoints(list.value_or(Bytes{}));
      return;
    }
    case ext_psk_key_exchange_modes:
      hello.psk_key_exchange_modes = sole_vector8(body).value_or(Bytes{});
      if (hello.psk_key_exchange_modes->empty()) mark(hello, only_tls1_3);
      return;
    case ext_certificate_authorities:
      return certificate_authorities(body, hello);
    case ext_signature_algorithms_cert:
      return signature_algorithms(body, hello.signature_algorithms_cert, hello);
    case ext_key_share:
      return key_share(body, hello);
    case ext_renegotiation_info:
      return renegotiation_info(body, hello);
    default:
      return;
  }
}

bool parse_extensions(Bytes block, ClientHello& hello) {
  Reader reader(block);
  std::uint32_t seen = 0;
  Bytes psk;
  while (!reader.empty()) {
    std::uint16_t type = 0;
    Bytes body;
    if (!reader.u16(type) || !reader.vector16(body)) return false;
    std::uint32_t bit = seen_bit(type);
    if (bit != 0 && (seen & bit) != 0) {
      if (!may_be_compiled_out(type)) return false;
      mark(hello, every_version);
      continue;
    }
    seen |= bit;
    if (type == ext_pre_shared_key) {
      if (!reader.empty()) return false;  // RFC 8446 4.2.11: the last one
      psk = body;
    }
    extension(type, body, hello);
  }
  if (hello.has_pre_shared_key) {
    if (!hello.psk_key_exchange_modes) {
      mark(hello, every_version);  // RFC 8446 4.2.9; OpenSSL asks for it in every version
    } else {
      Bytes modes = *hello.psk_key_exchange_modes;
      bool with_key_share = std::find(modes.begin(), modes.end(), 1) != modes.end();
      if (with_key_share && !well_formed_identities(psk)) mark(hello, only_tls1_3);
    }
  }
  return true;
}

bool parse_version2(Bytes message, ClientHello& hello) {
  Reader reader(message);
  std::uint8_t type = 0;
  std::uint16_t ciphers = 0;
  std::uint16_t session_id = 0;
  std::uint16_t challenge = 0;
  Bytes specs;
  Bytes random;
  if (!reader.u8(type) || type != 1 || !reader.u16(hello.legacy_version) || !reader.u16(ciphers) ||
      !reader.u16(session_id) || !reader.u16(challenge) || session_id > 32 ||
      !reader.bytes(ciphers, specs) || !reader.bytes(session_id, hello.session_id) ||
      !reader.bytes(challenge, random) || !reader.empty() || specs.empty() ||
      specs.size() % 3 != 0) {
    return false;
  }
  hello.cipher_suites = CodePoints(specs, 3);
  return true;
}

bool parse_body(Bytes message, ClientHello& hello) {
  Reader reader(message);
  std::uint8_t type = 0;
  Bytes body;
  if (!reader.u8(type) || type != 1 || !reader.vector24(body) || !reader.empty()) return false;
  Reader fields(body);
  Bytes random;
  Bytes ciphers;
  Bytes compression;
  if (!fields.u16(hello.legacy_version) || !fields.bytes(32, random) ||
      !fields.vector8(hello.session_id) || hello.session_id.size() > 32 ||
      !fields.vector16(ciphers) || !fields.vector8(compression)) {
    return false;
  }
  if (ciphers.empty() || ciphers.size() % 2 != 0) return false;
  if (std::find(compression.begin(), compression.end(), 0) == compression.end()) return false;
  if (compression.size() != 1) mark(hello, only_tls1_3);
  hello.cipher_suites = CodePoints(ciphers);
  if (fields.empty()) return true;
  Bytes extensions;
  if (!fields.vector16(extensions) || !fields.empty()) return false;
  hello.has_extensions = true;
  return parse_extensions(extensions, hello);
}

}  // namespace

std::optional<ClientHello> parse_client_hello(Bytes message, bool version2_format) {
  if (message.size() > max_client_hello) return std::nullopt;
  ClientHello hello;
  hello.version2_format = version2_format;
  bool parsed = version2_format ? parse_version2(message, hello) : parse_body(message, hello);
  if (!parsed) return std::nullopt;
  return hello;
}

bool offers_only(const ClientHello& hello, std::string_view alpn_protocol) {
  if (!hello.alpn) return false;
  std::string_view list = as_text(*hello.alpn);
  return list.size() == alpn_protocol.size() + 1 &&
         static_cast<std::uint8_t>(list[0]) == alpn_protocol.size() &&
         list.substr(1) == alpn_protocol;
}

}  // namespace tlsguard::hello
