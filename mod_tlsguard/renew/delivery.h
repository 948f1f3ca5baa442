// SPDX-License-Identifier: Apache-2.0
// One event on its way to one line of TLSGuardEvent, and what becomes of one that never arrives.
// Plain values; the JSON is that of the agent's own files. Pure; thread-safe.
#ifndef TLSGUARD_RENEW_DELIVERY_H
#define TLSGUARD_RENEW_DELIVERY_H

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "renew/spec.h"

namespace tlsguard::renew {

inline constexpr std::size_t max_delivery_file = 256UL * 1024;
inline constexpr std::size_t max_event_text = 2048;

struct Delivery {
  std::uint64_t number = 0;  // in the outbox, from 1 on
  std::string id;            // of the event: the same for all its receivers and tries
  std::string event;         // event_name()
  std::string domain;
  UnixSeconds at = 0;  // when it happened
  std::string text;    // for people, at most max_event_text
  EventSpec to;
  std::string body;  // of a webhook
  std::uint32_t tries = 0;
  UnixSeconds next_at = 0;  // the next try
  std::string error;        // of the last try; empty: there was none
  bool begun = false;       // of a command: it may have been run
  bool operator==(const Delivery&) const = default;
};
[[nodiscard]] std::string to_json(const Delivery& delivery);
[[nodiscard]] Result<Delivery> delivery_from_json(std::string_view text);

// An event that its receiver never got.
struct DeadLetter {
  std::string id;
  std::string event;
  std::string domain;
  UnixSeconds at = 0;       // when it happened
  UnixSeconds died_at = 0;  // when it was given up
  std::string to;           // receiver_of()
  std::uint32_t tries = 0;
  std::string error;
  std::string text;
  bool operator==(const DeadLetter&) const = default;
};
[[nodiscard]] nlohmann::json to_json(const DeadLetter& letter);

// {"version", "letters"}; at most most_dead_letters.
inline constexpr char dead_letters_file[] = "dead-letters.json";
inline constexpr std::size_t max_dead_letters_file = 1024UL * 1024;
inline constexpr std::size_t most_dead_letters = 100;
[[nodiscard]] std::string to_json(const std::vector<DeadLetter>& letters);
[[nodiscard]] Result<std::vector<DeadLetter>> dead_letters_from_json(std::string_view text);

// The program of a command; scheme and host of a webhook, whose path and query may be secret.
[[nodiscard]] std::string receiver_of(const EventSpec& line);

}  // namespace tlsguard::renew

#endif
