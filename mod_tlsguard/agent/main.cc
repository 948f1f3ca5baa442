// SPDX-License-Identifier: Apache-2.0
// tlsguard-agent: obtains certificates, for httpd's parent that started it. It ends with SIGTERM,
// at once, whatever it is doing: every step is on disk before the next, and the next agent goes on.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>
#include <set>
#include <system_error>
#include <thread>

#include "agent/arguments.h"
#include "agent/board_view.h"
#include "agent/control_server.h"
#include "agent/list_watch.h"
#include "agent/privileges.h"
#include "agent/stderr_log.h"
#include "net/curl_client.h"
#include "renew/alert_keeper.h"
#include "renew/control.h"
#include "renew/event_runner.h"
#include "renew/manager.h"
#include "renew/spec_json.h"
#include "renew/watch.h"

namespace tlsguard::agent {
namespace {

constexpr int failed_to_start = 1;
constexpr int wrong_usage = 2;

// Whole content of an inherited memfd, which is closed.
Result<crypto::SecretBytes> take(int fd, std::size_t limit) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return fail(std::system_category().message(errno));
  auto size = static_cast<std::size_t>(facts.st_size);
  if (size > limit) return fail("there is too much of it");
  crypto::SecretBytes bytes(size);
  std::size_t done = 0;
  while (done < size) {
    auto rest = bytes.bytes().subspan(done);
    ssize_t got = ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail("it cannot be read");
    done += static_cast<std::size_t>(got);
  }
  ::close(fd);
  return bytes;
}

Result<renew::AgentSpec> take_spec(int fd) {
  constexpr std::size_t largest = std::size_t{256} << 20;
  auto text = take(fd, largest);
  if (!text) return tl::unexpected(text.error().within("configuration"));
  auto spec = renew::agent_spec_from_json(text->text());
  if (!spec) return tl::unexpected(spec.error().within("configuration"));
  return spec;
}

Result<crypto::SealingKey> take_key(int fd) {
  auto bytes = take(fd, crypto::SealingKey::size);
  if (!bytes) return tl::unexpected(bytes.error().within("sealing key"));
  return crypto::SealingKey::from_bytes(bytes->bytes());
}

Result<live::DomainBoard> take_board(int fd) {
  auto board = live::DomainBoard::attach(fd);
  if (!board) return tl::unexpected(board.error().within("board"));
  ::close(fd);
  return board;
}

renew::World world_of(const Arguments& arguments) {
  renew::World world;
  world.now = [] { return static_cast<UnixSeconds>(std::time(nullptr)); };
  world.random = [] {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) ^ device();
  };
  world.dns = arguments.dns;
  world.outside = arguments.outside;
  return world;
}

Result<void> give_away(const Arguments& arguments) {
  give_way();
  auto done = harden();
  if (done) {
    done = close_all_but(
        {arguments.spec_fd, arguments.seal_fd, arguments.board_fd, arguments.control_fd});
  }
  if (done) done = become(arguments.user, arguments.group);
  if (done) done = die_with(arguments.parent);
  return done;
}

void watch_lists(renew::Manager& manager, LogSink& log) {
  std::vector<std::string> files;
  for (const renew::ListSpec& list : manager.spec().lists) files.push_back(list.path);
  if (files.empty()) return;
  auto watch = ListWatch::open(files);
  if (!watch) {
    return log.write(Severity::warning, "TG0124",
                     "lists: changes are seen within half a minute only: " + watch.error().text);
  }
  std::thread([&manager, watching = std::move(*watch)]() mutable {
    while (watching.wait()) manager.look_at_lists();
  }).detach();
}

renew::EventRunner::Setup runner_setup(const Arguments& arguments, const renew::AgentSpec& spec,
                                       const renew::World& world) {
  renew::EventRunner::Setup setup{
      net::curl_clients(net::Peer::webhook), world.now, spec.server_name, {}};
  if (!arguments.webhook_pace.empty()) setup.pace.again = arguments.webhook_pace;
  return setup;
}

