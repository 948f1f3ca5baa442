// SPDX-License-Identifier: Apache-2.0
// Between the slot of a virtual host on the board and its counts as plain values. Whatever stands
// on the board, what is read is within the bounds of a snapshot. Keys and ids of policies are not
// touched: the board has only hashes of them. Workers may go on counting meanwhile: nothing they
// count is lost or counted twice.
#ifndef TLSGUARD_LIVE_SLOT_COUNTS_H
#define TLSGUARD_LIVE_SLOT_COUNTS_H

#include "live/board.h"
#include "live/snapshot.h"
#include "live/verdicts.h"

namespace tlsguard::live {

// Any process.
void read_counts(const VirtualHostSlot& slot, VirtualHostCounts& counts);

// The rest is the parent's. take: what was counted is in the counts and no longer on the board.
void take_counts(VirtualHostSlot& slot, VirtualHostCounts& counts);
void add_counts(VirtualHostSlot& slot, const VirtualHostCounts& counts);

// What depends on the policy of this judge: verdicts, and for in_force what was negotiated.
struct JudgeCounts {
  Judged judged;
  Traffic traffic;  // in_force only
};
[[nodiscard]] JudgeCounts take_counts(VirtualHostSlot& slot, Judge judge);
void add_counts(VirtualHostSlot& slot, Judge judge, const Judged& judged, const Traffic& traffic);

}  // namespace tlsguard::live

#endif
