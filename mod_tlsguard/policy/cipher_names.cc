// SPDX-License-Identifier: Apache-2.0
#include "policy/cipher_names.h"

#include <algorithm>
#include <array>

#include "core/text.h"

namespace tlsguard::policy {
namespace {

// Full names that releases of OpenSSL have had and a present one may lack: weak ciphers that are
// off at build time, static DH and ECDH, SSLv2, Kerberos, GOST.
constexpr std::string_view historic_ciphers =
    "NULL-MD5 NULL-SHA NULL-SHA256 RC4-MD5 RC4-SHA IDEA-CBC-SHA DES-CBC-SHA DES-CBC3-SHA "
    "EXP-RC4-MD5 EXP-RC2-CBC-MD5 EXP-DES-CBC-SHA EXP-DH-DSS-DES-CBC-SHA EXP-DH-RSA-DES-CBC-SHA "
    "EXP-EDH-DSS-DES-CBC-SHA EXP-EDH-RSA-DES-CBC-SHA EXP-ADH-RC4-MD5 EXP-ADH-DES-CBC-SHA "
    "EXP1024-DES-CBC-SHA EXP1024-RC4-SHA EXP1024-RC4-MD5 EXP1024-RC2-CBC-MD5 "
    "EXP1024-DHE-DSS-DES-CBC-SHA EXP1024-DHE-DSS-RC4-SHA DHE-DSS-RC4-SHA "
    "DH-DSS-DES-CBC-SHA DH-DSS-DES-CBC3-SHA DH-RSA-DES-CBC-SHA DH-RSA-DES-CBC3-SHA "
    "EDH-DSS-DES-CBC-SHA EDH-DSS-CBC-SHA EDH-DSS-DES-CBC3-SHA EDH-RSA-DES-CBC-SHA "
    "EDH-RSA-DES-CBC3-SHA DHE-DSS-DES-CBC-SHA DHE-DSS-DES-CBC3-SHA DHE-RSA-DES-CBC-SHA "
    "DHE-RSA-DES-CBC3-SHA ADH-RC4-MD5 ADH-DES-CBC-SHA ADH-DES-CBC3-SHA "
    "SEED-SHA DH-DSS-SEED-SHA DH-RSA-SEED-SHA DHE-DSS-SEED-SHA DHE-RSA-SEED-SHA ADH-SEED-SHA "
    "DH-DSS-AES128-SHA DH-DSS-AES256-SHA DH-RSA-AES128-SHA DH-RSA-AES256-SHA "
    "DH-DSS-AES128-SHA256 DH-DSS-AES256-SHA256 DH-RSA-AES128-SHA256 DH-RSA-AES256-SHA256 "
    "DH-DSS-AES128-GCM-SHA256 DH-DSS-AES256-GCM-SHA384 DH-RSA-AES128-GCM-SHA256 "
    "DH-RSA-AES256-GCM-SHA384 DH-DSS-CAMELLIA128-SHA DH-DSS-CAMELLIA256-SHA "
    "DH-RSA-CAMELLIA128-SHA DH-RSA-CAMELLIA256-SHA "
    "ECDH-RSA-NULL-SHA ECDH-RSA-RC4-SHA ECDH-RSA-DES-CBC3-SHA ECDH-RSA-AES128-SHA "
    "ECDH-RSA-AES256-SHA ECDH-RSA-AES128-SHA256 ECDH-RSA-AES256-SHA384 "
    "ECDH-RSA-AES128-GCM-SHA256 ECDH-RSA-AES256-GCM-SHA384 ECDH-ECDSA-NULL-SHA "
    "ECDH-ECDSA-RC4-SHA ECDH-ECDSA-DES-CBC3-SHA ECDH-ECDSA-AES128-SHA ECDH-ECDSA-AES256-SHA "
    "ECDH-ECDSA-AES128-SHA256 ECDH-ECDSA-AES256-SHA384 ECDH-ECDSA-AES128-GCM-SHA256 "
    "ECDH-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-NULL-SHA ECDHE-RSA-RC4-SHA ECDHE-RSA-DES-CBC3-SHA "
    "ECDHE-ECDSA-NULL-SHA ECDHE-ECDSA-RC4-SHA ECDHE-ECDSA-DES-CBC3-SHA AECDH-NULL-SHA "
    "AECDH-RC4-SHA AECDH-DES-CBC3-SHA "
    "PSK-RC4-SHA PSK-3DES-EDE-CBC-SHA DHE-PSK-RC4-SHA DHE-PSK-3DES-EDE-CBC-SHA RSA-PSK-RC4-SHA "
    "RSA-PSK-3DES-EDE-CBC-SHA ECDHE-PSK-RC4-SHA ECDHE-PSK-3DES-EDE-CBC-SHA "
    "SRP-3DES-EDE-CBC-SHA SRP-RSA-3DES-EDE-CBC-SHA SRP-DSS-3DES-EDE-CBC-SHA "
    "KRB5-DES-CBC-SHA KRB5-DES-CBC3-SHA KRB5-RC4-SHA KRB5-IDEA-CBC-SHA KRB5-DES-CBC-MD5 "
    "KRB5-DES-CBC3-MD5 KRB5-RC4-MD5 KRB5-IDEA-CBC-MD5 EXP-KRB5-DES-CBC-SHA EXP-KRB5-RC2-CBC-SHA "
    "EXP-KRB5-RC4-SHA EXP-KRB5-DES-CBC-MD5 EXP-KRB5-RC2-CBC-MD5 EXP-KRB5-RC4-MD5 "
    "DES-CBC3-MD5 RC2-CBC-MD5 IDEA-CBC-MD5 DES-CBC-MD5 RC4-64-MD5 "
    "GOST94-GOST89-GOST89 GOST2001-GOST89-GOST89 GOST94-NULL-GOST94 GOST2001-NULL-GOST94 "
    "GOST2012-GOST8912-GOST8912 LEGACY-GOST2012-GOST8912-GOST8912 "
    "IANA-GOST2012-GOST8912-GOST8912 GOST2012-NULL-GOST12 GOST2012-MAGMA-MAGMAOMAC "
    "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC";

// Cipher words of ciphers(1), past and present, and of the -legacy- classes that were removed.
constexpr std::string_view words =
    "ALL COMPLEMENTOFALL COMPLEMENTOFDEFAULT HIGH MEDIUM LOW EXP EXPORT EXPORT40 EXPORT56 FIPS "
    "aNULL eNULL NULL kRSA RSA kDHr kDHd kDH kDHE kEDH DHE EDH DH ADH kECDHr kECDHe kECDH kECDHE "
    "kEECDH ECDHE EECDH ECDH AECDH aRSA aDSS DSS aDH aECDH aECDSA ECDSA kFZA aFZA eFZA FZA kKRB5 "
    "aKRB5 KRB5 kPSK kRSAPSK kECDHEPSK kDHEPSK aPSK PSK kSRP aSRP SRP kGOST kGOST18 aGOST aGOST01 "
    "aGOST94 aGOST12 GOST94 GOST89MAC GOST89MAC12 GOST2012 GOST12 GOST89 "
    "GOST2012-GOST8912-GOST8912 "
    "SSLv2 SSLv3 TLSv1 TLSv1.0 TLSv1.1 TLSv1.2 AES AES128 AES256 AESGCM AESCCM AESCCM8 ARIA "
    "ARIA128 ARIA256 ARIAGCM CHACHA20 CAMELLIA CAMELLIA128 CAMELLIA256 3DES DES RC4 RC2 IDEA SEED "
    "CBC MD5 SHA SHA1 SHA256 SHA384";

constexpr std::array<std::string_view, 10> tls13_suites{
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",   "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256", "TLS_SM4_GCM_SM3",
    "TLS_SM4_CCM_SM3",        "TLS_SHA256_SHA256",        "TLS_SHA384_SHA384",
    "TLS_AEGIS_256_SHA512"};

bool has_word(std::string_view list, std::string_view word) {
  for (auto at = list.find(word); at != std::string_view::npos; at = list.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) return true;
  }
  return false;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

int symmetric_bits(std::string_view name) {
  struct Mark {
    std::string_view part;
    int bits;
  };
  // In this order: the first part that occurs decides.
  static constexpr std::array marks{
      Mark{"EXP1024-", 56},     Mark{"EXP-", 40},         Mark{"NULL", 0},
      Mark{"TLS_SHA", 0},       Mark{"CHACHA20", 256},    Mark{"AES256", 256},
      Mark{"AES-256", 256},     Mark{"AES_256", 256},     Mark{"AEGIS_256", 256},
      Mark{"ARIA256", 256},     Mark{"CAMELLIA256", 256}, Mark{"GOST89", 256},
      Mark{"MAGMA", 256},       Mark{"KUZNYECHIK", 256},  Mark{"AES128", 128},
      Mark{"AES-128", 128},     Mark{"AES_128", 128},     Mark{"ARIA128", 128},
      Mark{"CAMELLIA128", 128}, Mark{"SM4", 128},         Mark{"SEED", 128},
      Mark{"IDEA", 128},        Mark{"RC4-64", 64},       Mark{"RC4", 128},
      Mark{"RC2", 128},         Mark{"DES-CBC3", 112},    Mark{"3DES", 112},
      Mark{"DES-CBC", 56}};
  for (const Mark& mark : marks) {
    if (contains(name, mark.part)) return mark.bits;
  }
  return 0;
}

}  // namespace

bool is_known_cipher(std::string_view name) { return has_word(historic_ciphers, name); }

bool is_known_cipher_word(std::string_view word) { return has_word(words, word); }

std::vector<std::string> known_cipher_names() {
  std::vector<std::string> names = split(words, " ");
  for (std::string& name : split(historic_ciphers, " ")) names.push_back(std::move(name));
  return names;
}

std::string_view known_tls13_suite(std::string_view name) {
  const auto* found = std::find_if(tls13_suites.begin(), tls13_suites.end(),
                                   [&](auto suite) { return equal_ignoring_case(suite, name); });
  return found != tls13_suites.end() ? *found : std::string_view{};
}

std::vector<std::string> known_tls13_suites() { return {tls13_suites.begin(), tls13_suites.end()}; }

CipherStrength cipher_strength(std::string_view name) {
  CipherStrength strength;
  const bool tls13 = name.starts_with("TLS_");
  strength.bits = symmetric_bits(name);
  strength.aead = (tls13 && strength.bits > 0) || contains(name, "-GCM-") ||
                  contains(name, "-CCM") || contains(name, "-POLY1305");
  // Anonymous key exchange (ADH, AECDH) is ephemeral too.
  strength.forward_secrecy = tls13;
  for (std::string_view prefix : {"ECDHE-", "DHE-", "EDH-", "ADH-", "AECDH-"}) {
    if (name.starts_with(prefix)) strength.forward_secrecy = true;
  }
  return strength;
}

}  // namespace tlsguard::policy
