// SPDX-License-Identifier: Apache-2.0
// The board: one mapping shared by httpd's parent and all workers of all generations. It is a
// memfd, sealed against any change of size, so it can cross an exec and nobody can make a reader
// fault. It holds counters of virtual hosts (census.h) and the age each HSTS ramp has reached.
//
// Who writes: the parent gives out slots and publishes ramps; workers only add to counters. Any
// script inside a worker can write all of it, so nothing read from it is used as an index, a size
// or a pointer: capacities are those of the parent's own memory, inherited by the workers.
// What it holds is plain: lock-free atomics, no pointer, no virtual function, since the code that
// made it is unloaded and loaded again by every reload. Times are unix seconds in 32 bits (until
// 2106).
//
// The parent keeps the mappings in a BoardAnchor, in memory that outlives the module's code. A
// configuration that needs more slots than are free gets a second, larger board; workers of the
// old generation go on counting on theirs, and Keeper (keeper.h) moves those counts over at every
// tick, so that none is lost.
#ifndef TLSGUARD_LIVE_BOARD_H
#define TLSGUARD_LIVE_BOARD_H

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "core/error.h"
#include "live/verdicts.h"

namespace tlsguard::live {

// 64 bits of a key text, the same in every release (it is on the board and in nothing else). Never
// 0, which stands for none. Not secret and not seeded: keys come from the configuration.
[[nodiscard]] std::uint64_t key_hash(std::string_view text);

// How often, when last; id says of what, in the tables below (0: unused, else 0x10000 | the IANA
// number). All of it is written with relaxed order: a reader may see a count without its time.
struct Counter {
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::uint32_t> last_seen{0};
  std::atomic<std::uint32_t> id{0};
};

// The entry of this id in a table with open addressing, claimed where there is none yet; nullptr:
// the table is full. Entries are never given back, so a claimed one keeps its id.
template <std::size_t N>
[[nodiscard]] Counter* counter_of(std::array<Counter, N>& table, std::uint16_t id) noexcept {
  const std::uint32_t wanted = 0x10000U | id;
  for (std::size_t i = 0; i < N; ++i) {
    Counter& counter = table[(id + i) % N];
    std::uint32_t found = counter.id.load(std::memory_order_relaxed);
    if (found == wanted) return &counter;
    if (found != 0) continue;
    if (counter.id.compare_exchange_strong(found, wanted, std::memory_order_relaxed) ||
        found == wanted) {
      return &counter;
    }
  }
  return nullptr;
}

// A kind of client that some judge would turn away (offers.h). Each word is whole by itself.
struct OfferSlot {
  std::atomic<std::uint64_t> tag_and_count{0};  // upper half: of the fingerprint, 0: unused
  std::atomic<std::uint64_t> facts{0};
  std::atomic<std::uint64_t> seen{0};  // upper half: first; lower half: last
};

inline constexpr std::size_t cipher_slots = 32;
inline constexpr std::size_t group_slots = 16;
inline constexpr std::size_t offer_slots = 16;
using OfferTable = std::array<OfferSlot, offer_slots>;

// Counters of one virtual host. Those that depend on a policy belong to the policy whose key hash
// is in policies[judge]; a worker of another configuration leaves them alone. What every
// handshake reads has a cache line of its own, what it writes stands together.
struct alignas(64) VirtualHostSlot {
  std::atomic<std::uint64_t> key{0};  // key_hash of the virtual host's key; 0: free
  std::array<std::atomic<std::uint64_t>, judge_count> policies{};
  std::atomic<std::uint32_t> began{0};

  // By verdict, then judge.
  alignas(64) std::array<std::array<Counter, judge_count>, hello::verdict_count> verdicts{};
  // What clients ask for, whatever the policies.
  Counter name_missing;
  Counter name_unknown;
  // What was negotiated, under the policy in force.
  Counter full;
  Counter resumed;
  std::array<Counter, 4> versions{};  // all_protocols
  Counter other_cipher;               // those the table has no room for
  Counter other_group;
  std::array<Counter, cipher_slots> ciphers{};
  std::array<Counter, group_slots> groups{};
  OfferTable offers{};

