// SPDX-License-Identifier: Apache-2.0
// The domains' board: one mapping that the parent makes once for its whole life, and that the
// agent and all workers of all generations share (a sealed memfd, as board.h). Per domain: which
// generation is live, and how its renewal stands; per name of a TLSGuardDomainList: its domain; per
// worker process: which generation it serves of each domain. Never key material.
//
// Who writes: the parent and the agent claim slots, by compare-and-swap, for ever; the agent
// publishes; workers count what they could not load, and write their own rows. Any script inside a
// worker can write all of it: nothing read from it is used as an index, a size or a pointer unless
// it was cut to bounds, and a certificate it leads to is verified for the name that was asked
// before it is served.
// Lock-free; any thread, any process. Relaxed, but for `generation` (release, acquire).
#ifndef TLSGUARD_LIVE_DOMAIN_BOARD_H
#define TLSGUARD_LIVE_DOMAIN_BOARD_H

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"

namespace tlsguard::live {

inline constexpr std::size_t max_identity = 255;  // bytes; RFC 1035 2.3.4

struct alignas(64) DomainSlot {
  std::atomic<std::uint64_t> key{0};         // of the identity; 0: free
  std::atomic<std::uint64_t> generation{0};  // store::Current's; 0: nothing is live
  std::atomic<std::int64_t> not_after{0};    // of what is live; the earliest
  std::atomic<std::int64_t> next_run{0};     // 0: none is planned
  std::atomic<std::uint32_t> errors{0};      // in a row
  std::atomic<std::uint32_t> state{0};       // renew::Phase
  // Workers that keep an older generation, as they could not load this one. Set to 0 with every
  // generation and at every reload; one that dies meanwhile stays counted until then.
  std::atomic<std::uint32_t> failed_loads{0};
  // DomainBoardHeader's when it was declared last: those of other configurations are not shown.
  std::atomic<std::uint32_t> epoch{0};
  std::atomic<std::int64_t> not_before{0};  // of what is live; the latest
  std::atomic<std::int64_t> warn_from{0};   // begin of TLSGuardWarnWindow; 0: not known
  // The window that the CA suggests (RFC 9773); seconds until 2106. end 0: none.
  std::atomic<std::uint32_t> ari_start{0};
  std::atomic<std::uint32_t> ari_end{0};
  // The identity itself, zero-padded: workers know the domains of a list by their key only.
  std::array<std::atomic<std::uint64_t>, (max_identity + 1) / 8> text{};

  void count_failed_load() { failed_loads.fetch_add(1, std::memory_order_relaxed); }
  // Never below 0, whatever was written there meanwhile.
  void forget_failed_load() {
    std::uint32_t before = failed_loads.load(std::memory_order_relaxed);
    while (before > 0 &&
           !failed_loads.compare_exchange_weak(before, before - 1, std::memory_order_relaxed)) {
    }
  }

  // Of at most max_identity bytes.
  [[nodiscard]] std::string identity() const;
};

struct NameSlot {
  std::atomic<std::uint64_t> key{0};     // of list and name; 0: free
  std::atomic<std::uint64_t> domain{0};  // key of its domain
};

struct alignas(64) DomainBoardHeader {
  std::atomic<std::uint64_t> magic{0};
  std::atomic<std::uint64_t> seed[2]{};     // of the keys: names may come from strangers
  std::atomic<std::uint32_t> domains{0};    // slots given out
  std::atomic<std::uint32_t> epoch{0};      // goes up with every configuration
  std::atomic<std::int64_t> agent_seen{0};  // when the agent was at work last
  std::atomic<std::uint32_t> passive{0};    // 1: another server has the store, and the agent
};

// A worker process's row, claimed when it begins and freed when it ends. `busy` is set while what
// the one before has left is cleared.
struct WorkerSlot {
  static constexpr std::uint32_t busy = 1U << 31;
  std::atomic<std::uint32_t> pid{0};    // 0: free
  std::atomic<std::uint32_t> epoch{0};  // of its configuration
};

// What one worker has of one domain.
struct WorkerCell {
  std::uint64_t generation = 0;  // 0: nothing was asked of it yet
  bool failed = false;           // it could not load what is live
};

// For the worker itself. Copyable, owns nothing; the default one writes nothing.
class WorkerRow {
 public:
  WorkerRow() = default;
  explicit WorkerRow(std::atomic<std::uint32_t>* cells) : cells_(cells) {}
  // position: DomainBoard::position_of.
  void serves(std::uint32_t position, std::uint64_t generation) const;
  void could_not_load(std::uint32_t position) const;
  [[nodiscard]] bool claimed() const { return cells_ != nullptr; }

