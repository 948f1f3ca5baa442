// SPDX-License-Identifier: Apache-2.0
// The parent's side of the census: gives out the slots of the board, carries counts over reloads,
// restarts and changes of policy, and writes them down. Parent process only, one thread. One
// Keeper a configuration; made in post_config, saved and gone before the next.
//
// - A reload finds its virtual hosts' slots by key and lets them be: their counts just go on.
// - After a restart the counts come from the snapshot.
// - A judge whose policy differs from the slot's starts anew: its verdicts, and for in_force what
//   was negotiated. What was counted is kept as Past and taken up again when the policy comes
//   back. All else goes on. What workers of the old configuration still count under the old
//   policy is not counted.
// - Slots of virtual hosts that are gone stay theirs while the board lives; their counts stay in
//   the snapshot until they were not seen for keep_unseen.
// - When a board is full, a new one takes over all counts. What workers of older configurations go
//   on counting on the old one is moved over at each collect(), as long as the parent lives (but
//   for virtual hosts that were gone before the last reload already).
#ifndef TLSGUARD_LIVE_KEEPER_H
#define TLSGUARD_LIVE_KEEPER_H

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "live/board.h"
#include "live/census.h"
#include "live/snapshot.h"
#include "store/state_file.h"

namespace tlsguard::live {

struct CountedHost {
  // Stable over reloads: "server name|address:port address:port". Virtual hosts of one key are
  // counted as one, under the policies of the first.
  std::string key;
  // By judge: id of the policy ("mozilla-modern@6.0"); empty: none. Where settings may change
  // under one name (a policy of one's own) append something that tells them apart.
  PolicyIds policies;
  // The TLSGuardFloor that names it as an exception; empty: none.
  std::string floor_exception = {};
};

// Verdicts other than ok since the last daily notice.
struct DailyNotice {
  std::string key;
  Judge judge = Judge::in_force;  // or report
  std::array<std::uint64_t, hello::verdict_count> verdicts{};
  UnixSeconds since = 0;

  [[nodiscard]] std::uint64_t refused() const;
};

struct LoadedSnapshot {
  Snapshot snapshot;             // empty where there is no file or a bad one
  std::optional<Error> warning;  // for the log: what was wrong with the file, now census.json.bad
};
[[nodiscard]] LoadedSnapshot load_snapshot(const store::Directory& directory);

class Keeper {
 public:
  // Attaches to the newest board of the anchor, or makes one where there is none or it has no
  // room. previous: load_snapshot's. ramps: ServerNames in lower case, without duplicates.
  [[nodiscard]] static Result<Keeper> open(BoardAnchor& anchor, const Snapshot& previous,
                                           std::span<const CountedHost> hosts,
                                           std::span<const std::string> ramps, UnixSeconds now);

  // For the workers; index as in open().
  [[nodiscard]] VirtualHostCensus census(std::size_t host) const;
  // Nothing is added to it or taken from it before the next open().
  [[nodiscard]] const std::vector<Past>& past(std::size_t host) const;
  [[nodiscard]] const RampSlot* ramp(std::size_t ramp) const;
  [[nodiscard]] std::uint64_t fingerprint_seed() const { return seed_; }

  // Makes the age known to the workers, those of older configurations too.
  void publish_ramp(std::size_t ramp, std::uint64_t reached);

  // All counts as they are now.
  [[nodiscard]] Snapshot collect(UnixSeconds now);
  // collect() into census.json, mode 0600: every minute or so, and at the end. Nothing is written
  // where nothing has changed.
  [[nodiscard]] Result<void> save(const store::Directory& directory, UnixSeconds now);
  // Once a day, else empty: those that have something to say. Follow it by save(), so that it is
  // not said again after a restart.
  [[nodiscard]] std::vector<DailyNotice> take_daily_notices(UnixSeconds now);

 private:
  struct Host {
    std::string key;
    PolicyIds policies;
    std::string floor_exception;
    std::array<std::uint64_t, judge_count> policy_hashes{};
    VirtualHostSlot* slot = nullptr;
    std::vector<Past> past;
    bool shares = false;  // its slot is that of a virtual host before it
  };
  // No longer configured. Where it has a slot, that holds its counts.
  struct Gone {
    VirtualHostCounts counts;
    VirtualHostSlot* slot = nullptr;
  };
  struct Ramp {
    std::uint64_t key = 0;
    RampSlot* slot = nullptr;
    std::optional<std::uint64_t> published;
  };

  using Slots = std::unordered_map<std::uint64_t, VirtualHostSlot*>;  // by key hash
  using RampSlots = std::unordered_map<std::uint64_t, RampSlot*>;

  explicit Keeper(BoardAnchor& anchor) : anchor_(&anchor) {}
  [[nodiscard]] Result<void> take_board(const Snapshot& previous, std::span<const std::string> keys,
                                        std::span<const std::string> ramps);
  [[nodiscard]] Result<void> make_board(const Snapshot& previous, std::size_t needed);
  void adopt(Host host, const VirtualHostCounts* record, UnixSeconds now);
  void remember(const VirtualHostCounts& record);
  void adopt_ramp(const std::string& server_name);
  [[nodiscard]] VirtualHostSlot* restore(const VirtualHostCounts& counts);
  void set_policy(Host& host, Judge judge, const std::string& before, UnixSeconds now);
  void fold_old_boards();
  [[nodiscard]] BoardAnchor::Mapping& newest() const {
    return anchor_->mappings[anchor_->count - 1];
  }

  BoardAnchor* anchor_;
  Board board_;
  Slots slots_;  // of board_
  RampSlots ramp_slots_;
  // Of the board that this configuration found full. Used by open() only.
  Slots outgrown_;
  RampSlots outgrown_ramps_;
  std::vector<Host> hosts_;
  std::vector<Gone> gone_;
  std::vector<Ramp> ramps_;
  std::uint64_t seed_ = 0;
  UnixSeconds noticed_at_ = 0;
  std::optional<Snapshot> saved_;  // as last written, without the time of writing
};

// What a worker's status handler shows of a virtual host of its own configuration.
struct ShownHost {
  const CountedHost* counted = nullptr;
  VirtualHostCensus census;
  std::span<const Past> past;
};
// As collect(), without virtual hosts that are no longer configured, and without the seed.
[[nodiscard]] Snapshot read_board(std::span<const ShownHost> hosts, UnixSeconds now);

}  // namespace tlsguard::live

#endif
