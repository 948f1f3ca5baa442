// SPDX-License-Identifier: Apache-2.0
#include "live/domain_board.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "core/descriptor.h"
#include "live/sip_hash.h"

namespace tlsguard::live {
namespace {

constexpr std::uint64_t magic = 0x32736e69616d6f44;  // "Domains2"

// Where a domain's slot is: upper bits of its key, below them the slot's number. Apart from the
// slots, so that those stand close together: a table of slots would touch a page a domain.
using IndexWord = std::atomic<std::uint64_t>;
constexpr std::uint32_t index_size = 2 * DomainBoard::max_domains;
constexpr std::uint64_t number_mask = DomainBoard::max_domains - 1;
// Enough for a table three quarters full; a bound, since any script can fill the board.
constexpr std::uint32_t max_probes = 1024;

constexpr std::size_t index_offset = sizeof(DomainBoardHeader);
constexpr std::size_t names_offset = index_offset + index_size * sizeof(IndexWord);
constexpr std::size_t slots_offset = names_offset + DomainBoard::max_names * sizeof(NameSlot);
constexpr std::size_t workers_offset = slots_offset + DomainBoard::max_domains * sizeof(DomainSlot);
constexpr std::size_t cells_offset = workers_offset + DomainBoard::max_workers * sizeof(WorkerSlot);
// A cell: worker_rows.cc.
using Cell = std::atomic<std::uint32_t>;
constexpr std::size_t row_bytes = DomainBoard::max_domains * sizeof(Cell);
constexpr std::size_t board_bytes = cells_offset + DomainBoard::max_workers * row_bytes;

static_assert((DomainBoard::max_domains & number_mask) == 0, "the mask is the bound");
static_assert(slots_offset % alignof(DomainSlot) == 0);
static_assert(std::is_standard_layout_v<DomainSlot> && sizeof(DomainSlot) == 384);
static_assert(std::is_standard_layout_v<DomainBoardHeader> && sizeof(NameSlot) == 16);
static_assert(IndexWord::is_always_lock_free && sizeof(IndexWord) == 8);
static_assert(std::is_standard_layout_v<WorkerSlot> && sizeof(WorkerSlot) == 8);
static_assert(Cell::is_always_lock_free && sizeof(Cell) == 4);

constexpr std::uint64_t index_mark = DomainBoard::max_domains;  // set in every word: none is 0

// What a key is of: a domain's identity, or a name of a list.
constexpr std::uint64_t domain_space = 0;
constexpr std::uint64_t name_space(std::uint32_t list) { return std::uint64_t{list} + 1; }

template <typename T>
T* at(void* base, std::size_t offset) {
  return reinterpret_cast<T*>(static_cast<char*>(base) + offset);
}

tl::unexpected<Error> no_memory(const std::string& what) {
  return system_failure("no shared memory for managed domains: " + what);
}

std::uint64_t word_of(std::string_view text, std::size_t i) {
  std::uint64_t word = 0;
  for (std::size_t j = 0; j < 8 && 8 * i + j < text.size(); ++j) {
    word |= std::uint64_t{static_cast<unsigned char>(text[8 * i + j])} << (8 * j);
  }
  return word;
}

bool has_text(const DomainSlot& slot, std::string_view text) {
  if (text.size() > max_identity) return false;
  for (std::size_t i = 0; i < slot.text.size(); ++i) {
    if (slot.text[i].load(std::memory_order_relaxed) != word_of(text, i)) return false;
  }
  return true;
}

Result<void*> map(int fd) {
  void* base = ::mmap(nullptr, board_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return no_memory("mmap");
  return base;
}

}  // namespace

std::string DomainSlot::identity() const {
  std::string result;
  for (const auto& each : text) {
    std::uint64_t word = each.load(std::memory_order_relaxed);
    for (int i = 0; i < 8; ++i, word >>= 8) {
      if ((word & 0xff) == 0 || result.size() == max_identity) return result;
      result += static_cast<char>(word & 0xff);
    }
  }
  return result;
}

std::size_t DomainBoard::bytes() { return board_bytes; }

Result<DomainBoard> DomainBoard::create(int* fd) {
  std::uint64_t seed[2] = {};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(seed), sizeof seed) != 1) {
    return fail("no random numbers for the board of managed domains");
  }
  int memory = ::memfd_create("tlsguard-domains", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) return no_memory("memfd_create");
  // Without the seals a script in a worker could cut the file and the parent would die of SIGBUS.
  if (::ftruncate(memory, static_cast<off_t>(board_bytes)) != 0 ||
      ::fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    auto failure = no_memory("size and seals");
    ::close(memory);
    return failure;
  }
  auto base = map(memory);
  if (!base) {
    ::close(memory);
    return tl::unexpected(base.error());
  }
  auto* header = new (*base) DomainBoardHeader;
  header->seed[0] = seed[0];
  header->seed[1] = seed[1];
  header->magic = magic;
  *fd = memory;
  return DomainBoard(*base);
}

