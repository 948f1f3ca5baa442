// SPDX-License-Identifier: Apache-2.0
// Policies after standards and regulations. Lists that a document gives as a set, with no order
// of preference, are put with authenticated encryption in front, since our order is the server's.
#include "policy/presets.h"

namespace tlsguard::policy {
namespace {

using hello::KeyType;

// ECDHE with AES-GCM: what FIPS, HIPAA guidance and SP 800-52 agree on.
Policy ecdhe_gcm(const char* name, const char* version) {
  Policy policy;
  policy.name = name;
  policy.version = version;
  policy.ciphers = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"};
  policy.suites = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"};
  policy.groups = {"P-256", "P-384", "P-521"};
  policy.server_preference = true;
  policy.min_rsa_bits = 2048;
  policy.certificate_types = {KeyType::ecdsa, KeyType::rsa};
  return policy;
}

Policy rfc9325() {
  Policy policy;
  policy.name = "rfc9325";
  policy.version = "2022-11";
  policy.source = "RFC 9325 (BCP 195) section 4.2; TLS 1.3 suites of RFC 8446 section 9.1";
  policy.date = "2022-11";
  policy.ciphers = {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"};
  policy.suites = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                   "TLS_CHACHA20_POLY1305_SHA256"};
  policy.groups = {"P-256", "X25519"};
  policy.server_preference = true;
  policy.min_rsa_bits = 2048;
  policy.certificate_types = {KeyType::rsa, KeyType::ecdsa};
  policy.note =
      "The recommendations of the IETF, to the letter: the four cipher suites it names for TLS "
      "1.2 and the two curves it names. They are recommended, not exclusive: ChaCha20 in TLS 1.2 "
      "and P-384 are sound too, but not on its list.";
  return policy;
}

Policy nist_sp800_52() {
  Policy policy;
  policy.name = "nist-sp800-52";
  policy.version = "r2";
  policy.source = "NIST SP 800-52 Rev. 2 section 3.3.1, lists as encoded by TLS-Scanner (nist.xml)";
  policy.date = "2019-08";
  policy.ciphers = {"ECDHE-ECDSA-AES128-GCM-SHA256",
                    "ECDHE-ECDSA-AES256-GCM-SHA384",
                    "ECDHE-ECDSA-AES128-CCM",
                    "ECDHE-ECDSA-AES256-CCM",
                    "ECDHE-RSA-AES128-GCM-SHA256",
                    "ECDHE-RSA-AES256-GCM-SHA384",
                    "DHE-RSA-AES128-GCM-SHA256",
                    "DHE-RSA-AES256-GCM-SHA384",
                    "DHE-RSA-AES128-CCM",
                    "DHE-RSA-AES256-CCM",
                    "ECDHE-ECDSA-AES128-CCM8",
                    "ECDHE-ECDSA-AES256-CCM8",
                    "DHE-RSA-AES128-CCM8",
                    "DHE-RSA-AES256-CCM8",
                    "ECDHE-ECDSA-AES128-SHA256",
                    "ECDHE-ECDSA-AES256-SHA384",
                    "ECDHE-ECDSA-AES128-SHA",
                    "ECDHE-ECDSA-AES256-SHA",
                    "ECDHE-RSA-AES128-SHA256",
                    "ECDHE-RSA-AES256-SHA384",
                    "DHE-RSA-AES128-SHA256",
                    "DHE-RSA-AES256-SHA256",
                    "ECDHE-RSA-AES128-SHA",
                    "ECDHE-RSA-AES256-SHA",
                    "DHE-RSA-AES128-SHA",
                    "DHE-RSA-AES256-SHA"};
  policy.suites = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_CCM_SHA256",
                   "TLS_AES_128_CCM_8_SHA256"};
  policy.groups = {"P-256",     "P-384",     "P-521",     "ffdhe2048",
                   "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"};
  policy.server_preference = true;
  policy.min_rsa_bits = 2048;
  policy.certificate_types = {KeyType::ecdsa, KeyType::rsa};
  policy.note =
      "All that the publication allows a government server to negotiate. It has neither ChaCha20 "
      "nor X25519. DSA, static DH and ECDH are left out, and RSA key transport, which it allows "
      "for transition only (appendix D). nist-sp800-52-aead is the practical part of it.";
  return policy;
}

Policy nist_sp800_52_aead() {
  Policy policy = ecdhe_gcm("nist-sp800-52-aead", "r2");
  policy.source = "Derived from NIST SP 800-52 Rev. 2: its suites with ECDHE and AES-GCM";
  policy.date = "2019-08";
  policy.signature_algorithms = {"ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384",
                                 "rsa_pss_rsae_sha256",    "rsa_pss_rsae_sha384",
                                 "rsa_pss_rsae_sha512",    "rsa_pkcs1_sha256",
                                 "rsa_pkcs1_sha384",       "rsa_pkcs1_sha512"};
  policy.note =
      "The part of nist-sp800-52 with forward secrecy and authenticated encryption, which every "
      "client that can meet the publication offers. The choice is ours. It fits what FIPS 140-3 "
      "modules approve, too.";
  return policy;
}

Policy pci_dss() {
  Policy policy;
  policy.name = "pci-dss";
  policy.version = "4.0.1";
  policy.source = "PCI DSS v4.0.1 requirements 2.2.7, 4.2.1 and 12.3.3, which name no suites";
  policy.date = "2024-06";
  policy.ciphers = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
                    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"};
  policy.suites = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                   "TLS_CHACHA20_POLY1305_SHA256"};
  policy.groups = {"X25519", "P-256", "P-384"};
  policy.server_preference = true;
  policy.min_rsa_bits = 2048;
  policy.certificate_types = {KeyType::rsa, KeyType::ecdsa};
  policy.note =
      "The standard asks for secure versions with no fallback, strong cryptography (112 bits or "
      "more), certificates that are valid and not revoked, and a list of the suites in use that "
      "is reviewed every year; it names none. The list is ours. That the suites fit is not a "
      "statement of compliance.";
  return policy;
}

