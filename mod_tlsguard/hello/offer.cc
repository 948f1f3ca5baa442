// SPDX-License-Identifier: Apache-2.0
#include "hello/offer.h"

#include <algorithm>

#include "hello/extension.h"
#include "hello/writer.h"

namespace tlsguard::hello {
namespace {

Bytes as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <typename Fill>
void extension(Writer& out, Extension type, Fill fill) {
  out.u16(type);
  out.vector(2, fill);
}

// An extension that is one list of code points, its length in width bytes.
void code_points(Writer& out, Extension type, std::size_t width,
                 const std::optional<std::vector<std::uint16_t>>& list) {
  if (!list) return;
  extension(out, type, [&] {
    out.vector(width, [&] {
      for (std::uint16_t id : *list) out.u16(id);
    });
  });
}

void byte_list(Writer& out, Extension type, const std::optional<std::vector<std::uint8_t>>& list) {
  if (!list) return;
  extension(out, type, [&] { out.vector(1, *list); });
}

void key_shares(Writer& out, const std::vector<KeyShare>& shares) {
  extension(out, ext_key_share, [&] {
    out.vector(2, [&] {
      for (const KeyShare& share : shares) {
        out.u16(share.group);
        out.vector(2, share.key_exchange);
      }
    });
  });
}

void extensions(Writer& out, const Offer& offer) {
  if (!offer.server_name.empty()) {
    extension(out, ext_server_name, [&] {
      out.vector(2, [&] {
        out.u8(0);
        out.vector(2, as_bytes(offer.server_name));
      });
    });
  }
  if (offer.extended_master_secret) extension(out, ext_extended_master_secret, [] {});
  if (offer.renegotiation_info) extension(out, ext_renegotiation_info, [&] { out.u8(0); });
  code_points(out, ext_supported_groups, 2, offer.supported_groups);
  byte_list(out, ext_ec_point_formats, offer.ec_point_formats);
  if (offer.session_ticket) extension(out, ext_session_ticket, [] {});
  if (!offer.alpn.empty()) {
    extension(out, ext_alpn, [&] {
      out.vector(2, [&] {
        for (const std::string& name : offer.alpn) out.vector(1, as_bytes(name));
      });
    });
  }
  code_points(out, ext_signature_algorithms, 2, offer.signature_algorithms);
  code_points(out, ext_signature_algorithms_cert, 2, offer.signature_algorithms_cert);
  code_points(out, ext_supported_versions, 1, offer.supported_versions);
  byte_list(out, ext_psk_key_exchange_modes, offer.psk_key_exchange_modes);
  if (offer.key_shares) key_shares(out, *offer.key_shares);
  for (const auto& [type, content] : offer.other_extensions) {
    out.u16(type);
    out.vector(2, content);
  }
}

}  // namespace

std::vector<std::uint8_t> build_client_hello(const Offer& offer) {
  Writer body;
  body.u16(offer.legacy_version);
  body.bytes(offer.random);
  body.vector(1, offer.session_id);
  body.vector(2, [&] {
    for (std::uint16_t id : offer.cipher_suites) body.u16(id);
  });
  body.vector(1, offer.compression_methods);
  Writer list;
  extensions(list, offer);
  std::vector<std::uint8_t> content = list.take();
  // A client that knows no extensions leaves out their length, too (RFC 5246 7.4.1.2).
  if (!content.empty()) body.vector(2, content);
  Writer message;
  message.u8(1);
  message.vector(3, body.take());
  return message.take();
}

std::vector<std::uint8_t> in_records(const std::vector<std::uint8_t>& message,
                                     std::uint16_t record_version) {
  constexpr std::size_t most = 16384;
  Writer out;
  Bytes rest(message);
  while (!rest.empty()) {
    Bytes fragment = rest.first(std::min(rest.size(), most));
    rest = rest.subspan(fragment.size());
    out.u8(22);
    out.u16(record_version);
    out.vector(2, fragment);
  }
  return out.take();
}

std::vector<std::uint8_t> build_version2_hello(const Offer& offer) {
  Writer body;
  body.u8(1);
  body.u16(offer.legacy_version);
  body.u16(offer.cipher_suites.size() * 3);
  body.u16(offer.session_id.size());
  body.u16(offer.random.size());
  for (std::uint16_t id : offer.cipher_suites) {
    body.u8(0);
    body.u16(id);
  }
  body.bytes(offer.session_id);
  body.bytes(offer.random);
  std::vector<std::uint8_t> content = body.take();
  Writer record;
  record.u16(0x8000U | content.size());
  record.bytes(content);
  return record.take();
}

}  // namespace tlsguard::hello
