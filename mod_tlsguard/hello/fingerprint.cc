// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3 over the code points that matter, four to a word.
#include "hello/fingerprint.h"

#include "core/sip_state.h"

namespace tlsguard::hello {
namespace {

class Hash {
 public:
  explicit Hash(std::uint64_t key) : state_(key, ~key) {}

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
    return state_.finish<3>();
  }

 private:
  void absorb() {
    state_.absorb<1>(word_);
    word_ = 0;
    shift_ = 0;
  }
  SipState state_;
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
