// SPDX-License-Identifier: Apache-2.0
#include "agent/board_view.h"

#include <algorithm>
#include <limits>

namespace tlsguard::agent {
namespace {

std::uint32_t seconds_of(UnixSeconds at) {
  constexpr UnixSeconds last = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<UnixSeconds>(at, 0, last));
}

}  // namespace

void BoardView::publish(const std::string& identity, const renew::DomainView& view) {
  live::DomainSlot* slot = board_.declare(identity);
  if (slot == nullptr) {
    if (full_.exchange(true)) return;
    return log_.write(Severity::error, "TG0123",
                      "domain=" + identity +
                          ": there is no room for more domains; it is not served, and so may be "
                          "others");
  }
  constexpr auto relaxed = std::memory_order_relaxed;
  slot->not_before.store(view.not_before, relaxed);
  slot->not_after.store(view.not_after, relaxed);
  slot->warn_from.store(view.warn_from, relaxed);
  slot->ari_start.store(seconds_of(view.ari_start), relaxed);
  slot->ari_end.store(seconds_of(view.ari_end), relaxed);
  slot->next_run.store(view.next_run, relaxed);
  slot->errors.store(view.errors, relaxed);
  slot->state.store(static_cast<std::uint32_t>(view.phase), relaxed);
  // Of the one before: it is nobody's trouble any more.
  if (slot->generation.load(relaxed) != view.generation) slot->failed_loads.store(0, relaxed);
  // Whoever sees it finds the version in the store.
  slot->generation.store(view.generation, std::memory_order_release);
}

void BoardView::at_work(UnixSeconds now) { board_.agent_is_at_work(now); }

bool BoardView::put_name(std::uint32_t list, const std::string& name, const std::string& identity) {
  return board_.put_name(list, name, identity);
}

}  // namespace tlsguard::agent
