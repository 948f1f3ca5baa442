// SPDX-License-Identifier: Apache-2.0
// Counting handshakes of one virtual host. Two calls a connection: one when its ClientHello has
// been judged, one when the handshake is complete. Relaxed atomic adds, no lock, no allocation, no
// system call; any thread of any worker, and a worker that dies loses at most the handshake it
// was counting.
#ifndef TLSGUARD_LIVE_CENSUS_H
#define TLSGUARD_LIVE_CENSUS_H

#include <array>
#include <cstdint>

#include "core/protocol.h"
#include "core/unix_time.h"
#include "live/board.h"
#include "live/offers.h"
#include "live/verdicts.h"

namespace tlsguard::live {

using tlsguard::UnixSeconds;

// The server name a client asked for (RFC 6066 3). unknown: no virtual host has it, and the
// default one of the address answers.
enum class AskedName : std::uint8_t { known, unknown, missing };

struct Negotiated {
  Protocol version = Protocol::tls1_2;
  std::uint16_t cipher = 0;  // IANA
  std::uint16_t group = 0;   // TLS group id; 0: no key exchange with a group
  bool resumed = false;
};

// What a worker holds for a virtual host, as part of the immutable configuration. Copyable, owns
// nothing. The default one counts nothing (no board could be made).
class VirtualHostCensus {
 public:
  VirtualHostCensus() = default;
  // policies: key_hash of each judge's policy, 0 where there is none. A verdict is counted only
  // while the slot belongs to the same policy: workers that outlive a change of policy do not
  // count the old one's verdicts for the new.
  VirtualHostCensus(VirtualHostSlot* slot, const std::array<std::uint64_t, judge_count>& policies)
      : slot_(slot), policies_(policies) {}

  // A ClientHello was judged. facts: called as `OfferFacts()` when this kind of client is new in
  // the table of offers; it is asked for only if some verdict is not ok.
  template <typename Facts>
  void count_hello(UnixSeconds now, std::uint64_t fingerprint, AskedName name, Verdicts verdicts,
                   Facts&& facts) const {
    if (slot_ == nullptr) return;
    auto when = static_cast<std::uint32_t>(now);
    verdicts = count_verdicts(when, name, verdicts);
    if (!verdicts.any_refusal()) return;
    std::uint32_t tag = offer_tag(fingerprint, name != AskedName::missing);
    if (!count_known_offer(slot_->offers, tag, verdicts, when)) {
      put_offer(slot_->offers, tag, facts(), verdicts, when);
    }
  }
  // A handshake is complete.
  void count_handshake(UnixSeconds now, const Negotiated& negotiated) const noexcept;

  // nullptr: counts nothing.
  [[nodiscard]] const VirtualHostSlot* slot() const { return slot_; }

 private:
  [[nodiscard]] bool counts_for(Judge judge) const noexcept {
    auto j = static_cast<std::size_t>(judge);
    return policies_[j] != 0 && slot_->policies[j].load(std::memory_order_acquire) == policies_[j];
  }
  // Returns those that were counted.
  Verdicts count_verdicts(std::uint32_t now, AskedName name, Verdicts verdicts) const noexcept;

  VirtualHostSlot* slot_ = nullptr;
  std::array<std::uint64_t, judge_count> policies_{};
};

}  // namespace tlsguard::live

#endif
