// SPDX-License-Identifier: Apache-2.0
#include "renew/list_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "renew/spec_names.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t most_reports = 10;  // of bad lines, at each change

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1000000000 + time.tv_nsec;
}

Result<std::string> content_of(const std::string& path, std::size_t size) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(std::generic_category().message(errno));
  std::string content(std::min(size, max_list_bytes), '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad()) return fail("reading failed");
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

}  // namespace

ListKeeper::ListKeeper(const AgentSpec& spec, store::Directory kept, LogSink& log)
    : spec_(spec), kept_(std::move(kept)), log_(log) {
  for (const ListSpec& list : spec.lists) files_.push_back(File{&list, {}, false, {}});
}

std::vector<std::string> ListKeeper::paths() const {
  std::vector<std::string> paths;
  for (const File& file : files_) paths.push_back(file.spec->path);
  return paths;
}

std::optional<ListKeeper::Stamp> ListKeeper::stamp_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return Stamp{facts.st_dev, facts.st_ino, facts.st_size, nanoseconds(facts.st_mtim),
               nanoseconds(facts.st_ctim)};
}

std::string ListKeeper::kept_name(const File& file) const {
  return fmt::format("{:08x}.list", file.spec->id);
}

void ListKeeper::take(File& file, const std::string& content, bool fresh) {
  DomainList list = parse_domain_list(content);
  file.lines.clear();
  for (ListLine& line : list.lines) file.lines.push_back(std::move(line.names));
  if (!fresh) return;
  for (std::size_t i = 0; i < std::min(list.bad.size(), most_reports); ++i) {
    log_.write(Severity::warning, "TG0120",
               fmt::format("list={}: line {} is skipped: {}", file.spec->path, list.bad[i].number,
                           list.bad[i].why));
  }
  if (list.bad.size() > most_reports) {
    log_.write(Severity::warning, "TG0120",
               fmt::format("list={}: {} more lines are skipped", file.spec->path,
                           list.bad.size() - most_reports));
  }
}

// false: nothing has changed.
bool ListKeeper::read(File& file) {
  auto stamp = stamp_of(file.spec->path);
  if (file.looked && stamp == file.stamp) return false;
  bool first = !file.looked;
  file.looked = true;
  file.stamp = stamp;
  std::string why = stamp ? "" : "it is missing, or no regular file";
  if (stamp && stamp->size > static_cast<std::int64_t>(max_list_bytes)) why = "it is too large";
  Result<std::string> content = fail(why);
  if (why.empty()) content = content_of(file.spec->path, static_cast<std::size_t>(stamp->size));
  if (content) {
    take(file, *content, /*fresh=*/true);
    if (auto kept = kept_.write(kept_name(file), *content, 0600); !kept) {
      log_.write(Severity::warning, "TG0122",
                 fmt::format("list={}: no copy of it could be kept: {}", file.spec->path,
                             kept.error().text));
    }
    return true;
  }
  log_.write(Severity::error, "TG0121",
             fmt::format("list={}: it cannot be read ({}); its last content holds", file.spec->path,
                         content.error().text));
  if (!first) return false;
  auto kept = kept_.read(kept_name(file), max_list_bytes);
  if (kept && *kept) take(file, **kept, /*fresh=*/false);
  return true;
}

std::optional<std::vector<ListedDomain>> ListKeeper::changed() {
  bool any = false;
  for (File& file : files_) any = read(file) || any;
  if (!any) return std::nullopt;
  std::unordered_map<std::string, std::string> owners;  // name -> who has it
  for (const DomainSpec& domain : spec_.domains) {
    for (const std::string& name : domain.names) owners.emplace(name, "the configuration");
  }
  std::vector<ListedDomain> domains;
  for (const File& file : files_) {
    for (const auto& names : file.lines) {
      auto taken = std::find_if(names.begin(), names.end(),
                                [&](const std::string& name) { return owners.contains(name); });
      if (taken != names.end()) {
        log_.write(Severity::warning, "TG0120",
                   fmt::format("list={}: '{}' is skipped: '{}' is in {}, too", file.spec->path,
                               names.front(), *taken, owners[*taken]));
        continue;
      }
      for (const std::string& name : names) owners.emplace(name, file.spec->path);
      domains.push_back({{names.front(), names, file.spec->settings}, file.spec->id});
    }
  }
  return domains;
}

}  // namespace tlsguard::renew
