// SPDX-License-Identifier: Apache-2.0
// What TLSGuardEvent tells others. The interface; who runs commands and calls webhooks is behind
// it.
#ifndef TLSGUARD_RENEW_EVENTS_H
#define TLSGUARD_RENEW_EVENTS_H

#include <cstdint>
#include <string>
#include <string_view>

#include "renew/spec.h"

namespace tlsguard::renew {

enum class Event : std::uint8_t {
  renewing,
  renewed,
  activated,
  expiring,
  failed,
  recovered,
  revoked,
  action_needed,
};
// "action-needed"
[[nodiscard]] std::string_view event_name(Event event);

class EventSink {
 public:
  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;
  virtual ~EventSink() = default;
  // Before an order (Event::renewing). false: a command said no. Blocking, in a job's own thread.
  [[nodiscard]] virtual bool allows(const DomainSpec& domain) = 0;
  // Does not block. text: for people.
  virtual void tell(Event event, const DomainSpec& domain, const std::string& text) = 0;
};

}  // namespace tlsguard::renew

#endif
