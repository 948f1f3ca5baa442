// SPDX-License-Identifier: Apache-2.0
#include "live/offer_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/protocol.h"

namespace tlsguard::live {
namespace {

struct Range {
  std::uint16_t first;
  std::uint16_t last;
};

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, std::uint16_t id) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [id](Range range) { return id >= range.first && id <= range.last; });
}

// IANA's registry of TLS cipher suites; 0xcc13 to 0xcc15 are the ChaCha20 suites of the drafts.
constexpr std::array<Range, 9> aead_ciphers{{{0x009c, 0x00ad},
                                             {0xc02b, 0xc032},
                                             {0xc050, 0xc063},
                                             {0xc06a, 0xc06f},
                                             {0xc07a, 0xc093},
                                             {0xc09c, 0xc0af},
                                             {0xcc13, 0xcc15},
                                             {0xcca8, 0xccae},
                                             {0xd001, 0xd005}}};
constexpr std::array<Range, 10> ecdhe_ecdsa_ciphers{{{0xc006, 0xc00a},
                                                     {0xc023, 0xc024},
                                                     {0xc02b, 0xc02c},
                                                     {0xc048, 0xc049},
                                                     {0xc05c, 0xc05d},
                                                     {0xc072, 0xc073},
                                                     {0xc086, 0xc087},
                                                     {0xc0ac, 0xc0af},
                                                     {0xcc14, 0xcc14},
                                                     {0xcca9, 0xcca9}}};
constexpr std::array<Range, 9> ecdhe_rsa_ciphers{{{0xc010, 0xc014},
                                                  {0xc027, 0xc028},
                                                  {0xc02f, 0xc030},
                                                  {0xc04c, 0xc04d},
                                                  {0xc060, 0xc061},
                                                  {0xc076, 0xc077},
                                                  {0xc08a, 0xc08b},
                                                  {0xcc13, 0xcc13},
                                                  {0xcca8, 0xcca8}}};
constexpr std::array<Range, 1> tls13_suites{{{0x1301, 0x13ff}}};
constexpr std::array<Range, 1> rsa_pss{{{0x0804, 0x0806}}};  // rsae; RFC 8446 4.2.3
constexpr std::array<Range, 1> rsa_pss_pss{{{0x0809, 0x080b}}};
// ML-KEM-512 to 1024 alone, and with P-256, X25519, P-384 (draft-ietf-tls-ecdhe-mlkem).
constexpr std::array<Range, 2> ml_kem_groups{{{0x0200, 0x0202}, {0x11eb, 0x11ed}}};
constexpr std::uint16_t x25519 = 0x001d;

// NULL_WITH_NULL (also what an SSLv2 cipher reads as), RFC 5746 3.3, RFC 7507.
bool is_signalling(std::uint16_t cipher) {
  return cipher == 0x0000 || cipher == 0x00ff || cipher == 0x5600 || hello::is_grease(cipher);
}

template <typename Matches>
bool any(const std::optional<hello::CodePoints>& list, Matches matches) {
  if (!list) return false;
  for (std::size_t i = 0, n = list->size(); i < n; ++i) {
    if (matches(list->at(i))) return true;
  }
  return false;
}

std::uint16_t highest_version(const hello::ClientHello& hello) {
  // RFC 8446 4.2.1: where there is a list, legacy_version is not looked at.
  if (!hello.supported_versions) return hello.legacy_version;
  std::uint16_t highest = 0;
  for (std::size_t i = 0, n = hello.supported_versions->size(); i < n; ++i) {
    std::uint16_t version = hello.supported_versions->at(i);
    if (!hello::is_grease(version)) highest = std::max(highest, version);
  }
  return highest;
}

void look_at_ciphers(const hello::ClientHello& hello, OfferFacts& facts, bool& ecdsa_cipher) {
  std::size_t count = 0;
  facts.no_aead = true;
  facts.no_ecdhe = true;
  for (std::size_t i = 0, n = hello.cipher_suites.size(); i < n; ++i) {
    std::uint16_t id = hello.cipher_suites.at(i);
    if (is_signalling(id)) continue;
    ++count;
    bool tls13 = in(tls13_suites, id);
    bool ecdsa = in(ecdhe_ecdsa_ciphers, id);
    ecdsa_cipher = ecdsa_cipher || ecdsa;
    if (tls13 || in(aead_ciphers, id)) facts.no_aead = false;
    if (tls13 || ecdsa || in(ecdhe_rsa_ciphers, id)) facts.no_ecdhe = false;
  }
  facts.ciphers = static_cast<std::uint8_t>(std::min<std::size_t>(count, 255));
}

void look_at_signatures(const hello::ClientHello& hello, OfferFacts& facts, bool ecdsa_cipher) {
  const auto& list = hello.signature_algorithms;
  auto hash_is_weak = [](std::uint16_t id) { return id >> 8 <= 0x02; };  // SHA-1, MD5
  auto is_ecdsa = [](std::uint16_t id) { return id >> 8 <= 0x06 && (id & 0xff) == 0x03; };
  facts.no_ecdsa = list ? !any(list, is_ecdsa) : !ecdsa_cipher;
  facts.no_rsa_pss =
      !any(list, [](std::uint16_t id) { return in(rsa_pss, id) || in(rsa_pss_pss, id); });
  bool strong =
      any(list, [&](std::uint16_t id) { return !hash_is_weak(id) && !hello::is_grease(id); });
  // RFC 5246 7.4.1.4.1: without the extension SHA-1 is meant. Older versions have no choice.
  facts.only_sha1 = facts.highest_version >= 0x0303 && !strong;
}

}  // namespace

OfferFacts facts_of(const hello::ClientHello& hello) {
  OfferFacts facts;
  bool ecdsa_cipher = false;
  facts.highest_version = highest_version(hello);
  look_at_ciphers(hello, facts, ecdsa_cipher);
  look_at_signatures(hello, facts, ecdsa_cipher);
  facts.no_x25519 = !hello.supported_groups || !hello.supported_groups->contains(x25519);
  facts.no_ml_kem =
      !any(hello.supported_groups, [](std::uint16_t id) { return in(ml_kem_groups, id); });
  facts.no_server_name = !hello.server_name;
  return facts;
}

std::string describe(const OfferFacts& facts) {
  bool tls13 = facts.highest_version >= 0x0304;
  bool tls12 = facts.highest_version == 0x0303;
  // Of TLS 1.4 and the like nothing is known but that it is more.
  auto version = std::min<std::uint16_t>(facts.highest_version, 0x0304);
  std::string words =
      version < 0x0300 ? "only SSLv2"
                       : fmt::format("at most {}", protocol_name(static_cast<Protocol>(version)));
  words += fmt::format(", {}{} cipher{}", facts.ciphers == 255 ? "at least " : "", facts.ciphers,
                       facts.ciphers == 1 ? "" : "s");
  auto add = [&words](bool fact, const char* text) {
    if (fact) words += text;
  };
  // What a shorter word already says is left out.
  add(facts.no_aead, ", no AEAD");
  add(facts.no_ecdhe, ", no ECDHE");
  add(!facts.no_ecdhe && facts.no_x25519, ", no X25519");
  add(tls13 && facts.no_ml_kem, ", no ML-KEM");
  add(!facts.no_ecdhe && facts.no_ecdsa, ", no ECDSA");
  add(tls12 && facts.only_sha1, ", only SHA-1 signatures");
  add((tls12 || tls13) && !facts.only_sha1 && facts.no_rsa_pss, ", no RSA-PSS");
  add(facts.no_server_name, ", no server name");
  return words;
}

}  // namespace tlsguard::live
