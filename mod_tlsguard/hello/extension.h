// SPDX-License-Identifier: Apache-2.0
// TLS ExtensionType: those OpenSSL's server knows.
#ifndef TLSGUARD_HELLO_EXTENSION_H
#define TLSGUARD_HELLO_EXTENSION_H

#include <cstdint>

namespace tlsguard::hello {

enum Extension : std::uint16_t {
  ext_server_name = 0,
  ext_max_fragment_length = 1,
  ext_status_request = 5,
  ext_supported_groups = 10,
  ext_ec_point_formats = 11,
  ext_srp = 12,
  ext_signature_algorithms = 13,
  ext_use_srtp = 14,
  ext_alpn = 16,
  ext_signed_certificate_timestamp = 18,
  ext_padding = 21,
  ext_encrypt_then_mac = 22,
  ext_extended_master_secret = 23,
  ext_session_ticket = 35,
  ext_pre_shared_key = 41,
  ext_early_data = 42,
  ext_supported_versions = 43,
  ext_cookie = 44,
  ext_psk_key_exchange_modes = 45,
  ext_certificate_authorities = 47,
  ext_post_handshake_auth = 49,
  ext_signature_algorithms_cert = 50,
  ext_key_share = 51,
  ext_next_protocol = 13172,
  ext_cryptopro_bug = 65000,
  ext_renegotiation_info = 65281,
};

}  // namespace tlsguard::hello

#endif
