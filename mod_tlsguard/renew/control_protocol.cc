// SPDX-License-Identifier: Apache-2.0
#include "renew/control_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/text.h"
#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr JsonBounds request_bounds{max_control_request, 2};
constexpr JsonBounds reply_bounds{max_control_reply, 12};
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_url = 2048;

constexpr std::array<std::string_view, 12> commands{"status",  "renew",        "hold",
                                                    "resume",  "rollback",     "revoke",
                                                    "look",    "account show", "account rollover",
                                                    "ca root", "store gc",     "events"};

struct Reason {
  std::string_view name;
  int number;
};
constexpr std::array<Reason, 6> reasons{{{"unspecified", 0},
                                         {"keyCompromise", 1},
                                         {"affiliationChanged", 3},
                                         {"superseded", 4},
                                         {"cessationOfOperation", 5},
                                         {"privilegeWithdrawn", 9}}};

template <typename List, typename Name>
std::string listed(const List& list, Name&& name) {
  std::string text;
  for (const auto& each : list) text += (text.empty() ? "" : ", ") + std::string(name(each));
  return text;
}

bool wants_domain(ControlCommand command) {
  return command >= ControlCommand::renew && command <= ControlCommand::look;
}

}  // namespace

std::string_view control_command_name(ControlCommand command) {
  return commands.at(static_cast<std::size_t>(command));
}

Result<int> parse_revocation_reason(std::string_view text) {
  int number = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool is_number = error == std::errc() && end == text.data() + text.size();
  for (const Reason& reason : reasons) {
    if (is_number ? reason.number == number : equal_ignoring_case(reason.name, text)) {
      return reason.number;
    }
  }
  return fail_for_good(fmt::format("'{}' is no reason to revoke: valid are {}", text,
                                   listed(reasons, [](const Reason& r) { return r.name; })));
}

Result<ControlRequest> parse_control_request(std::string_view line) {
  auto parsed = parse_object(line, request_bounds);
  if (!parsed) return fail_for_good("this is no request: " + parsed.error().text);
  Members members(*parsed, "request");
  std::string command;
  ControlRequest request;
  members.text("command", command, longest_name);
  members.optional_text("domain", request.domain, longest_name);
  members.optional_text("ca", request.ca, longest_url);
  std::string reason;
  members.optional_text("reason", reason, longest_name);
  if (members.error()) return tl::unexpected(*members.error());
  const auto* found = std::find(commands.begin(), commands.end(), command);
  if (found == commands.end()) {
    return fail_for_good("this is no command: valid are " +
                         listed(commands, [](std::string_view name) { return name; }));
  }
  request.command = static_cast<ControlCommand>(found - commands.begin());
  request.domain = to_lower(request.domain);
  if (request.domain.empty() && wants_domain(request.command)) {
    return fail_for_good("'" + command + "' needs a domain: its first name");
  }
  if (!reason.empty()) {
    auto number = parse_revocation_reason(reason);
    if (!number) return tl::unexpected(number.error());
    request.reason = *number;
  }
  return request;
}

std::string to_line(const ControlRequest& request) {
  Json json{{"command", control_command_name(request.command)}};
  if (!request.domain.empty()) json["domain"] = request.domain;
  if (!request.ca.empty()) json["ca"] = request.ca;
  if (request.reason) json["reason"] = std::to_string(*request.reason);
  return dump(json) + "\n";
}

std::string ok_reply(const nlohmann::json& result) {
  return dump({{"ok", true}, {"result", result}}) + "\n";
}

std::string error_reply(const std::string& text) {
  return dump({{"ok", false}, {"error", text}}) + "\n";
}

Result<nlohmann::json> parse_control_reply(std::string_view line) {
  auto parsed = parse_object(line, reply_bounds);
  if (!parsed) return fail("the agent's reply cannot be read: " + parsed.error().text);
  Members members(*parsed, "reply");
  bool ok = false;
  members.flag("ok", ok);
  std::string error;
  if (!ok && !members.error()) members.text("error", error, 64UL * 1024);
  const Json* result = ok ? members.find("result") : nullptr;
  if (members.error()) return tl::unexpected(*members.error());
  if (result == nullptr) return fail(error);
  return *result;
}

}  // namespace tlsguard::renew
