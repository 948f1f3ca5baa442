// SPDX-License-Identifier: Apache-2.0
#include "renew/job_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "store/layout.h"
#include "store/state_file.h"

namespace tlsguard::renew {
namespace {

namespace fs = std::filesystem;
constexpr mode_t private_file = 0600;
constexpr mode_t private_directory = 0700;

}  // namespace

template <typename T, typename Parse>
Result<std::optional<T>> JobStore::read(const std::string& identity, const char* file,
                                        std::size_t limit, Parse&& parse) const {
  const std::string path = path_ + "/" + store::directory_of(identity);
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(path, ignored))) return std::nullopt;
  auto directory = store::Directory::open(path);
  if (!directory) return tl::unexpected(directory.error());
  auto content = directory->read(file, limit);
  if (!content && content.error().kind != store::torn_kind) {
    return tl::unexpected(content.error());
  }
  if (content && !*content) return std::nullopt;
  auto parsed = content ? parse(**content) : Result<T>(tl::unexpected(content.error()));
  std::string wrong = parsed ? "" : parsed.error().text;
  if (parsed && parsed->identity != identity) wrong = "it is of '" + parsed->identity + "'";
  if (wrong.empty()) return std::optional<T>(std::move(*parsed));
  auto moved = directory->set_aside(file);
  log_->write(Severity::warning, "TG0110",
              fmt::format("domain={}: {}/{} cannot be read ({}) and {}; it is made anew", identity,
                          path, file, wrong,
                          moved ? "was set aside as " + std::string(file) + ".bad"
                                : "could not be set aside: " + moved.error().text));
  return std::nullopt;
}

Result<void> JobStore::write(const std::string& identity, const char* file,
                             const std::string& content, store::Durability durability) const {
  auto directory = store::Directory::open_or_create(path_ + "/" + store::directory_of(identity),
                                                    private_directory);
  if (!directory) return tl::unexpected(directory.error());
  return directory->write(file, content, private_file, durability);
}

Result<std::optional<JobState>> JobStore::read_job(const std::string& identity) const {
  return read<JobState>(identity, job_file, max_job_file, job_state_from_json);
}

Result<void> JobStore::write_job(const JobState& state, store::Durability durability) const {
  return write(state.identity, job_file, to_json(state), durability);
}

Result<std::optional<OrderRecord>> JobStore::read_order(const std::string& identity) const {
  return read<OrderRecord>(identity, order_file, max_order_file, order_record_from_json);
}

Result<void> JobStore::write_order(const OrderRecord& order) const {
  bool has_key = std::any_of(order.parts.begin(), order.parts.end(),
                             [](const OrderPart& part) { return !part.sealed_key.empty(); });
  auto durability = has_key ? store::Durability::synced : store::Durability::quick;
  return write(order.identity, order_file, to_json(order), durability);
}

Result<std::string> JobStore::keep_rejected(const std::string& identity,
                                            const std::string& pem) const {
  constexpr char file[] = "rejected.pem";
  if (auto written = write(identity, file, pem, store::Durability::synced); !written)
    return tl::unexpected(written.error());
  return path_ + "/" + store::directory_of(identity) + "/" + file;
}

Result<void> JobStore::remove_order(const std::string& identity) const {
  auto directory = store::Directory::open(path_ + "/" + store::directory_of(identity));
  if (!directory) return tl::unexpected(directory.error());
  return directory->remove(order_file);
}

std::vector<JobState> JobStore::all_jobs() const {
  std::vector<JobState> jobs;
  std::error_code error;
  for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
    auto directory = store::Directory::open(at->path());
    if (!directory) continue;
    auto content = directory->read(job_file, max_job_file);
    if (!content || !*content) continue;
    auto state = job_state_from_json(**content);
    if (state) jobs.push_back(std::move(*state));
  }
  return jobs;
}

bool JobStore::any_order() const {
  std::error_code error;
  for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (fs::exists(at->path() / order_file, ignored)) return true;
  }
  return false;
}

bool JobStore::has_order(const std::string& identity) const {
  std::error_code ignored;
  return fs::exists(path_ + "/" + store::directory_of(identity) + "/" + order_file, ignored);
}

Result<void> JobStore::remove(const std::string& identity) const {
  auto domains = store::Directory::open(path_);
  if (!domains) return tl::unexpected(domains.error());
  return domains->remove_with_files(store::directory_of(identity));
}

}  // namespace tlsguard::renew