// All that is configured, so that nothing is told to whom nobody names any more.
std::vector<renew::EventSpec> event_lines_of(const renew::AgentSpec& spec) {
  std::vector<renew::EventSpec> lines;
  std::set<const renew::DomainSettings*> seen;
  auto add = [&](const std::shared_ptr<const renew::DomainSettings>& settings) {
    if (!seen.insert(settings.get()).second) return;
    lines.insert(lines.end(), settings->events.begin(), settings->events.end());
  };
  for (const auto& domain : spec.domains) add(domain.settings);
  for (const auto& list : spec.lists) add(list.settings);
  for (const auto& file : spec.static_certificates) add(file.settings);
  return lines;
}

// Of the workers that are there: one that has ended takes its trouble along.
std::uint32_t failed_loads(const live::DomainBoard& board, const std::string& identity) {
  const live::DomainSlot* slot = board.find(identity);
  std::uint32_t counted = slot != nullptr ? slot->failed_loads.load(std::memory_order_relaxed) : 0;
  if (counted == 0) return 0;
  auto workers = board.workers();
  if (workers.size() >= live::DomainBoard::max_workers) return counted;  // some have no row
  return board.failed_in(workers, board.position_of(slot));
}

// Returns only where it could not start.
Result<void> work(const Arguments& arguments, uid_t starter, StderrLog& log) {
  auto spec = take_spec(arguments.spec_fd);
  if (!spec) return tl::unexpected(spec.error());
  auto sealing = take_key(arguments.seal_fd);
  if (!sealing) return tl::unexpected(sealing.error());
  auto board = take_board(arguments.board_fd);
  if (!board) return tl::unexpected(board.error());

  renew::HttpFactories http{net::curl_clients(net::Peer::ca),
                            net::curl_clients(net::Peer::self_check)};
  renew::World world = world_of(arguments);
  renew::EventRunner runner(runner_setup(arguments, *spec, world), log);
  renew::AlertKeeper events(runner, log, world.now);
  BoardView view(*board, log);
  std::string store = spec->store_path;
  auto owned = [&, lines = event_lines_of(*spec)](const std::string& agent) {
    runner.open(agent, [&](const renew::EventSpec& line) {
      return std::find(lines.begin(), lines.end(), line) != lines.end();
    });
    events.open(agent);
  };
  std::string size = fmt::format("{} domains and {} lists in the configuration",
                                 spec->domains.size(), spec->lists.size());
  auto manager = renew::Manager::open({.spec = std::move(*spec),
                                       .sealing = *sealing,
                                       .live = view,
                                       .events = events,
                                       .log = log,
                                       .http = http,
                                       .world = world,
                                       .owned = owned});
  if (!manager) return tl::unexpected(manager.error());
  log.write(Severity::info, "TG0100",
            fmt::format("store={}: the agent is at work: {}", store, size));
  renew::Control control(**manager);
  ControlServer server(
      arguments.control_fd, starter, [&](std::string_view line) { return control.answer(line); },
      log);
  std::thread([&server] { server.serve(); }).detach();
  watch_lists(**manager, log);
  std::thread([&runner] { runner.run(); }).detach();
  renew::Watch watch(
      **manager, events,
      [&](const std::string& identity) { return failed_loads(*board, identity); },
      &runner.outbox());
  std::thread([&watch] { watch.run(); }).detach();
  (*manager)->run();
  return {};
}

int run(const std::vector<std::string>& words) {
  auto arguments = parse_arguments(words);
  if (!arguments) {
    std::string text = words.empty() ? "" : "tlsguard-agent: " + arguments.error().text + "\n\n";
    std::fputs((text + std::string(usage)).c_str(), stderr);
    return wrong_usage;
  }
  StderrLog log(arguments->least);
  uid_t starter = ::getuid();
  auto done = give_away(*arguments);
  if (done) done = work(*arguments, starter, log);
  log.write(Severity::error, "TG0130",
            "agent: it cannot work, and nothing is renewed: " +
                (done ? std::string("it has come to its end") : done.error().text));
  return failed_to_start;
}

}  // namespace
}  // namespace tlsguard::agent

int main(int argc, char** argv) {
  try {
    return tlsguard::agent::run({argv + 1, argv + argc});
  } catch (const std::exception& fault) {
    tlsguard::agent::StderrLog(tlsguard::Severity::error)
        .write(tlsguard::Severity::error, "TG0190",
               std::string("agent: an internal error: ") + fault.what() + "; please report it");
    return tlsguard::agent::failed_to_start;
  }
}
