// SPDX-License-Identifier: Apache-2.0
// A value of the configuration, and where it was written. Plain values.
#ifndef TLSGUARD_HTTPD_WRITTEN_H
#define TLSGUARD_HTTPD_WRITTEN_H

#include <optional>
#include <string>

namespace tlsguard::httpd {

// Where a directive stands.
struct Place {
  std::string file;
  int line = 0;
  [[nodiscard]] std::string text() const { return file + ":" + std::to_string(line); }
};

template <typename T>
struct Written {
  T value;
  Place place;
};

template <typename T>
using Setting = std::optional<Written<T>>;

}  // namespace tlsguard::httpd

#endif
