// SPDX-License-Identifier: Apache-2.0
// Names of state files, for Directory. Pure; thread-safe.
#ifndef TLSGUARD_STORE_STATE_NAME_H
#define TLSGUARD_STORE_STATE_NAME_H

#include <cstddef>
#include <string>

#include "core/error.h"

namespace tlsguard::store {

// One component of a path, short enough for the names that are made from it.
inline Result<void> check_name(const std::string& name) {
  constexpr std::size_t longest = 200;
  if (name.empty() || name.size() > longest || name == "." || name == ".." ||
      name.find_first_of(std::string("/\0", 2)) != std::string::npos) {
    return fail("'" + name + "' is no name of a state file");
  }
  return {};
}

}  // namespace tlsguard::store

#endif
