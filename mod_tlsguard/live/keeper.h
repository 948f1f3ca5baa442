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
//   the snapshot for keep_unseen.
// - When a board is full, a new one takes over all counts; what the old generation's workers go on
//   counting on the old one is moved over at each collect(), as long as the parent lives.
#ifndef TLSGUARD_LIVE_KEEPER_H
#define TLSGUARD_LIVE_KEEPER_H

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "live/board.h"
#include "live/census.h"
#include "live/snapshot.h"
#include "store/state_file.h"

namespace tlsguard::live {

struct CountedHost {
  // Stable over reloads and unique: "server name|address:port address:port", at most max_key.
  std::string key;
  // By judge: id of the policy ("mozilla-modern@6.0"); empty: none. Where settings may change
  // under one name (a policy of one's own) append something that tells them apart.
  std::array<std::string, judge_count> policies;
};

// Verdicts other than ok since the last daily notice.
struct DailyNotice {
  std::string key;
  Judge judge = Judge::in_force;  // or report
  std::array<std::uint64_t, hello::verdict_count> verdicts{};
  UnixSeconds since = 0;
};

struct LoadedSnapshot {
  Snapshot snapshot;             // empty where there is no file or a bad one
  std::optional<Error> warning;  // for the log: what was wrong with the file, now census.json.bad
};
[[nodiscard]] LoadedSnapshot load_snapshot(const store::Directory& directory);

class Keeper {
 public:
  // Attaches to the newest board of the anchor, or makes one (a larger one where it has no room).
  // previous: load_snapshot's. ramps: ServerNames in lower case. Both lists without duplicates.
  [[nodiscard]] static Result<Keeper> open(BoardAnchor& anchor, const Snapshot& previous,
                                           std::span<const CountedHost> hosts,
                                           std::span<const std::string> ramps, UnixSeconds now);

  // For the workers; index as in open().
  [[nodiscard]] VirtualHostCensus census(std::size_t host) const;
  [[nodiscard]] const RampSlot* ramp(std::size_t ramp) const;
  [[nodiscard]] std::uint64_t fingerprint_seed() const;

  void publish_ramp(std::size_t ramp, std::uint64_t reached);

  // All counts as they are now.
  [[nodiscard]] Snapshot collect(UnixSeconds now);
  // collect() into census.json, mode 0600: every minute or so, and at the end.
  [[nodiscard]] Result<void> save(const store::Directory& directory, UnixSeconds now);
  // Once a day, else empty: what to say at notice, only for those that have something to say.
  [[nodiscard]] std::vector<DailyNotice> take_daily_notices(UnixSeconds now);

 private:
  Keeper() = default;
};

// For a worker's status handler: the virtual hosts of its own configuration, without past and
// those no longer configured.
[[nodiscard]] Snapshot read_board(std::span<const CountedHost> hosts,
                                  std::span<const VirtualHostCensus> censuses, UnixSeconds now);

}  // namespace tlsguard::live

#endif
