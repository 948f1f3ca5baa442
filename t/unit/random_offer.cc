// SPDX-License-Identifier: Apache-2.0
#include "random_offer.h"

#include "suites.h"

#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "crypto/openssl.h"
#include "hello/extension.h"
#include "tls_server.h"

namespace tlsguard::test {
namespace {

using hello::Offer;
using CodeList = std::vector<std::uint16_t>;
using ByteList = std::vector<std::uint8_t>;

const CodeList tls1_3_suites{0x1301, 0x1302, 0x1303, 0x1304};
const CodeList strong_ciphers{0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA9, 0xCCA8};
const CodeList other_ciphers{0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC027, 0x009E, 0x009F,
                             0x0033, 0x0039, 0xCCAA, 0x002F, 0x0035, 0x009C, 0x009D, 0x003C,
                             0x0034, 0xC018, 0x0002, 0x003B, 0x008C, 0x0A0A, 0xC00F, 0x0000};
const CodeList versions{0x0304, 0x0303, 0x0302, 0x0301, 0x0300, 0x7A7A, 0x0305};
const CodeList groups{29, 23, 24, 25, 30, 21, 22, 26, 28, 256, 257, 0x0A0A, 31, 0x11EC};
const CodeList signatures{0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501,
                          0x0601, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B, 0x0201, 0x0203,
                          0x0301, 0x0303, 0x0101, 0x0402, 0x081A, 0x0A0A, 0x0708};

// Contents that OpenSSL's server looks into; some it refuses.
const std::vector<std::pair<std::uint16_t, ByteList>> contents{
    {0, {}},
    {0, {0, 0}},
    {0, {0, 4, 0, 0, 1, 'a'}},
    {0, {0, 5, 0, 0, 2, 'a', 0}},
    {0, {0, 4, 1, 0, 1, 'a'}},
    {0, {0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b'}},
    {1, {4}},
    {1, {5}},
    {1, {1, 1}},
    {5, {1, 0, 0, 0, 0}},
    {5, {1, 0, 0}},
    {5, {2}},
    {5, {}},
    {10, {0, 0}},
    {10, {0, 3, 0, 23, 0}},
    {11, {1, 0}},
    {11, {1, 1}},
    {11, {0}},
    {12, {1, 'u'}},
    {12, {1, 0}},
    {13, {0, 0}},
    {13, {0, 3, 4, 3, 0}},
    {14, {0, 2, 0, 1, 0}},
    {16, {0, 3, 2, 'h', '2'}},
    {16, {0, 0}},
    {16, {0, 1, 0}},
    {18, {}},
    {18, {7}},
    {21, {0, 0, 0}},
    {22, {1}},
    {23, {}},
    {23, {1}},
    {35, {}},
    {35, ByteList(64, 7)},
    {42, {}},
    {42, {1}},
    {43, {}},
    {43, {0}},
    {43, {3, 3, 4, 3}},
    {43, {2, 3, 4, 0}},
    {44, {1, 2, 3}},
    {45, {1, 1}},
    {45, {1, 0}},
    {45, {0}},
    {47, {0, 0}},
    {47, {0, 1, 0}},
    {49, {}},
    {49, {0}},
    {50, {0, 0}},
    {51, {}},
    {51, {0, 1, 0}},
    {51, {0, 4, 0, 29, 0, 0}},
    {0x3374, {}},
    {0xFF01, {}},
    {0xFF01, {1, 2}},
    {0xFF01, {0}},
    {0x0A0A, {}},
    {0x1234, {1, 2, 3}},
};

// RFC 8446 4.2.11: identities and binders.
const std::vector<ByteList> identities{{0, 7, 0, 1, 'i', 0, 0, 0, 0, 0, 33, 32},
                                       {0, 0},
                                       {},
                                       {0, 6, 0, 0, 0, 0, 0, 0},
                                       {0, 3, 0, 1, 'i'}};

const char* group_name(std::uint16_t group) {
  switch (group) {
    case 23:
      return "P-256";
    case 24:
      return "P-384";
    case 25:
      return "P-521";
    case 29:
      return "X25519";
    case 30:
      return "X448";
    case 256:
      return "ffdhe2048";
    case 257:
      return "ffdhe3072";
    case 0x11EC:
      return "X25519MLKEM768";
    default:
      return nullptr;
  }
}

ByteList make_share(std::uint16_t group) {
  const char* name = group_name(group);
  ByteList result;
  if (name == nullptr) return result;
  Key key;
  if (group <= 25) {
    key = make_ec(name);
  } else if (group == 256 || group == 257) {
    key = make_dh(name);
  } else {
    // Not in every OpenSSL; then the server has not got it either.
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, name));
    ERR_clear_error();
  }
  if (key == nullptr) return result;
  unsigned char* encoded = nullptr;
  std::size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &encoded);
  ck_assert_uint_gt(size, 0);
  result.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  return result;
}

std::vector<hello::KeyShare> random_shares(const Offer& offer, Random& random, Shares& shares) {
  std::vector<hello::KeyShare> result;
  CodeList from = offer.supported_groups.value_or(groups);
  // Some the client does not name. OpenSSL 3.5 and later refuse that even behind a share they take;
  // no client does it.
  if (random.chance(3) && OpenSSL_version_num() < 0x30500000UL) from = groups;
  for (std::uint16_t group : random.some(from, 40)) {
    ByteList key = shares.of(group);
    if (key.empty()) key.assign(4, 1);  // no server looks into it
    result.push_back({group, key});
  }
  return result;
}

void add_versions(Offer& offer, Random& random, bool tls1_3) {
  if (tls1_3) {
    offer.supported_versions = random.some(versions, 50);
    if (random.chance(90)) offer.supported_versions->push_back(0x0304);
  } else if (random.chance(10)) {
    offer.supported_versions = random.some(versions, 40);
  }
}

void add_ciphers(Offer& offer, Random& random, bool tls1_3) {
  CodeList& list = offer.cipher_suites;
  list = random.some(strong_ciphers, random.pick({0U, 20U, 60U, 90U}));
  CodeList more = random.some(other_ciphers, random.pick({0U, 5U, 20U}));
  list.insert(random.chance(50) ? list.begin() : list.end(), more.begin(), more.end());
  if (tls1_3 || random.chance(10)) {
    CodeList own = random.some(tls1_3_suites, 75);
    list.insert(list.begin(), own.begin(), own.end());
  }
  if (random.chance(50)) list.push_back(0x00FF);
  if (list.empty()) list = {0xC02F};
}

// One thing that no sound client does, or that a client does when it tries again.
void spoil(Offer& offer, Random& random) {
  switch (random.below(10)) {
    case 0:
      offer.compression_methods = {1, 0};
      break;
    case 1:
      offer.compression_methods = {1};
      break;
    case 2:
      offer.compression_methods.clear();
      break;
    case 3:
      offer.cipher_suites.clear();
      break;
    case 4:
      offer.session_id.assign(33, 1);
      break;
    case 5:
      offer.legacy_version =
          random.pick<std::uint16_t>({0x0300, 0x0002, 0x0200, 0x0400, 0x7F00, 0xFEFD});
      break;
    case 6:
      offer.supported_groups.emplace();
      break;
    case 7:
      offer.signature_algorithms.emplace();
      break;
    case 8:
      offer.supported_versions.emplace();
      break;
    default:
      offer.cipher_suites.push_back(0x5600);
      break;
  }
}

}  // namespace

