// SPDX-License-Identifier: Apache-2.0
#include "agent/arguments.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>
#include <map>

#include "core/text.h"

namespace tlsguard::agent {
namespace {

using Value = const std::string&;
using Reader = std::function<bool(Arguments&, Value)>;

template <typename Int>
bool number(std::string_view text, Int& out, Int least = 0) {
  Int read = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (error != std::errc() || end != text.data() + text.size() || read < least) return false;
  out = read;
  return true;
}

// 0 to 2 are not handed over, and what is closed cannot be meant.
Reader descriptor(int Arguments::*member) {
  return
      [member](Arguments& arguments, Value value) { return number(value, arguments.*member, 3); };
}

bool log_level(Arguments& arguments, Value value) {
  constexpr std::array<std::pair<std::string_view, Severity>, 5> levels{
      {{"error", Severity::error},
       {"warn", Severity::warning},
       {"notice", Severity::notice},
       {"info", Severity::info},
       {"debug", Severity::debug}}};
  for (auto [name, severity] : levels) {
    if (value == name) arguments.least = severity;
    if (value == name) return true;
  }
  return false;
}

bool resolver(Arguments& arguments, Value value) {
  auto colon = value.rfind(':');
  if (colon == std::string::npos) return false;
  net::DnsServer server{value.substr(0, colon), 53};
  if (!number<std::uint16_t>(std::string_view(value).substr(colon + 1), server.port, 1)) {
    return false;
  }
  arguments.dns.resolvers.push_back(std::move(server));
  return true;
}

// "1,1,2"
bool webhook_pace(Arguments& arguments, Value value) {
  std::vector<std::string> parts = split(value, ",");
  return !parts.empty() && std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
    return number(part, arguments.webhook_pace.emplace_back(), std::int64_t{1});
  });
}

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> all{
      {"--spec-fd", descriptor(&Arguments::spec_fd)},
      {"--seal-fd", descriptor(&Arguments::seal_fd)},
      {"--board-fd", descriptor(&Arguments::board_fd)},
      {"--control-fd", descriptor(&Arguments::control_fd)},
      {"--user", [](Arguments& a, Value v) { return number(v, a.user); }},
      {"--group", [](Arguments& a, Value v) { return number(v, a.group); }},
      {"--parent", [](Arguments& a, Value v) { return number(v, a.parent.emplace(), 1); }},
      {"--log-level", log_level},
      {"--outside-http", [](Arguments& a, Value v) { return number(v, a.outside.http); }},
      {"--outside-https", [](Arguments& a, Value v) { return number(v, a.outside.https); }},
      {"--dns", resolver},
      {"--webhook-pace", webhook_pace},
      {"--dns-zone-port", [](Arguments& a, Value v) { return number(v, a.dns.zone_port); }}};
  return all;
}

}  // namespace

const std::string_view usage =
    "tlsguard-agent is a part of mod_tlsguard: httpd starts it, with what it needs, where\n"
    "TLSGuardDomain is in the configuration. It does nothing by hand; see tlsguardctl(8).\n"
    "\n"
    "  tlsguard-agent --spec-fd N --seal-fd N --board-fd N --control-fd N --user UID\n"
    "                 --group GID [--parent PID] [--log-level LEVEL]\n"
    "\n"
    "For tests: [--dns ADDRESS:PORT] [--dns-zone-port PORT] [--outside-http PORT]\n"
    "           [--outside-https PORT] [--webhook-pace SECONDS,…]\n";

Result<Arguments> parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    auto reader = readers().find(words[i]);
    if (reader == readers().end()) return fail("'" + words[i] + "' is no option");
    if (i + 1 == words.size()) return fail("'" + words[i] + "' needs a value");
    if (!reader->second(arguments, words[i + 1])) {
      return fail("'" + words[i + 1] + "' is no value for " + words[i]);
    }
  }
  std::array<int, 4> fds{arguments.spec_fd, arguments.seal_fd, arguments.board_fd,
                         arguments.control_fd};
  for (std::size_t i = 0; i < fds.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (fds.at(i) >= 0 && fds.at(i) == fds.at(j)) return fail("a descriptor is named twice");
    }
    if (fds.at(i) < 0) {
      return fail("one of --spec-fd, --seal-fd, --board-fd and --control-fd is missing");
    }
  }
  return arguments;
}

}  // namespace tlsguard::agent