Result<DomainBoard> DomainBoard::attach(int fd) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return no_memory("fstat");
  if (facts.st_size != static_cast<off_t>(board_bytes)) {
    return fail("this descriptor is not the board of managed domains");
  }
  auto base = map(fd);
  if (!base) return tl::unexpected(base.error());
  auto board = attach(*base, board_bytes);
  if (!board) ::munmap(*base, board_bytes);
  return board;
}

Result<DomainBoard> DomainBoard::attach(void* base, std::size_t bytes) {
  if (base == nullptr || bytes != board_bytes ||
      static_cast<const DomainBoardHeader*>(base)->magic.load() != magic) {
    return fail("this is not the board of managed domains");
  }
  return DomainBoard(base);
}

Result<DomainBoard> DomainBoard::keep(DomainBoardAnchor& anchor) {
  if (anchor.base != nullptr) {
    if (auto board = attach(anchor.base, anchor.bytes)) return board;
    // Overwritten. Workers of older generations still look at it: it is left to them.
    ::close(anchor.fd);
    anchor = {};
  }
  int fd = -1;
  auto board = create(&fd);
  if (board) anchor = {board->base(), board_bytes, fd};
  return board;
}

std::uint64_t DomainBoard::key_of(std::uint64_t space, std::string_view text) const {
  const auto* header = static_cast<const DomainBoardHeader*>(base_);
  SipHash hash(header->seed[0].load(std::memory_order_relaxed),
               header->seed[1].load(std::memory_order_relaxed) ^ space);
  std::uint64_t key = hash(text);
  return key == 0 ? 1 : key;
}

DomainSlot* DomainBoard::slot(std::uint32_t number) const {
  return at<DomainSlot>(base_, slots_offset) + (number & number_mask);
}

void DomainBoard::begin_epoch() const {
  if (base_ != nullptr) ++static_cast<DomainBoardHeader*>(base_)->epoch;
}

std::uint32_t DomainBoard::epoch() const {
  if (base_ == nullptr) return 0;
  return static_cast<const DomainBoardHeader*>(base_)->epoch.load(std::memory_order_relaxed);
}

void DomainBoard::agent_is_at_work(UnixSeconds now) const {
  if (base_ == nullptr) return;
  static_cast<DomainBoardHeader*>(base_)->agent_seen.store(now, std::memory_order_relaxed);
}

UnixSeconds DomainBoard::agent_seen() const {
  if (base_ == nullptr) return 0;
  return static_cast<const DomainBoardHeader*>(base_)->agent_seen.load(std::memory_order_relaxed);
}

void DomainBoard::set_passive(bool passive) const {
  if (base_ == nullptr) return;
  static_cast<DomainBoardHeader*>(base_)->passive.store(passive ? 1 : 0, std::memory_order_relaxed);
}

bool DomainBoard::passive() const {
  return base_ != nullptr && static_cast<const DomainBoardHeader*>(base_)->passive != 0;
}

WorkerSlot* DomainBoard::worker(std::uint32_t row) const {
  return at<WorkerSlot>(base_, workers_offset) + row % max_workers;
}

std::atomic<std::uint32_t>* DomainBoard::cells(std::uint32_t row) const {
  return at<Cell>(base_, cells_offset + (row % max_workers) * row_bytes);
}

std::uint32_t DomainBoard::used() const {
  if (base_ == nullptr) return 0;
  auto used = static_cast<const DomainBoardHeader*>(base_)->domains.load(std::memory_order_relaxed);
  return std::min(used, max_domains);
}

DomainSlot* DomainBoard::declare(std::string_view identity) const {
  DomainSlot* claimed = claim(identity);
  if (claimed != nullptr) claimed->epoch.store(epoch(), std::memory_order_relaxed);
  return claimed;
}

std::uint32_t DomainBoard::position_of(const DomainSlot* slot) const {
  return static_cast<std::uint32_t>(slot - at<DomainSlot>(base_, slots_offset)) & number_mask;
}