Policy bsi_tr_02102_2() {
  Policy policy;
  policy.name = "bsi-tr-02102-2";
  policy.version = "2025-01";
  policy.source = "BSI TR-02102-2 version 2025-01, lists as encoded by TLS-Scanner (bsi.xml)";
  policy.date = "2025-01";
  policy.ciphers = {"ECDHE-ECDSA-AES128-GCM-SHA256",
                    "ECDHE-ECDSA-AES256-GCM-SHA384",
                    "ECDHE-ECDSA-AES128-CCM",
                    "ECDHE-ECDSA-AES256-CCM",
                    "ECDHE-RSA-AES128-GCM-SHA256",
                    "ECDHE-RSA-AES256-GCM-SHA384",
                    "DHE-RSA-AES128-GCM-SHA256",
                    "DHE-RSA-AES256-GCM-SHA384",
                    "DHE-RSA-AES128-CCM",
                    "DHE-RSA-AES256-CCM",
                    "ECDHE-ECDSA-AES128-SHA256",
                    "ECDHE-ECDSA-AES256-SHA384",
                    "ECDHE-RSA-AES128-SHA256",
                    "ECDHE-RSA-AES256-SHA384",
                    "DHE-RSA-AES128-SHA256",
                    "DHE-RSA-AES256-SHA256"};
  policy.suites = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_CCM_SHA256"};
  // The brainpool curves are recommended for TLS 1.2 and 1.3, which number them differently.
  policy.groups = {"P-256",
                   "P-384",
                   "P-521",
                   "brainpoolP256r1",
                   "brainpoolP384r1",
                   "brainpoolP512r1",
                   "brainpoolP256r1tls13",
                   "brainpoolP384r1tls13",
                   "brainpoolP512r1tls13",
                   "ffdhe3072",
                   "ffdhe4096"};
  // The table of TLS 1.3, and for TLS 1.2 RSA with SHA-256 and up.
  policy.signature_algorithms = {"rsa_pss_rsae_sha256",
                                 "rsa_pss_rsae_sha384",
                                 "rsa_pss_rsae_sha512",
                                 "rsa_pss_pss_sha256",
                                 "rsa_pss_pss_sha384",
                                 "rsa_pss_pss_sha512",
                                 "ecdsa_secp256r1_sha256",
                                 "ecdsa_secp384r1_sha384",
                                 "ecdsa_secp521r1_sha512",
                                 "ecdsa_brainpoolP256r1tls13_sha256",
                                 "ecdsa_brainpoolP384r1tls13_sha384",
                                 "ecdsa_brainpoolP512r1tls13_sha512",
                                 "rsa_pkcs1_sha256",
                                 "rsa_pkcs1_sha384",
                                 "rsa_pkcs1_sha512"};
  policy.server_preference = true;
  policy.min_rsa_bits = 3000;
  policy.certificate_types = {KeyType::ecdsa, KeyType::rsa};
  policy.note =
      "What the German federal office recommends: neither ChaCha20 nor X25519, RSA keys of 3000 "
      "bits or more. Static DH and ECDH, DSS and PSK suites of its tables are left out. Version "
      "2026-01 ends the recommendation of TLS 1.2 with 2031; its tables are not in here yet.";
  return policy;
}