const std::vector<std::uint8_t>& Shares::of(std::uint16_t group) {
  auto [entry, inserted] = made_.try_emplace(group);
  if (inserted) entry->second = make_share(group);
  return entry->second;
}

Offer random_offer(Random& random, Shares& shares) {
  Offer offer;
  for (std::uint8_t& byte : offer.random) byte = static_cast<std::uint8_t>(random.next());
  if (random.chance(50)) offer.session_id.assign(32, 9);
  bool tls1_3 = random.chance(60);
  offer.legacy_version = random.chance(80) ? 0x0303 : random.pick<std::uint16_t>({0x0302, 0x0301});
  add_versions(offer, random, tls1_3);
  add_ciphers(offer, random, tls1_3);
  if (random.chance(95)) {
    offer.supported_groups = random.some(groups, random.pick({10U, 40U, 70U}));
    if (offer.supported_groups->empty()) offer.supported_groups = CodeList{29};
  }
  if (random.chance(92)) {
    offer.signature_algorithms = random.some(signatures, random.pick({8U, 50U, 80U, 80U}));
    if (offer.signature_algorithms->empty()) offer.signature_algorithms = CodeList{0x0403};
  }
  if (random.chance(10)) {
    offer.signature_algorithms_cert = random.some(signatures, 40);
    // OpenSSL 3.2 and later take the brainpool schemes for those of other curves; no client offers
    // them alone.
    std::erase(*offer.signature_algorithms_cert, 0x081A);
  }
  if (random.chance(60)) offer.ec_point_formats = ByteList{0};
  if (random.chance(tls1_3 ? 97 : 20)) offer.key_shares = random_shares(offer, random, shares);
  if (random.chance(40)) offer.psk_key_exchange_modes = ByteList{1};
  if (random.chance(40)) offer.server_name = "www.example.org";
  if (random.chance(40)) offer.alpn = {"h2", "http/1.1"};
  offer.extended_master_secret = random.chance(70);
  offer.renegotiation_info = random.chance(50);
  offer.session_ticket = random.chance(30);
  if (random.chance(20)) spoil(offer, random);
  while (random.chance(8)) offer.other_extensions.push_back(random.pick(contents));
  if (random.chance(5)) {
    offer.other_extensions.emplace_back(hello::ext_pre_shared_key, random.pick(identities));
  }
  return offer;
}

std::vector<std::uint8_t> mutate(std::vector<std::uint8_t> message, Random& random) {
  std::size_t at = 4 + random.below(message.size() - 4);
  auto position = message.begin() + static_cast<std::ptrdiff_t>(at);
  auto byte = static_cast<std::uint8_t>(random.next());
  switch (random.below(5)) {
    case 0:
      *position = byte;
      break;
    case 1:
      *position ^= static_cast<std::uint8_t>(1U << random.below(8));
      break;
    case 2:
      message.erase(position);
      break;
    case 3:
      message.insert(position, byte);
      break;
    default:
      message.resize(at);
      break;
  }
  std::size_t size = message.size() - 4;
  message[1] = static_cast<std::uint8_t>(size >> 16);
  message[2] = static_cast<std::uint8_t>(size >> 8);
  message[3] = static_cast<std::uint8_t>(size);
  return message;
}

}  // namespace tlsguard::test
