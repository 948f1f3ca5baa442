// SPDX-License-Identifier: Apache-2.0
#include "live/board.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>

#include "core/descriptor.h"
#include "live/mix.h"

namespace tlsguard::live {
namespace {

constexpr std::uint64_t magic = 0x316472616f424754;  // "TGBoard1"
constexpr std::uint32_t layout = 1;                  // goes up with anchor_name

tl::unexpected<Error> no_memory(const std::string& what) {
  return system_failure("no shared memory for the census: " + what);
}

constexpr std::size_t ramps_offset(std::uint32_t capacity) {
  return sizeof(BoardHeader) + capacity * sizeof(VirtualHostSlot);
}
constexpr std::size_t bytes_for(std::uint32_t capacity) {
  return ramps_offset(capacity) + capacity * sizeof(RampSlot);
}

void unmap(BoardAnchor::Mapping& mapping) {
  ::munmap(mapping.base, mapping.bytes);
  ::close(mapping.fd);
  mapping = {};
}

Result<BoardAnchor::Mapping> map(std::uint32_t capacity) {
  BoardAnchor::Mapping mapping{nullptr, bytes_for(capacity), -1, capacity, 0, 0};
  mapping.fd = ::memfd_create("tlsguard-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (mapping.fd < 0) return no_memory("memfd_create");
  // Without the seals a script in a worker could cut the file and the parent would die of SIGBUS.
  if (::ftruncate(mapping.fd, static_cast<off_t>(mapping.bytes)) != 0 ||
      ::fcntl(mapping.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    auto failure = no_memory("size and seals");
    ::close(mapping.fd);
    return failure;
  }
  mapping.base = ::mmap(nullptr, mapping.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, mapping.fd, 0);
  if (mapping.base == MAP_FAILED) {
    auto failure = no_memory("mmap");
    ::close(mapping.fd);
    return failure;
  }
  return mapping;
}

}  // namespace

std::uint64_t key_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = mix(hash);
  return hash == 0 ? 1 : hash;
}

Result<Board> Board::create(BoardAnchor& anchor, std::uint32_t capacity, std::uint64_t seed) {
  if (capacity == 0 || capacity > max_capacity) {
    return fail(fmt::format("the census has room for 1 to {} virtual hosts, not for {}",
                            max_capacity, capacity));
  }
  auto mapping = map(capacity);
  if (!mapping) return tl::unexpected(mapping.error());
  auto* header = new (mapping->base) BoardHeader;
  header->layout = layout;
  header->capacity = capacity;
  header->seed = seed;
  header->magic = magic;
  if (anchor.count >= BoardAnchor::max_mappings) {
    unmap(anchor.mappings[0]);
    std::copy(anchor.mappings + 1, anchor.mappings + BoardAnchor::max_mappings, anchor.mappings);
    anchor.count = BoardAnchor::max_mappings - 1;
  }
  anchor.mappings[anchor.count++] = *mapping;
  return Board(mapping->base, capacity);
}

Result<Board> Board::attach(const BoardAnchor::Mapping& mapping) {
  if (mapping.base == nullptr || mapping.capacity == 0 || mapping.capacity > max_capacity ||
      mapping.bytes != bytes_for(mapping.capacity)) {
    return fail("this is not a board of the census");
  }
  const auto* header = static_cast<const BoardHeader*>(mapping.base);
  if (header->magic != magic || header->layout != layout) {
    return fail("the board of the census was overwritten");
  }
  return Board(mapping.base, mapping.capacity);
}

VirtualHostSlot* Board::virtual_host(std::uint32_t index) const {
  if (index >= capacity_) return nullptr;
  auto* slots = reinterpret_cast<VirtualHostSlot*>(static_cast<char*>(base_) + sizeof(BoardHeader));
  return slots + index;
}

RampSlot* Board::ramp(std::uint32_t index) const {
  if (index >= capacity_) return nullptr;
  auto* ramps = reinterpret_cast<RampSlot*>(static_cast<char*>(base_) + ramps_offset(capacity_));
  return ramps + index;
}

}  // namespace tlsguard::live