 private:
  std::atomic<std::uint32_t>* cells_ = nullptr;
};

// What the parent keeps of it. Plain data, as BoardAnchor: all zero at first, in memory that
// outlives the module's code (httpd: its process pool, under domain_anchor_name).
struct DomainBoardAnchor {
  void* base;
  std::size_t bytes;
  int fd;
};
static_assert(std::is_trivial_v<DomainBoardAnchor> && std::is_standard_layout_v<DomainBoardAnchor>);
// Changes when the layout does: new code then starts a board of its own.
inline constexpr char domain_anchor_name[] = "tlsguard-domains-2";

class DomainBoard {
 public:
  static constexpr std::uint32_t max_domains = 1U << 17;
  static constexpr std::uint32_t max_names = 1U << 18;
  static constexpr std::uint32_t max_workers = 256;  // more than these have no row

  // Parent: a new mapping; pages cost memory only once they are used. fd: close-on-exec, for the
  // agent; the mapping lives as long as the process.
  [[nodiscard]] static Result<DomainBoard> create(int* fd);
  // The agent, over the inherited descriptor.
  [[nodiscard]] static Result<DomainBoard> attach(int fd);
  [[nodiscard]] static Result<DomainBoard> attach(void* base, std::size_t bytes);
  // The parent: over what it kept, else a new one.
  [[nodiscard]] static Result<DomainBoard> keep(DomainBoardAnchor& anchor);

  DomainBoard() = default;  // no board: nothing is found

  // The domain's slot, claimed where there is none; nullptr: full, or longer than max_identity.
  [[nodiscard]] DomainSlot* claim(std::string_view identity) const;
  // The parent: another configuration begins. Then it declares what is in it, and so does the
  // agent: claim(), and the slot is of this configuration.
  void begin_epoch() const;
  DomainSlot* declare(std::string_view identity) const;
  [[nodiscard]] std::uint32_t epoch() const;
  // The agent, every few seconds; and when that was last. 0: never.
  void agent_is_at_work(UnixSeconds now) const;
  [[nodiscard]] UnixSeconds agent_seen() const;
  // The parent: whether another server renews, so that there is no agent here.
  void set_passive(bool passive) const;
  [[nodiscard]] bool passive() const;
  // Slots given out, at most max_domains; those of other configurations among them.
  [[nodiscard]] std::uint32_t used() const;
  // position: below used().
  [[nodiscard]] const DomainSlot& at_position(std::uint32_t position) const {
    return *slot(position);
  }
  // nullptr: nobody has claimed one.
  [[nodiscard]] DomainSlot* find(std::string_view identity) const;
  [[nodiscard]] DomainSlot* find_key(std::uint64_t key) const;
  // A name of a list now belongs to this domain. false: full.
  [[nodiscard]] bool put_name(std::uint32_t list, std::string_view name,
                              std::string_view identity) const;
  // The key of the domain of exactly this name (lower case; wildcards as written).
  [[nodiscard]] std::optional<std::uint64_t> domain_of(std::uint32_t list,
                                                       std::string_view name) const;
  // The same for a name that a client asks for: exact, else the wildcard for its first label.
  [[nodiscard]] std::optional<std::uint64_t> domain_for(std::uint32_t list,
                                                        std::string_view asked) const;

  // Below max_domains: for tables of a process's own. slot: of this board.
  [[nodiscard]] std::uint32_t position_of(const DomainSlot* slot) const;

  // A worker's own row; one that writes nothing where all are taken. Those of processes that are
  // gone are taken again.
  [[nodiscard]] WorkerRow claim_row(std::uint32_t pid) const;
  // The worker itself, or the parent where it has died.
  void free_row(std::uint32_t pid) const;
  struct Worker {
    std::uint32_t row = 0;
    std::uint32_t pid = 0;
    std::uint32_t epoch = 0;
  };
  [[nodiscard]] std::vector<Worker> workers() const;
  [[nodiscard]] WorkerCell cell(std::uint32_t row, std::uint32_t position) const;
  // Of these, how many could not load what is live of this domain.
  [[nodiscard]] std::uint32_t failed_in(const std::vector<Worker>& workers,
                                        std::uint32_t position) const;

  [[nodiscard]] void* base() const { return base_; }
  [[nodiscard]] static std::size_t bytes();

 private:
  explicit DomainBoard(void* base) : base_(base) {}
  [[nodiscard]] std::uint64_t key_of(std::uint64_t space, std::string_view text) const;
  [[nodiscard]] DomainSlot* slot(std::uint32_t number) const;
  [[nodiscard]] WorkerSlot* worker(std::uint32_t row) const;
  [[nodiscard]] std::atomic<std::uint32_t>* cells(std::uint32_t row) const;
  [[nodiscard]] DomainSlot* probe(std::uint64_t key, std::string_view identity, bool claim) const;
  [[nodiscard]] DomainSlot* give_out(std::uint64_t key, std::string_view identity) const;
  void* base_ = nullptr;
};

}  // namespace tlsguard::live

#endif
