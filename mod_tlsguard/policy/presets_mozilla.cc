// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "policy/presets.h"

namespace tlsguard::policy {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view v5_7 = "5.7";
constexpr std::string_view v5_8 = "5.8";
constexpr std::string_view v6_0 = "6.0";

// What all Mozilla policies of one version have in common. 5.8 and 6.0 share a date.
Policy guideline(const std::string& name, std::string_view version, const char* note) {
  const bool before_5_8 = version == v5_7;
  Policy policy;
  policy.name = "mozilla-" + name;
  policy.version = version;
  policy.source = "Mozilla Server Side TLS guidelines " + policy.version + ", " + name;
  policy.date = before_5_8 ? "2023-05-15" : "2026-04-06";
  policy.max_protocol = Protocol::tls1_3;
  policy.suites = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                   "TLS_CHACHA20_POLY1305_SHA256"};
  if (!before_5_8) policy.groups.emplace_back("X25519MLKEM768");
  for (const char* group : {"X25519", "P-256", "P-384"}) policy.groups.emplace_back(group);
  policy.min_hsts_age = Seconds(63072000);
  policy.note = note;
  return policy;
}

Policy modern(std::string_view version) {
  Policy policy = guideline(
      "modern", version,
      "For services whose clients all speak TLS 1.3 (oldest: Firefox 63, Android 10, Chrome 70, "
      "Edge 75, Java 11, OpenSSL 1.1.1, Safari 12.1). It expects ECDSA certificates of at most 90 "
      "days. All suites are strong, so the client chooses: a phone without AES in hardware takes "
      "ChaCha20.");
  policy.min_protocol = Protocol::tls1_3;
  policy.server_preference = false;
  policy.certificate_types = {hello::KeyType::ecdsa};
  return policy;
}

const Names& ecdhe_aead() {
  static const Names names{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                           "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
                           "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"};
  return names;
}

void append(Names& names, std::initializer_list<const char*> more) {
  names.insert(names.end(), more.begin(), more.end());
}

Policy intermediate(std::string_view version) {
  const bool with_dhe = version == v5_7;
  Policy policy = guideline(
      "intermediate", version,
      with_dhe
          ? "The general purpose policy as it was before DHE was dropped (oldest clients: Firefox "
            "27, Android 4.4.2, Chrome 31, IE 11 on Windows 7, Java 8u31, OpenSSL 1.0.1, Safari "
            "9). DHE key exchange is slow and RFC 9325 4.2 advises against it; newer versions of "
            "this policy do without."
          : "Mozilla's recommendation for servers of a general purpose (oldest clients: Firefox "
            "31.3, Android 4.4.2, Chrome 49, Edge 15, IE 11 on Windows 10, Java 8u161, OpenSSL "
            "1.0.1l, Safari 9): forward secrecy and authenticated encryption only. All ciphers "
            "are strong, so the client chooses.");
  policy.min_protocol = Protocol::tls1_2;
  policy.ciphers = ecdhe_aead();
  if (with_dhe) {
    append(policy.ciphers,
           {"DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305"});
  }
  policy.server_preference = false;
  policy.min_rsa_bits = 2048;
  policy.certificate_types = {hello::KeyType::ecdsa, hello::KeyType::rsa};
  return policy;
}

Policy old(std::string_view version) {
  const bool with_dhe = version == v5_7;
  Policy policy = guideline(
      "old", version,
      "A last resort for clients as old as Internet Explorer 8 on Windows XP, Java 6 or Android "
      "2.3: TLS 1.0 and 1.1, CBC ciphers and RSA key transport without forward secrecy. OpenSSL 3 "
      "reaches TLS 1.0 and 1.1 only at security level 0 (SSLCipherSuite ...:@SECLEVEL=0), and is "
      "mostly built without DES-CBC3-SHA. Mozilla dropped this policy with 6.0.");
  policy.min_protocol = Protocol::tls1_0;
  policy.ciphers = ecdhe_aead();
  if (with_dhe) {
    append(policy.ciphers,
           {"DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305"});
  }
  append(policy.ciphers,
         {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA",
          "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384",
          "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA"});
  if (with_dhe) append(policy.ciphers, {"DHE-RSA-AES128-SHA256", "DHE-RSA-AES256-SHA256"});
  append(policy.ciphers, {"AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256",
                          "AES256-SHA256", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA"});
  policy.server_preference = true;
  policy.min_rsa_bits = 2048;
  policy.certificate_types = {hello::KeyType::rsa};
  return policy;
}

}  // namespace

std::vector<Policy> mozilla_presets() {
  return {modern(v5_7),       modern(v5_8),       modern(v6_0), intermediate(v5_7),
          intermediate(v5_8), intermediate(v6_0), old(v5_7),    old(v5_8)};
}

}  // namespace tlsguard::policy