Policy fips() {
  Policy policy = ecdhe_gcm("fips", "140-3");
  policy.source =
      "Derived: FIPS 140-3 implementation guidance as read by OpenSSL (EVP_KEYEXCH-X25519(7)), "
      "s2n-tls default_fips and Go's crypto/tls";
  policy.date = "2019-03-22";
  policy.signature_algorithms = {
      "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512",
      "rsa_pss_rsae_sha256",    "rsa_pss_rsae_sha384",    "rsa_pss_rsae_sha512",
      "rsa_pkcs1_sha256",       "rsa_pkcs1_sha384",       "rsa_pkcs1_sha512"};
  policy.certificate_types = {KeyType::rsa, KeyType::ecdsa};
  policy.note =
      "Suites, groups and signatures that validated modules approve: no ChaCha20, no X25519 or "
      "X448 by themselves. FIPS 140-3 validates modules and not suites, so this is necessary and "
      "not sufficient: OpenSSL must run with its FIPS provider.";
  return policy;
}

Policy hipaa() {
  Policy policy = ecdhe_gcm("hipaa", "2009");
  policy.source =
      "45 CFR 164.312(e)(2)(ii); HHS guidance 74 Fed. Reg. 19006, which refers to NIST SP 800-52 "
      "or FIPS 140 validated";
  policy.date = "2009-04-27";
  policy.certificate_types = {KeyType::rsa, KeyType::ecdsa};
  policy.note =
      "The rule calls encryption in transit addressable and names no suites; the guidance refers "
      "to NIST SP 800-52, so the suites are those of nist-sp800-52-aead. That the suites fit is "
      "not a statement of compliance.";
  return policy;
}

Policy cnsa_1() {
  Policy policy;
  policy.name = "cnsa-1";
  policy.version = "rfc9151";
  policy.source = "RFC 9151 (CNSA 1.0), lists as in the s2n-tls policy rfc9151";
  policy.date = "2022-04";
  policy.ciphers = {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"};
  policy.suites = {"TLS_AES_256_GCM_SHA384"};
  policy.groups = {"P-384"};
  policy.signature_algorithms = {"ecdsa_secp384r1_sha384", "rsa_pss_pss_sha384",
                                 "rsa_pss_rsae_sha384", "rsa_pkcs1_sha384"};
  policy.server_preference = true;
  policy.min_rsa_bits = 3072;
  policy.certificate_types = {KeyType::ecdsa, KeyType::rsa, KeyType::rsa_pss};
  policy.note =
      "The Commercial National Security Algorithm suite of before post-quantum cryptography: AES "
      "with 256 bits, P-384 and SHA-384 only. It cuts off clients that know P-256 alone.";
  return policy;
}

Policy cnsa_2() {
  Policy policy;
  policy.name = "cnsa-2";
  policy.version = "2022-09";
  policy.source = "NSA CNSA 2.0 (September 2022), lists as in the s2n-tls policy cnsa_2";
  policy.date = "2022-09";
  policy.min_protocol = Protocol::tls1_3;
  policy.suites = {"TLS_AES_256_GCM_SHA384"};
  policy.groups = {"MLKEM1024"};
  policy.signature_algorithms = {"mldsa87"};
  policy.server_preference = true;
  policy.certificate_types = {KeyType::mldsa87};
  policy.note =
      "Post-quantum algorithms alone: ML-KEM-1024 and ML-DSA-87 over TLS 1.3. It needs OpenSSL "
      "3.5, a certificate with an ML-DSA key, and clients built for it; no browser is.";
  return policy;
}

}  // namespace

std::vector<Policy> standard_presets() {
  return {rfc9325(), nist_sp800_52(),  nist_sp800_52_aead(),
          pci_dss(), bsi_tr_02102_2(), fips(),
          hipaa(),   cnsa_1(),         cnsa_2()};
}

}  // namespace tlsguard::policy
