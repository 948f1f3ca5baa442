// SPDX-License-Identifier: Apache-2.0
#include "policy/presets.h"

namespace tlsguard::policy {
namespace {

Policy baseline() {
  Policy policy;
  policy.name = "baseline";
  policy.version = "1";
  policy.source = "mod_tlsguard";
  policy.date = "2026-11-20";
  // What OpenSSL makes of ECDHE+AESGCM.
  policy.ciphers = {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
                    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"};
  policy.suites = {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"};
  policy.groups = {"X25519MLKEM768", "X25519", "P-256", "P-384"};
  policy.server_preference = true;
  policy.min_rsa_bits = 2048;
  policy.certificate_types = {hello::KeyType::ecdsa, hello::KeyType::rsa};
  policy.min_hsts_age = Seconds(63072000);
  policy.note =
      "The default: TLS 1.3 preferred and TLS 1.2 allowed, forward secrecy and authenticated "
      "encryption only, strongest first. It fits every browser in use and HTTP/2 (RFC 9113 "
      "9.2.2). It omits TLS_AES_128_GCM_SHA256, which RFC 8446 9.1 has every client implement, on "
      "purpose: no client seen so far offers that suite alone.";
  return policy;
}

std::vector<Policy> all_presets() {
  std::vector<Policy> all{baseline()};
  for (const auto& family : {mozilla_presets(), standard_presets()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

std::map<std::string, std::string> make_aliases() {
  std::map<std::string, std::string> result;
  for (const Policy& preset : presets()) result[preset.name] = preset.id();  // newest comes last
  result["modern"] = result.at("mozilla-modern");
  result["intermediate"] = result.at("mozilla-intermediate");
  result["old"] = result.at("mozilla-old");
  return result;
}

}  // namespace

const std::vector<Policy>& presets() {
  static const std::vector<Policy> all = all_presets();
  return all;
}

const std::map<std::string, std::string>& aliases() {
  static const std::map<std::string, std::string> all = make_aliases();
  return all;
}

}  // namespace tlsguard::policy
