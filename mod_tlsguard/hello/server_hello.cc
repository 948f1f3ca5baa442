// SPDX-License-Identifier: Apache-2.0
#include "hello/server_hello.h"

#include <algorithm>
#include <array>
#include <bit>

#include "hello/extension.h"

namespace tlsguard::hello {
namespace {

enum ContentType : std::uint8_t { change_cipher_spec = 20, alert = 21, handshake = 22 };
enum HandshakeType : std::uint8_t {
  server_hello = 2,
  certificate = 11,
  server_key_exchange = 12,
  certificate_request = 13,
  server_hello_done = 14,
  certificate_status = 22,
};

// RFC 8446 4.1.3: SHA-256 of "HelloRetryRequest" stands where the random does.
constexpr std::array<std::uint8_t, 32> retry_random{
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

bool server_extension(std::uint16_t type, Bytes body, ServerHello& hello) {
  Reader reader(body);
  switch (type) {
    case ext_supported_versions:
      return reader.u16(hello.version) && reader.empty();
    case ext_key_share: {
      Bytes key;
      if (!reader.u16(hello.group)) return false;
      return hello.retry_request ? reader.empty() : reader.vector16(key) && reader.empty();
    }
    case ext_alpn: {
      Bytes list;
      Bytes name;
      if (!reader.vector16(list) || !reader.empty()) return false;
      Reader names(list);
      if (!names.vector8(name) || !names.empty()) return false;
      hello.alpn.assign(name.begin(), name.end());
      return true;
    }
    case ext_extended_master_secret:
      hello.extended_master_secret = true;
      return true;
    case ext_renegotiation_info:
      hello.secure_renegotiation = true;
      return true;
    case ext_session_ticket:
      hello.session_ticket = true;
      return true;
    default:
      return true;
  }
}

std::optional<std::uint16_t> signature_algorithm(Reader& reader, std::uint16_t version) {
  std::uint16_t id = 0;
  if (version >= 0x0303 && !reader.u16(id)) return std::nullopt;
  return id;
}

int bit_length(Bytes number) {
  auto first = std::find_if(number.begin(), number.end(), [](std::uint8_t b) { return b != 0; });
  if (first == number.end()) return 0;
  return static_cast<int>(number.end() - first - 1) * 8 + std::bit_width(*first);
}

// Key exchange of the cipher suites whose ServerKeyExchange carries a named curve.
bool is_ecdhe(std::uint16_t cipher) {
  switch (cipher) {
    case 0xC05C:  // ARIA
    case 0xC05D:
    case 0xC060:
    case 0xC061:
    case 0xC048:
    case 0xC049:
    case 0xC04C:
    case 0xC04D:
    case 0xC072:  // CAMELLIA
    case 0xC073:
    case 0xC076:
    case 0xC077:
    case 0xC086:
    case 0xC087:
    case 0xC08A:
    case 0xC08B:
    case 0xCCA8:  // CHACHA20_POLY1305
    case 0xCCA9:
    case 0xC0AC:  // AES_CCM
    case 0xC0AD:
    case 0xC0AE:
    case 0xC0AF:
      return true;
    default:
      // ECDHE_ECDSA, ECDHE_RSA and ECDH_anon of RFC 4492; of RFC 5289.
      return (cipher >= 0xC006 && cipher <= 0xC00A) || (cipher >= 0xC010 && cipher <= 0xC019) ||
             cipher == 0xC023 || cipher == 0xC024 || cipher == 0xC027 || cipher == 0xC028 ||
             cipher == 0xC02B || cipher == 0xC02C || cipher == 0xC02F || cipher == 0xC030;
  }
}

}  // namespace

std::optional<ServerHello> parse_server_hello(Bytes body) {
  ServerHello hello;
  Reader reader(body);
  Bytes random;
  Bytes session_id;
  if (!reader.u16(hello.version) || !reader.bytes(32, random) || !reader.vector8(session_id) ||
      session_id.size() > 32 || !reader.u16(hello.cipher_suite) ||
      !reader.u8(hello.compression_method)) {
    return std::nullopt;
  }
  hello.retry_request = std::equal(random.begin(), random.end(), retry_random.begin());
  if (reader.empty()) return hello;
  Bytes block;
  if (!reader.vector16(block) || !reader.empty()) return std::nullopt;
  Reader extensions(block);
  while (!extensions.empty()) {
    std::uint16_t type = 0;
    Bytes content;
    if (!extensions.u16(type) || !extensions.vector16(content) ||
        !server_extension(type, content, hello)) {
      return std::nullopt;
    }
  }
  return hello;
}

std::optional<std::vector<std::vector<std::uint8_t>>> parse_certificate(Bytes body) {
  Reader reader(body);
  Bytes list;
  if (!reader.vector24(list) || !reader.empty()) return std::nullopt;
  std::vector<std::vector<std::uint8_t>> certificates;
  Reader each(list);
  while (!each.empty()) {
    Bytes der;
    if (!each.vector24(der) || der.empty()) return std::nullopt;
    certificates.emplace_back(der.begin(), der.end());
  }
  return certificates;
}

std::optional<ServerKeyExchange> parse_server_key_exchange(Bytes body, std::uint16_t version,
                                                           bool ephemeral_dh) {
  ServerKeyExchange exchange;
  Reader reader(body);
  Bytes public_key;
  if (ephemeral_dh) {
    Bytes prime;
    Bytes generator;
    if (!reader.vector16(prime) || !reader.vector16(generator) || !reader.vector16(public_key)) {
      return std::nullopt;
    }
    exchange.dh_bits = bit_length(prime);
  } else {
    constexpr std::uint8_t named_curve = 3;
    std::uint8_t curve_type = 0;
    if (!reader.u8(curve_type) || curve_type != named_curve || !reader.u16(exchange.group) ||
        !reader.vector8(public_key)) {
      return std::nullopt;
    }
  }
  if (reader.empty()) return exchange;  // an anonymous cipher
  auto id = signature_algorithm(reader, version);
  Bytes signature;
  if (!id || !reader.vector16(signature) || !reader.empty()) return std::nullopt;
  exchange.signature_algorithm = *id;
  return exchange;
}

AnswerParser::State AnswerParser::feed(Bytes bytes) {
  if (state_ != State::more) return state_;
  if (bytes.size() > max_answer - seen_) return state_ = State::malformed;
  seen_ += bytes.size();
  input_.insert(input_.end(), bytes.begin(), bytes.end());
  return state_ = records();
}

AnswerParser::State AnswerParser::records() {
  Reader reader{Bytes(input_)};
  State state = State::more;
  while (state == State::more && !reader.empty()) {
    Reader record = reader;
    std::uint8_t type = 0;
    std::uint16_t version = 0;
    Bytes fragment;
    if (!record.u8(type)) break;
    if (type < change_cipher_spec || type > handshake) return State::malformed;
    if (!record.u16(version)) break;
    if (version >> 8 != 3) return State::malformed;
    if (!record.vector16(fragment)) break;
    reader = record;
    if (type == handshake) {
      handshake_.insert(handshake_.end(), fragment.begin(), fragment.end());
      state = messages();
    } else if (type == alert) {
      if (fragment.size() != 2) return State::malformed;
      constexpr std::uint8_t close_notify = 0;
      // Warnings such as unrecognized_name may come before a ServerHello (RFC 6066 3).
      if (fragment[0] != 1 || fragment[1] == close_notify) {
        answer_.alert = Alert{fragment[0], fragment[1]};
        state = State::done;
      }
    }
  }
  std::vector<std::uint8_t> rest(reader.rest().begin(), reader.rest().end());
  input_.swap(rest);
  return state;
}

AnswerParser::State AnswerParser::messages() {
  Reader reader{Bytes(handshake_)};
  State state = State::more;
  while (state == State::more) {
    Reader next = reader;
    std::uint8_t type = 0;
    Bytes body;
    if (!next.u8(type) || !next.vector24(body)) break;
    reader = next;
    state = message(type, body);
  }
  std::vector<std::uint8_t> rest(reader.rest().begin(), reader.rest().end());
  handshake_.swap(rest);
  return state;
}

AnswerParser::State AnswerParser::message(std::uint8_t type, Bytes body) {
  if (type == server_hello) {
    if (answer_.hello) return State::malformed;
    answer_.hello = parse_server_hello(body);
    if (!answer_.hello) return State::malformed;
    constexpr std::uint16_t tls1_3 = 0x0304;
    return answer_.hello->retry_request || answer_.hello->version >= tls1_3 ? State::done
                                                                            : State::more;
  }
  if (!answer_.hello) return State::malformed;
  switch (type) {
    case certificate: {
      auto chain = parse_certificate(body);
      if (!chain) return State::malformed;
      answer_.certificates = std::move(*chain);
      return State::more;
    }
    case server_key_exchange:
      answer_.key_exchange = parse_server_key_exchange(body, answer_.hello->version,
                                                       !is_ecdhe(answer_.hello->cipher_suite));
      return answer_.key_exchange ? State::more : State::malformed;
    case certificate_request:
    case certificate_status:
      return State::more;
    case server_hello_done:
      answer_.hello_done = true;
      return State::done;
    default:
      return State::malformed;
  }
}

}  // namespace tlsguard::hello
