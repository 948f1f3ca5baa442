// SPDX-License-Identifier: Apache-2.0
// Writing TLS's presentation language (RFC 8446 3): the counterpart of reader.h.
#ifndef TLSGUARD_HELLO_WRITER_H
#define TLSGUARD_HELLO_WRITER_H

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "hello/reader.h"

namespace tlsguard::hello {

class Writer {
 public:
  void u8(std::size_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void u16(std::size_t value) {
    u8(value >> 8);
    u8(value);
  }
  void bytes(Bytes value) { bytes_.insert(bytes_.end(), value.begin(), value.end()); }

  // What fill() writes, with its length in front, in width bytes; cut where that cannot say it.
  template <std::invocable Fill>
  void vector(std::size_t width, Fill fill) {
    std::size_t start = bytes_.size();
    bytes_.resize(start + width);
    fill();
    std::size_t most = (std::size_t{1} << (8 * width)) - 1;
    std::size_t length = std::min(bytes_.size() - start - width, most);
    bytes_.resize(start + width + length);
    for (std::size_t i = 0; i < width; ++i) {
      bytes_[start + i] = static_cast<std::uint8_t>(length >> (8 * (width - 1 - i)));
    }
  }
  void vector(std::size_t width, Bytes content) {
    vector(width, [&] { bytes(content); });
  }

  [[nodiscard]] std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace tlsguard::hello

#endif
