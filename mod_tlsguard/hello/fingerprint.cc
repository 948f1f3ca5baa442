// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) over the code points
// that matter, four to a word.
#include "hello/fingerprint.h"

#include <bit>

namespace tlsguard::hello {
namespace {

class Hash {
 public:
  explicit Hash(std::uint64_t key)
      : v0_(key ^ 0x736f6d6570736575U),
        v1_(~key ^ 0x646f72616e646f6dU),
        v2_(key ^ 0x6c7967656e657261U),
        v3_(~key ^ 0x7465646279746573U) {}

  void add(std::uint16_t value) {
    word_ |= std::uint64_t{value} << shift_;
    shift_ += 16;
    if (shift_ == 64) absorb();
  }

  // The number of entries tells where a list ends; an absent one differs from an empty one.
  void add_list(const std::optional<CodePoints>& list) {
    if (!list) return add(0xffff);
    add_list(*list);
  }

  void add_list(const CodePoints& list) {
    std::uint16_t count = 0;
    for (std::size_t i = 0, n = list.size(); i < n; ++i) {
      std::uint16_t id = list.at(i);
      if (is_grease(id)) continue;
      add(id);
      ++count;
    }
    add(count);
  }

  std::uint64_t finish() {
    if (shift_ != 0) absorb();
    v2_ ^= 0xff;
    round();
    round();
    round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void absorb() {
    v3_ ^= word_;
    round();
    v0_ ^= word_;
    word_ = 0;
    shift_ = 0;
  }
  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }
  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t word_ = 0;
  unsigned shift_ = 0;
};

// Key shares decide only where one is for a group the client did not name, which no client does.
void add_odd_shares(const ClientHello& hello, Hash& hash) {
  if (!hello.supported_groups) return;
  bool odd = false;
  for (int pass = 0; pass < 2; ++pass) {
    Reader reader(hello.key_shares);
    std::uint16_t id = 0;
    Bytes key;
    while (reader.u16(id) && reader.vector16(key)) {
      if (pass == 1) hash.add(id);
      odd = odd || !hello.supported_groups->contains(id);
    }
    if (!odd) return;
  }
}

}  // namespace

std::uint64_t fingerprint(const ClientHello& hello, std::uint64_t seed) {
  Hash hash(seed);
  unsigned flags = hello.version2_format ? 1U : 0U;
  if (hello.has_key_share) flags |= 2U;
  if (hello.has_extended_master_secret) flags |= 4U;
  unsigned bit = 8U;
  for (Protocol p : all_protocols) {
    if (hello.malformed_for.has(p)) flags |= bit;
    bit <<= 1;
  }
  hash.add(static_cast<std::uint16_t>(flags));
  hash.add(hello.legacy_version);
  hash.add_list(hello.cipher_suites);
  hash.add_list(hello.supported_versions);
  hash.add_list(hello.supported_groups);
  hash.add_list(hello.signature_algorithms);
  hash.add_list(hello.signature_algorithms_cert);
  add_odd_shares(hello, hash);
  return hash.finish();
}

}  // namespace tlsguard::hello
