// SPDX-License-Identifier: Apache-2.0
// Bounds-checked reading of TLS's presentation language (RFC 8446 3): big-endian numbers and
// vectors with a length in front. A failed read leaves the reader as it was. Owns nothing.
#ifndef TLSGUARD_HELLO_READER_H
#define TLSGUARD_HELLO_READER_H

#include <cstddef>
#include <cstdint>
#include <span>

namespace tlsguard::hello {

using Bytes = std::span<const std::uint8_t>;

class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] Bytes rest() const { return rest_; }

  [[nodiscard]] bool u8(std::uint8_t& value) {
    if (rest_.empty()) return false;
    value = rest_[0];
    rest_ = rest_.subspan(1);
    return true;
  }
  [[nodiscard]] bool u16(std::uint16_t& value) {
    if (rest_.size() < 2) return false;
    value = static_cast<std::uint16_t>(rest_[0] << 8 | rest_[1]);
    rest_ = rest_.subspan(2);
    return true;
  }
  [[nodiscard]] bool u24(std::uint32_t& value) {
    if (rest_.size() < 3) return false;
    value = static_cast<std::uint32_t>(rest_[0] << 16 | rest_[1] << 8 | rest_[2]);
    rest_ = rest_.subspan(3);
    return true;
  }
  [[nodiscard]] bool bytes(std::size_t count, Bytes& value) {
    if (rest_.size() < count) return false;
    value = rest_.first(count);
    rest_ = rest_.subspan(count);
    return true;
  }
  // A vector with a length of one, two or three bytes.
  [[nodiscard]] bool vector8(Bytes& value) {
    std::uint8_t length = 0;
    Reader copy = *this;
    return copy.u8(length) && copy.bytes(length, value) && take(copy);
  }
  [[nodiscard]] bool vector16(Bytes& value) {
    std::uint16_t length = 0;
    Reader copy = *this;
    return copy.u16(length) && copy.bytes(length, value) && take(copy);
  }
  [[nodiscard]] bool vector24(Bytes& value) {
    std::uint32_t length = 0;
    Reader copy = *this;
    return copy.u24(length) && copy.bytes(length, value) && take(copy);
  }

 private:
  bool take(const Reader& other) {
    rest_ = other.rest_;
    return true;
  }
  Bytes rest_;
};

}  // namespace tlsguard::hello

#endif