DomainSlot* DomainBoard::give_out(std::uint64_t key, std::string_view identity) const {
  auto& used = static_cast<DomainBoardHeader*>(base_)->domains;
  std::uint32_t number = used.load(std::memory_order_relaxed);
  do {
    if (number >= max_domains) return nullptr;
  } while (!used.compare_exchange_weak(number, number + 1, std::memory_order_relaxed));
  DomainSlot* given = slot(number);
  for (std::size_t i = 0; i < given->text.size(); ++i) {
    given->text[i].store(word_of(identity, i), std::memory_order_relaxed);
  }
  given->key.store(key, std::memory_order_relaxed);
  return given;
}

// Two processes that claim one identity at a time may use up two slots; the index names one.
DomainSlot* DomainBoard::probe(std::uint64_t key, std::string_view identity, bool claim) const {
  auto* index = at<IndexWord>(base_, index_offset);
  DomainSlot* given = nullptr;
  for (std::uint32_t i = 0; i < max_probes; ++i) {
    IndexWord& entry = index[(key + i) % index_size];
    std::uint64_t word = entry.load(std::memory_order_acquire);
    if (word == 0) {
      if (!claim) return nullptr;
      if (given == nullptr) given = give_out(key, identity);
      if (given == nullptr) return nullptr;
      std::uint64_t wanted = (key & ~number_mask) | index_mark | position_of(given);
      if (entry.compare_exchange_strong(word, wanted, std::memory_order_acq_rel)) return given;
    }
    if (((word ^ key) & ~(number_mask | index_mark)) != 0) continue;
    DomainSlot* found = slot(static_cast<std::uint32_t>(word & number_mask));
    if (found->key.load(std::memory_order_relaxed) != key) continue;
    if (identity.empty() || has_text(*found, identity)) return found;
  }
  return nullptr;
}

DomainSlot* DomainBoard::claim(std::string_view identity) const {
  if (base_ == nullptr || identity.empty() || identity.size() > max_identity) return nullptr;
  return probe(key_of(domain_space, identity), identity, true);
}

DomainSlot* DomainBoard::find(std::string_view identity) const {
  if (base_ == nullptr || identity.empty()) return nullptr;
  return probe(key_of(domain_space, identity), identity, false);
}

DomainSlot* DomainBoard::find_key(std::uint64_t key) const {
  return base_ != nullptr && key != 0 ? probe(key, {}, false) : nullptr;
}

bool DomainBoard::put_name(std::uint32_t list, std::string_view name,
                           std::string_view identity) const {
  if (base_ == nullptr) return false;
  std::uint64_t key = key_of(name_space(list), name);
  std::uint64_t domain = key_of(domain_space, identity);
  auto* names = at<NameSlot>(base_, names_offset);
  for (std::uint32_t i = 0; i < max_probes; ++i) {
    NameSlot& entry = names[(key + i) % max_names];
    std::uint64_t found = entry.key.load(std::memory_order_acquire);
    if (found == 0 && entry.key.compare_exchange_strong(found, key, std::memory_order_acq_rel)) {
      found = key;
    }
    if (found != key) continue;
    entry.domain.store(domain, std::memory_order_release);
    return true;
  }
  return false;
}

std::optional<std::uint64_t> DomainBoard::domain_of(std::uint32_t list,
                                                    std::string_view name) const {
  if (base_ == nullptr) return std::nullopt;
  std::uint64_t key = key_of(name_space(list), name);
  const auto* names = at<const NameSlot>(base_, names_offset);
  for (std::uint32_t i = 0; i < max_probes; ++i) {
    const NameSlot& entry = names[(key + i) % max_names];
    std::uint64_t found = entry.key.load(std::memory_order_acquire);
    if (found == 0) return std::nullopt;
    if (found != key) continue;
    std::uint64_t domain = entry.domain.load(std::memory_order_acquire);
    return domain != 0 ? std::optional(domain) : std::nullopt;  // 0: about to be written
  }
  return std::nullopt;
}

std::optional<std::uint64_t> DomainBoard::domain_for(std::uint32_t list,
                                                     std::string_view asked) const {
  if (auto exact = domain_of(list, asked)) return exact;
  auto dot = asked.find('.');
  if (dot == std::string_view::npos || asked.size() > max_identity) return std::nullopt;
  std::array<char, max_identity + 1> wildcard;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  wildcard[0] = '*';
  std::copy(asked.begin() + static_cast<std::ptrdiff_t>(dot), asked.end(), wildcard.begin() + 1);
  return domain_of(list, {wildcard.data(), asked.size() - dot + 1});
}

}  // namespace tlsguard::live
