// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_export.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "core/descriptor.h"
#include "core/text.h"
#include "ctl/output.h"
#include "ctl/progress.h"
#include "ctl/store_access.h"

namespace tlsguard::ctl {
namespace {

using nlohmann::json;
constexpr mode_t private_file = 0600;
constexpr mode_t public_file = 0644;

struct Live {
  store::Current current;
  store::Version version;
};

enum class Outcome { written, unchanged, nothing_live };
// What is live, or why there is nothing to write.
using Found = std::variant<Live, Outcome>;

// known: what was written last. Acts as the store's owner until it returns.
Result<Found> read_live(const ExportOptions& options, const std::optional<store::Current>& known) {
  const std::string domain = to_lower(options.domain);
  Progress progress("export");
  auto access = StoreAccess::open(options.store);
  if (!access) return tl::unexpected(access.error());
  if (!*access) return Found(Outcome::nothing_live);
  auto current = (*access)->certificates().current(domain);
  if (!current) return tl::unexpected(current.error());
  if (!*current) return Found(Outcome::nothing_live);
  bool same =
      known && known->generation == (*current)->generation && known->version == (*current)->version;
  if (same) return Found(Outcome::unchanged);
  auto version = (*access)->certificates().load(domain, (*current)->version);
  if (!version) return tl::unexpected(version.error());
  return Found(Live{**current, std::move(*version)});
}

Result<std::vector<std::string>> write_files(const std::string& directory,
                                             const store::Version& version) {
  auto target = store::Directory::open(directory);
  if (!target) return tl::unexpected(target.error());
  std::vector<std::string> files;
  std::string suffix;
  for (const store::StoredKeyPair& pair : version.pairs) {
    auto key = crypto::key_from_der(pair.type, pair.key_der.bytes());
    if (!key) return tl::unexpected(key.error());
    auto pem = crypto::key_to_pem(key->get());
    if (!pem) return tl::unexpected(pem.error());
    if (!files.empty()) suffix = "." + std::string(crypto::key_type_name(pair.type));
    files.push_back("privkey" + suffix + ".pem");
    auto written = target->write(files.back(), pem->text(), private_file);
    if (!written) return tl::unexpected(written.error());
    files.push_back("fullchain" + suffix + ".pem");
    written = target->write(files.back(), pair.chain_pem, public_file);
    if (!written) return tl::unexpected(written.error());
  }
  return files;
}

Result<void> run(const std::string& command) {
  const std::string shell = "/bin/sh";
  std::string flag = "-c";
  std::string text = command;
  std::string name = "sh";
  char* arguments[] = {name.data(), flag.data(), text.data(), nullptr};
  pid_t child = 0;
  int failed = ::posix_spawn(&child, shell.c_str(), nullptr, nullptr, arguments, environ);
  if (failed != 0) return system_failure(shell, failed);
  int ended = 0;
  while (::waitpid(child, &ended, 0) < 0) {
    if (errno != EINTR) return system_failure("waitpid");
  }
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return {};
  return fail(fmt::format("the command failed: {}", command));
}

Result<Outcome> export_once(const ExportOptions& options, std::optional<store::Current>& known) {
  auto found = read_live(options, known);
  if (!found) return tl::unexpected(found.error());
  if (const auto* nothing = std::get_if<Outcome>(&*found)) return *nothing;
  const Live& live = std::get<Live>(*found);
  auto files = write_files(options.directory, live.version);
  if (!files) return tl::unexpected(files.error());
  known = live.current;
  if (options.json) {
    print_json({{"domain", options.domain},
                {"version", live.version.number},
                {"directory", options.directory},
                {"files", *files}});
  } else {
    print(fmt::format("{}: version {} is in {}: {}\n", printable(options.domain),
                      live.version.number, printable(options.directory), join(*files, " ")));
  }
  (void)std::fflush(stdout);  // before the command prints anything
  if (options.command.empty()) return Outcome::written;
  auto ran = run(options.command);
  if (!ran) return tl::unexpected(ran.error());
  return Outcome::written;
}

// Whoever watches is told of a failure, once while it lasts, and goes on: the next version may do.
// What was wrong from the beginning, such as a directory that is not there, is not waited for.
int watch(const ExportOptions& options) {
  auto target = store::Directory::open(options.directory);
  if (!target) return trouble(target.error());
  std::optional<store::Current> known;
  std::string said;
  bool waits = false;
  for (;;) {
    auto done = export_once(options, known);
    if (!done) {
      bool at_first = !known && !waits;
      if (at_first || done.error().text != said) (void)trouble(done.error());
      if (at_first) return exit_trouble;
    } else if (*done == Outcome::nothing_live && !waits) {
      complain(fmt::format("'{}' has no certificate in the store {} yet: waiting for one",
                           options.domain, options.store));
      waits = true;
    }
    said = done ? "" : done.error().text;
    (void)std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace

int export_domain(const ExportOptions& options) {
  if (options.watch) return watch(options);
  std::optional<store::Current> known;
  auto done = export_once(options, known);
  if (!done) return trouble(done.error());
  if (*done == Outcome::written) return exit_fine;
  return trouble(Error{fmt::format("'{}' has no certificate in the store {}",
                                   to_lower(options.domain), options.store)});
}

}  // namespace tlsguard::ctl