  // Parent only: when each judge's counts began, and the verdicts of in_force and report at the
  // time of the last daily notice.
  std::array<std::atomic<std::uint32_t>, judge_count> policies_began{};
  std::array<std::array<std::atomic<std::uint64_t>, hello::verdict_count>, 2> noticed{};
};

// Where the HSTS ramp of one ServerName stands.
struct RampSlot {
  std::atomic<std::uint64_t> key{0};      // key_hash of the ServerName in lower case; 0: free
  std::atomic<std::uint64_t> reached{0};  // max-age in seconds, for web::HstsValues::at
};

struct alignas(64) BoardHeader {
  std::atomic<std::uint64_t> magic{0};
  std::atomic<std::uint32_t> layout{0};
  std::atomic<std::uint32_t> capacity{0};    // for tools; nobody here relies on it
  std::atomic<std::uint64_t> seed{0};        // of hello::fingerprint
  std::atomic<std::uint32_t> noticed_at{0};  // the last daily notice
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8 && sizeof(std::atomic<std::uint32_t>) == 4);
static_assert(std::is_standard_layout_v<BoardHeader> && std::is_standard_layout_v<RampSlot>);
static_assert(std::is_standard_layout_v<VirtualHostSlot>);
static_assert(sizeof(Counter) == 16 && sizeof(OfferSlot) == 24);

// The mappings, newest last. Plain data: the caller keeps one, all zero at first, in memory that
// outlives the code (httpd: its process pool, under anchor_name) and that no worker can write
// (each has its own copy). It is never freed: the mappings live as long as the process.
struct BoardAnchor {
  struct Mapping {
    void* base;
    std::size_t bytes;
    int fd;
    std::uint32_t capacity;
    std::uint32_t virtual_hosts;  // slots given out, from 0 on; none is ever given back
    std::uint32_t ramps;
  };
  static constexpr std::uint32_t max_mappings = 8;
  std::uint32_t count;
  Mapping mappings[max_mappings];
};
static_assert(std::is_trivial_v<BoardAnchor> && std::is_standard_layout_v<BoardAnchor>);
// Changes when BoardAnchor or the layout of the board does: new code then starts a board of its
// own, and the counts come from the snapshot that the old code wrote as it left.
inline constexpr char anchor_name[] = "tlsguard-board-1";

// A view of one mapping. Copyable, owns nothing; any thread, any process.
class Board {
 public:
  static constexpr std::uint32_t max_capacity = 65536;

  // A new mapping with room for this many virtual hosts and as many ramps, put last into the
  // anchor; pages cost memory only once they are used. When the anchor is full its oldest mapping
  // goes. Parent only.
  [[nodiscard]] static Result<Board> create(BoardAnchor& anchor, std::uint32_t capacity,
                                            std::uint64_t seed);
  // A mapping of the anchor; an error where its header is not that of a board of this layout.
  [[nodiscard]] static Result<Board> attach(const BoardAnchor::Mapping& mapping);

  Board() = default;  // no board: capacity 0

  [[nodiscard]] std::uint32_t capacity() const { return capacity_; }
  // nullptr where there is no board.
  [[nodiscard]] BoardHeader* header() const { return static_cast<BoardHeader*>(base_); }
  // nullptr where index is not below the capacity.
  [[nodiscard]] VirtualHostSlot* virtual_host(std::uint32_t index) const;
  [[nodiscard]] RampSlot* ramp(std::uint32_t index) const;

 private:
  Board(void* base, std::uint32_t capacity) : base_(base), capacity_(capacity) {}
  void* base_ = nullptr;
  std::uint32_t capacity_ = 0;
};

}  // namespace tlsguard::live

#endif
