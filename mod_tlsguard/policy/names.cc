// SPDX-License-Identifier: Apache-2.0
#include "policy/names.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>

#include "core/text.h"

namespace tlsguard::policy {
namespace {

// The strength of the hybrids is that of their ML-KEM part's category (FIPS 203: 768 is category
// 3, 1024 category 5), as OpenSSL counts it.
constexpr std::array groups{
    Group{0x11ec, "X25519MLKEM768", "X25519MLKEM768", "", 192, true},
    Group{0x11eb, "SecP256r1MLKEM768", "SecP256r1MLKEM768", "", 192, true},
    Group{0x11ed, "SecP384r1MLKEM1024", "SecP384r1MLKEM1024", "", 256, true},
    Group{0x11ee, "curveSM2MLKEM768", "curveSM2MLKEM768", "", 192, true},
    Group{0x0200, "MLKEM512", "MLKEM512", "ML-KEM-512", 128, true},
    Group{0x0201, "MLKEM768", "MLKEM768", "ML-KEM-768", 192, true},
    Group{0x0202, "MLKEM1024", "MLKEM1024", "ML-KEM-1024", 256, true},
    Group{0x001d, "X25519", "X25519", "curve25519", 128, false},
    Group{0x0017, "P-256", "secp256r1", "secp256r1 prime256v1 P256", 128, false},
    Group{0x001e, "X448", "X448", "curve448", 224, false},
    Group{0x0018, "P-384", "secp384r1", "secp384r1 P384", 192, false},
    Group{0x0019, "P-521", "secp521r1", "secp521r1 P521", 256, false},
    // RFC 7027 for TLS 1.2, RFC 8734 for TLS 1.3.
    Group{0x001a, "brainpoolP256r1", "brainpoolP256r1", "", 128, false},
    Group{0x001b, "brainpoolP384r1", "brainpoolP384r1", "", 192, false},
    Group{0x001c, "brainpoolP512r1", "brainpoolP512r1", "", 256, false},
    Group{0x001f, "brainpoolP256r1tls13", "brainpoolP256r1tls13", "", 128, false},
    Group{0x0020, "brainpoolP384r1tls13", "brainpoolP384r1tls13", "", 192, false},
    Group{0x0021, "brainpoolP512r1tls13", "brainpoolP512r1tls13", "", 256, false},
    // RFC 7919.
    Group{0x0100, "ffdhe2048", "ffdhe2048", "", 112, false},
    Group{0x0101, "ffdhe3072", "ffdhe3072", "", 128, false},
    Group{0x0102, "ffdhe4096", "ffdhe4096", "", 128, false},
    Group{0x0103, "ffdhe6144", "ffdhe6144", "", 128, false},
    Group{0x0104, "ffdhe8192", "ffdhe8192", "", 192, false},
    // RFC 8998, RFC 9189.
    Group{0x0029, "curveSM2", "curveSM2", "SM2", 128, false},
    Group{0x0022, "GC256A", "GC256A", "", 128, false},
    Group{0x0023, "GC256B", "GC256B", "", 128, false},
    Group{0x0024, "GC256C", "GC256C", "", 128, false},
    Group{0x0025, "GC256D", "GC256D", "", 128, false},
    Group{0x0026, "GC512A", "GC512A", "", 256, false},
    Group{0x0027, "GC512B", "GC512B", "", 256, false},
    Group{0x0028, "GC512C", "GC512C", "", 256, false},
    // The draft that X25519MLKEM768 replaced.
    Group{0x6399, "X25519Kyber768Draft00", "X25519Kyber768Draft00", "", 192, true},
    // RFC 8422 5.1.1: deprecated, TLS 1.2 and below only.
    Group{0x0016, "secp256k1", "secp256k1", "", 128, false},
    Group{0x0015, "secp224r1", "secp224r1", "P-224", 112, false},
    Group{0x0014, "secp224k1", "secp224k1", "", 112, false},
    Group{0x0013, "secp192r1", "secp192r1", "P-192 prime192v1", 80, false},
    Group{0x0012, "secp192k1", "secp192k1", "", 80, false},
    Group{0x0011, "secp160r2", "secp160r2", "", 80, false},
    Group{0x0010, "secp160r1", "secp160r1", "", 80, false},
    Group{0x000f, "secp160k1", "secp160k1", "", 80, false},
    Group{0x000e, "sect571r1", "sect571r1", "B-571", 256, false},
    Group{0x000d, "sect571k1", "sect571k1", "K-571", 256, false},
    Group{0x000c, "sect409r1", "sect409r1", "B-409", 192, false},
    Group{0x000b, "sect409k1", "sect409k1", "K-409", 192, false},
    Group{0x000a, "sect283r1", "sect283r1", "B-283", 128, false},
    Group{0x0009, "sect283k1", "sect283k1", "K-283", 128, false},
    Group{0x0008, "sect239k1", "sect239k1", "", 112, false},
    Group{0x0007, "sect233r1", "sect233r1", "B-233", 112, false},
    Group{0x0006, "sect233k1", "sect233k1", "K-233", 112, false},
    Group{0x0005, "sect193r2", "sect193r2", "", 80, false},
    Group{0x0004, "sect193r1", "sect193r1", "", 80, false},
    Group{0x0003, "sect163r2", "sect163r2", "B-163", 80, false},
    Group{0x0002, "sect163r1", "sect163r1", "", 80, false},
    Group{0x0001, "sect163k1", "sect163k1", "K-163", 80, false},
};

// OpenSSL 3.0 has no names for the SHA-1 and SHA-224 forms of ECDSA and for DSA, only pairs.
constexpr std::array signature_algorithms{
    SignatureAlgorithm{0x0403, "ecdsa_secp256r1_sha256", "ecdsa_secp256r1_sha256",
                       "ECDSA+SHA256 ecdsa_sha256", 256},
    SignatureAlgorithm{0x0503, "ecdsa_secp384r1_sha384", "ecdsa_secp384r1_sha384",
                       "ECDSA+SHA384 ecdsa_sha384", 384},
    SignatureAlgorithm{0x0603, "ecdsa_secp521r1_sha512", "ecdsa_secp521r1_sha512",
                       "ECDSA+SHA512 ecdsa_sha512", 512},
    SignatureAlgorithm{0x0807, "ed25519", "ed25519", "", 256},
    SignatureAlgorithm{0x0808, "ed448", "ed448", "", 448},
    SignatureAlgorithm{0x0804, "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha256",
                       "RSA-PSS+SHA256 PSS+SHA256", 256},
    SignatureAlgorithm{0x0805, "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha384",
                       "RSA-PSS+SHA384 PSS+SHA384", 384},
    SignatureAlgorithm{0x0806, "rsa_pss_rsae_sha512", "rsa_pss_rsae_sha512",
                       "RSA-PSS+SHA512 PSS+SHA512", 512},
    SignatureAlgorithm{0x0809, "rsa_pss_pss_sha256", "rsa_pss_pss_sha256", "", 256},
    SignatureAlgorithm{0x080a, "rsa_pss_pss_sha384", "rsa_pss_pss_sha384", "", 384},
    SignatureAlgorithm{0x080b, "rsa_pss_pss_sha512", "rsa_pss_pss_sha512", "", 512},
    SignatureAlgorithm{0x0401, "rsa_pkcs1_sha256", "rsa_pkcs1_sha256", "RSA+SHA256", 256},
    SignatureAlgorithm{0x0501, "rsa_pkcs1_sha384", "rsa_pkcs1_sha384", "RSA+SHA384", 384},
    SignatureAlgorithm{0x0601, "rsa_pkcs1_sha512", "rsa_pkcs1_sha512", "RSA+SHA512", 512},
    // FIPS 204; draft-ietf-tls-mldsa.
    SignatureAlgorithm{0x0904, "mldsa44", "mldsa44", "ML-DSA-44", 256},
    SignatureAlgorithm{0x0905, "mldsa65", "mldsa65", "ML-DSA-65", 384},
    SignatureAlgorithm{0x0906, "mldsa87", "mldsa87", "ML-DSA-87", 512},
    // RFC 8734.
    SignatureAlgorithm{0x081a, "ecdsa_brainpoolP256r1tls13_sha256",
                       "ecdsa_brainpoolP256r1tls13_sha256", "ecdsa_brainpoolP256r1_sha256", 256},
    SignatureAlgorithm{0x081b, "ecdsa_brainpoolP384r1tls13_sha384",
                       "ecdsa_brainpoolP384r1tls13_sha384", "ecdsa_brainpoolP384r1_sha384", 384},
    SignatureAlgorithm{0x081c, "ecdsa_brainpoolP512r1tls13_sha512",
                       "ecdsa_brainpoolP512r1tls13_sha512", "ecdsa_brainpoolP512r1_sha512", 512},
    SignatureAlgorithm{0x0708, "sm2sig_sm3", "sm2sig_sm3", "", 256},
    SignatureAlgorithm{0x0301, "rsa_pkcs1_sha224", "rsa_pkcs1_sha224", "RSA+SHA224", 224},
    SignatureAlgorithm{0x0303, "ecdsa_sha224", "ECDSA+SHA224", "ECDSA+SHA224", 224},
    SignatureAlgorithm{0x0201, "rsa_pkcs1_sha1", "rsa_pkcs1_sha1", "RSA+SHA1", 160},
    SignatureAlgorithm{0x0203, "ecdsa_sha1", "ECDSA+SHA1", "ECDSA+SHA1", 160},
    SignatureAlgorithm{0x0602, "dsa_sha512", "DSA+SHA512", "DSA+SHA512", 512},
    SignatureAlgorithm{0x0502, "dsa_sha384", "DSA+SHA384", "DSA+SHA384", 384},
    SignatureAlgorithm{0x0402, "dsa_sha256", "DSA+SHA256", "DSA+SHA256", 256},
    SignatureAlgorithm{0x0302, "dsa_sha224", "DSA+SHA224", "DSA+SHA224", 224},
    SignatureAlgorithm{0x0202, "dsa_sha1", "DSA+SHA1", "DSA+SHA1", 160},
};

template <typename Entry>
bool is_called(const Entry& entry, std::string_view name) {
  if (equal_ignoring_case(name, entry.name) || equal_ignoring_case(name, entry.openssl_name)) {
    return true;
  }
  for (const std::string& alias : split(entry.aliases, " ")) {
    if (equal_ignoring_case(name, alias)) return true;
  }
  return false;
}

template <typename Table>
auto find_name(const Table& table, std::string_view name) -> const typename Table::value_type* {
  for (const auto& entry : table) {
    if (is_called(entry, name)) return &entry;
  }
  return nullptr;
}

template <typename Table>
auto find_id(const Table& table, std::uint16_t id) -> const typename Table::value_type* {
  for (const auto& entry : table) {
    if (entry.id == id) return &entry;
  }
  return nullptr;
}

template <typename Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  names.reserve(table.size());
  for (const auto& entry : table) names.emplace_back(entry.name);
  return names;
}

}  // namespace

