// SPDX-License-Identifier: Apache-2.0
// Where workers learn what is live: the domains' board in the agent, a list in tests. Any thread.
#ifndef TLSGUARD_RENEW_LIVE_VIEW_H
#define TLSGUARD_RENEW_LIVE_VIEW_H

#include <cstdint>
#include <string>

#include "core/unix_time.h"
#include "renew/phase.h"

namespace tlsguard::renew {

struct DomainView {
  std::uint64_t generation = 0;  // 0: nothing is live
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  UnixSeconds next_run = 0;  // 0: none is planned
  std::uint32_t errors = 0;  // in a row
  Phase phase = Phase::fresh;
  UnixSeconds ari_start = 0;  // what the CA suggests; end 0: nothing
  UnixSeconds ari_end = 0;
  UnixSeconds warn_from = 0;  // begin of TLSGuardWarnWindow; 0: not known
};

class LiveView {
 public:
  LiveView() = default;
  LiveView(const LiveView&) = delete;
  LiveView& operator=(const LiveView&) = delete;
  virtual ~LiveView() = default;
  // The generation last: whoever sees it finds it in the store.
  virtual void publish(const std::string& identity, const DomainView& view) = 0;
  // A name of a list now belongs to this domain. false: there is no room.
  virtual bool put_name(std::uint32_t list, const std::string& name,
                        const std::string& identity) = 0;
  // The agent does its work; said every few seconds.
  virtual void at_work(UnixSeconds now) = 0;
};

}  // namespace tlsguard::renew

#endif
