// SPDX-License-Identifier: Apache-2.0
// What tlsguardctl and the agent say to each other over the control socket: one JSON object a line,
// a request and its reply. Either side takes whatever comes as untrusted. Pure; thread-safe.
//
//   {"command":"status"}                      all domains, in short
//   {"command":"status","domain":"x"}         one, with its history
//   {"command":"renew","domain":"x"}          now, whatever the schedule says
//   {"command":"hold"|"resume","domain":"x"}
//   {"command":"rollback","domain":"x"}       the version before goes live
//   {"command":"revoke","domain":"x","reason":"keyCompromise"}   reason: may be missing
//   {"command":"account show"}
//   {"command":"account rollover","ca":"letsencrypt"}            ca: name or URL; missing: all
//   {"command":"ca root"}
//   {"command":"look","domain":"x"}           the store was changed from outside
//   {"command":"store gc"}                    deletes what nobody serves any more
// Replies: {"ok":true,"result":{…}} or {"ok":false,"error":"…"}.
#ifndef TLSGUARD_RENEW_CONTROL_PROTOCOL_H
#define TLSGUARD_RENEW_CONTROL_PROTOCOL_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tlsguard::renew {

inline constexpr std::size_t max_control_request = 4096;  // the end of the line included
inline constexpr std::size_t max_control_reply = 256UL * 1024 * 1024;
// The error of whom there is no room for; it comes before any request is read.
inline constexpr char too_many_clients[] = "too many clients: try again in a moment";

enum class ControlCommand : std::uint8_t {
  status,
  renew,
  hold,
  resume,
  rollback,
  revoke,
  look,
  account_show,
  account_rollover,
  ca_root,
  store_gc,
  events,
};
[[nodiscard]] std::string_view control_command_name(ControlCommand command);

struct ControlRequest {
  ControlCommand command = ControlCommand::status;
  std::string domain = {};         // lower case; empty: none was named
  std::string ca = {};             // of account_rollover
  std::optional<int> reason = {};  // of revoke: RFC 5280 5.3.1
  bool operator==(const ControlRequest&) const = default;
};

// line: without its end. The error is one line, and says what would be valid.
[[nodiscard]] Result<ControlRequest> parse_control_request(std::string_view line);
[[nodiscard]] std::string to_line(const ControlRequest& request);  // with its end

// With the end of the line.
[[nodiscard]] std::string ok_reply(const nlohmann::json& result);
[[nodiscard]] std::string error_reply(const std::string& text);
// The result; an error is the agent's, or says that the line is no reply.
[[nodiscard]] Result<nlohmann::json> parse_control_reply(std::string_view line);

// "keyCompromise" … or the number; what a CA takes from a subscriber (RFC 5280 5.3.1).
[[nodiscard]] Result<int> parse_revocation_reason(std::string_view text);

}  // namespace tlsguard::renew

#endif
