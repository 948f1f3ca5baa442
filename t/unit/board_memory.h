// SPDX-License-Identifier: Apache-2.0
#ifndef TLSGUARD_T_UNIT_BOARD_MEMORY_H
#define TLSGUARD_T_UNIT_BOARD_MEMORY_H

#include "suites.h"

#include <sys/mman.h>
#include <unistd.h>

#include "live/board.h"

namespace tlsguard::test {

// The memory of a parent process that outlives the code, and its end.
class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    for (std::uint32_t i = 0; i < anchor.count; ++i) {
      ::munmap(anchor.mappings[i].base, anchor.mappings[i].bytes);
      ::close(anchor.mappings[i].fd);
    }
  }
  [[nodiscard]] live::BoardAnchor::Mapping& newest() { return anchor.mappings[anchor.count - 1]; }

  live::BoardAnchor anchor{};
};

}  // namespace tlsguard::test

#endif
