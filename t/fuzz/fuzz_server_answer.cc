// SPDX-License-Identifier: Apache-2.0
// What a server under test answers, as tlsguardctl check reads it, in pieces of any size.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "hello/server_hello.h"

using tlsguard::hello::AnswerParser;
using tlsguard::hello::Bytes;

// Input: one byte that says how large the pieces are, then the records.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::size_t piece = std::max<std::size_t>(1, data[0]);
  std::vector<std::uint8_t> records(data + 1, data + size);
  AnswerParser whole;
  AnswerParser pieces;
  auto state = whole.feed(records);
  for (std::size_t at = 0; at < records.size() && pieces.state() == AnswerParser::State::more;
       at += piece) {
    pieces.feed(Bytes(records).subspan(at, std::min(piece, records.size() - at)));
  }
  bool same =
      records.empty() || (state == pieces.state() &&
                          whole.answer().hello.has_value() == pieces.answer().hello.has_value() &&
                          whole.answer().certificates == pieces.answer().certificates);
  if (!same) {
    std::fprintf(stderr, "in pieces of %zu another answer\n", piece);
    std::abort();
  }
  (void)tlsguard::hello::parse_server_hello(records);
  (void)tlsguard::hello::parse_certificate(records);
  for (std::uint16_t version : {std::uint16_t{0x0301}, std::uint16_t{0x0303}}) {
    for (bool ephemeral_dh : {false, true}) {
      (void)tlsguard::hello::parse_server_key_exchange(records, version, ephemeral_dh);
    }
  }
  return 0;
}