const Group* find_group(std::string_view name) { return find_name(groups, name); }
const Group* find_group(std::uint16_t id) { return find_id(groups, id); }

std::string group_name(std::uint16_t id) {
  const Group* group = find_group(id);
  return group != nullptr ? group->name : fmt::format("0x{:04x}", id);
}

std::vector<std::string> all_group_names() { return names_of(groups); }

std::string groups_list(const std::vector<std::uint16_t>& ids) {
  // OpenSSL 3.5 reads '/' as the end of a tuple: groups of one preference, among which a key
  // share that came along decides.
  const bool has_tuples = OpenSSL_version_num() >= 0x30500000UL;
  std::string list;
  bool only_post_quantum = true;
  for (std::uint16_t id : ids) {
    const Group* group = find_group(id);
    if (group == nullptr) continue;
    if (!list.empty()) {
      list += has_tuples && only_post_quantum && !group->post_quantum ? '/' : ':';
    }
    only_post_quantum = only_post_quantum && group->post_quantum;
    list += group->openssl_name;
  }
  return list;
}

// OpenSSL's objects know a curve by its name in X9.62 (prime256v1) or in FIPS 186 (P-256), not
// always by the one in TLS (secp256r1).
int group_nid(const Group& group) {
  for (const char* name : {group.name, group.openssl_name}) {
    for (auto* known : {EC_curve_nist2nid, OBJ_sn2nid, OBJ_ln2nid}) {
      if (int nid = known(name); nid != NID_undef) return nid;
    }
  }
  return NID_undef;
}

const SignatureAlgorithm* find_signature_algorithm(std::string_view name) {
  return find_name(signature_algorithms, name);
}
const SignatureAlgorithm* find_signature_algorithm(std::uint16_t id) {
  return find_id(signature_algorithms, id);
}

std::string signature_algorithm_name(std::uint16_t id) {
  const SignatureAlgorithm* algorithm = find_signature_algorithm(id);
  return algorithm != nullptr ? algorithm->name : fmt::format("0x{:04x}", id);
}

std::vector<std::string> all_signature_algorithm_names() { return names_of(signature_algorithms); }

}  // namespace tlsguard::policy
