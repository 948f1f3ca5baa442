// SPDX-License-Identifier: Apache-2.0
#include "renew/dns_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "acme/plain_text.h"
#include "renew/command.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t shown_in_log = 1000;
constexpr std::size_t shown_in_error = 200;

std::string_view word(DnsAction action) {
  return action == DnsAction::setup ? "setup" : "teardown";
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// Arguments and, of "--token=abc", what follows the '='. The longest first: one may be in another.
std::vector<std::string> secrets_of(const std::vector<std::string>& command) {
  constexpr std::size_t shortest = 4;  // what is shorter is no secret, and would tear words apart
  std::vector<std::string> secrets;
  for (std::size_t i = 1; i < command.size(); ++i) {
    const std::string& argument = command[i];
    auto equals = argument.find('=');
    if (equals != std::string::npos) secrets.push_back(argument.substr(equals + 1));
    secrets.push_back(argument);
  }
  std::erase_if(secrets, [](const std::string& secret) { return secret.size() < shortest; });
  std::sort(secrets.begin(), secrets.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return secrets;
}

// One line, its end where it is too long: a reason for failing comes last.
std::string legible(std::string output, const std::vector<std::string>& command,
                    std::size_t longest) {
  for (const std::string& secret : secrets_of(command)) replace_all(output, secret, "***");
  while (!output.empty() && (output.back() == '\n' || output.back() == ' ')) output.pop_back();
  replace_all(output, "\n", " | ");
  if (output.size() > longest) output.erase(0, output.size() - longest);
  return acme::plain_text(output, longest);
}

}  // namespace

Result<void> run_dns_command(const std::vector<std::string>& command, const DnsRecordChange& change,
                             LogSink& log, const net::Patience& patience) {
  std::vector<std::string> argv = command;
  argv.insert(argv.end(), {std::string(word(change.action)), change.record, change.value});
  std::string what = fmt::format("{} {} {}", argv.front(), word(change.action), change.record);
  std::string subject = fmt::format("record={}: ", change.record);
  auto end = run_command(argv, patience);
  if (!end) {
    log.write(Severity::warning, "TG0151",
              fmt::format("{}TLSGuardDNSCommand {}: {}", subject, what, end.error().text));
    return tl::unexpected(end.error().within("TLSGuardDNSCommand " + what));
  }
  std::string said = legible(end->output, command, shown_in_log);
  if (end->succeeded()) {
    log.write(Severity::debug, "TG0150",
              fmt::format("{}TLSGuardDNSCommand {} is done; it said: {}", subject, what, said));
    return {};
  }
  log.write(
      Severity::warning, "TG0151",
      fmt::format("{}TLSGuardDNSCommand {} {}; it said: {}", subject, what, end->text(), said));
  std::string last = legible(std::move(end->output), command, shown_in_error);
  return fail(fmt::format("TLSGuardDNSCommand {} {}{}{}", what, end->text(),
                          last.empty() ? "" : ": ", last));
}

}  // namespace tlsguard::renew
