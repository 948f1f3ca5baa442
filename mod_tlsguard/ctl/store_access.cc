// SPDX-License-Identifier: Apache-2.0
#include "ctl/store_access.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "core/descriptor.h"
#include "ctl/output.h"
#include "store/layout.h"

namespace tlsguard::ctl {
namespace {

constexpr mode_t files_of_others = 022;  // more would take the readers' group from certs/

// What a store says while it is read goes where errors go.
class Complaints : public LogSink {
 public:
  void write(Severity severity, std::string_view /*id*/, std::string_view text) override {
    if (severity <= Severity::warning) complain(text);
  }
};

const passwd* httpd_user() {
  constexpr std::array names{"www-data", "apache", "httpd", "http", "www"};
  for (const char* name : names) {
    if (const passwd* user = ::getpwnam(name)) return user;
  }
  return nullptr;
}

}  // namespace

Result<void> check_rights(const std::string& store) {
  if (::geteuid() == 0 || ::access(store.c_str(), R_OK | X_OK) == 0 || errno != EACCES) return {};
  const passwd* user = ::getpwuid(::geteuid());
  return fail(
      fmt::format("user {} may not use the store '{}': run tlsguardctl as root, or as the user "
                  "that starts httpd",
                  user != nullptr ? user->pw_name : std::to_string(::geteuid()), store));
}

StoreAccess::StoreAccess(std::string path, crypto::SealingKey key)
    : path_(std::move(path)),
      key_(std::make_unique<crypto::SealingKey>(std::move(key))),
      log_(std::make_unique<Complaints>()) {}

StoreAccess::StoreAccess(StoreAccess&& other) noexcept
    : path_(std::move(other.path_)),
      key_(std::move(other.key_)),
      log_(std::move(other.log_)),
      store_(std::move(other.store_)),
      jobs_(std::move(other.jobs_)),
      changed_(std::exchange(other.changed_, false)) {}

StoreAccess::~StoreAccess() { come_back(); }

void StoreAccess::come_back() {
  if (!std::exchange(changed_, false)) return;
  // With root as the saved user it cannot fail; nothing may go on as somebody else.
  if (::seteuid(0) != 0 || ::setegid(0) != 0) std::abort();
}

Result<void> StoreAccess::become_owner() {
  const std::string path = path_ + '/' + store::agent_directory;
  struct stat owner {};
  if (::lstat(path.c_str(), &owner) != 0) return system_failure(path);
  (void)::umask(files_of_others);
  if (::geteuid() != 0 || owner.st_uid == 0) return {};
  changed_ = true;
  if (::setgroups(1, &owner.st_gid) != 0 || ::setegid(owner.st_gid) != 0 ||
      ::seteuid(owner.st_uid) != 0) {
    return system_failure(fmt::format("cannot act as user {}", owner.st_uid));
  }
  return {};
}

Result<StoreAccess> StoreAccess::enter(const std::string& path, crypto::SealingKey key) {
  StoreAccess access(path, std::move(key));
  if (auto became = access.become_owner(); !became) return tl::unexpected(became.error());
  auto opened = renew::OpenStore::open(path, *access.key_);
  if (!opened) return tl::unexpected(opened.error());
  access.store_.emplace(std::move(*opened));
  access.jobs_.emplace(access.store_->domains_path(), *access.log_);
  return access;
}

Result<std::optional<StoreAccess>> StoreAccess::open(const std::string& path) {
  struct stat facts {};
  if (::lstat((path + '/' + store::agent_directory).c_str(), &facts) != 0) {
    if (errno != ENOENT) return system_failure(path);
    if (::lstat(path.c_str(), &facts) == 0) return std::optional<StoreAccess>();
    return fail(
        fmt::format("there is no store at '{}' (No such file or directory): --store says "
                    "where TLSGuardStore is",
                    path));
  }
  auto directory = store::Directory::open(path);
  if (!directory) return tl::unexpected(directory.error());
  auto key = store::sealing_key(*directory);
  if (!key) return tl::unexpected(key.error());
  auto access = enter(path, std::move(*key));
  if (!access) return tl::unexpected(access.error());
  return std::optional(std::move(*access));
}

Result<StoreAccess> StoreAccess::make(const std::string& path, const store::Owners& owners) {
  auto directory = store::Directory::open_or_create(path, store::store_mode);
  if (!directory) return tl::unexpected(directory.error());
  struct stat facts {};
  if (::lstat((path + '/' + store::agent_directory).c_str(), &facts) != 0) {
    auto prepared = store::prepare_directories(path, owners);
    if (!prepared) return tl::unexpected(prepared.error());
  }
  auto key = store::sealing_key(*directory);
  if (!key) return tl::unexpected(key.error());
  return enter(path, std::move(*key));
}

renew::Accounts StoreAccess::accounts() {
  return renew::Accounts(store_->take_accounts(), *key_, {}, *log_);
}

Result<void> StoreAccess::lock() {
  if (store_->own()) return {};
  const std::string agent = path_ + '/' + store::agent_directory;
  if (::faccessat(AT_FDCWD, agent.c_str(), W_OK, AT_EACCESS) != 0) {
    return system_failure("nothing can be changed in " + agent);
  }
  return fail("an agent is at work in " + path_ + ", and cannot be asked: its log says why");
}

Result<store::Owners> owners_of_new_store(const std::string& agent_user,
                                          const std::string& httpd_group) {
  store::Owners owners;
  owners.agent = ::geteuid();
  owners.agent_group = ::getegid();
  owners.readers = owners.agent_group;
  owners.shared = owners.agent == 0;
  if (!owners.shared) return owners;
  const passwd* user = ::getpwnam(agent_user.empty() ? "tlsguard" : agent_user.c_str());
  if (user == nullptr && !agent_user.empty()) {
    return fail_for_good("there is no user '" + agent_user + "'");
  }
  if (user == nullptr) user = httpd_user();
  if (user == nullptr) {
    return fail_for_good("who is the agent's user? Say --agent-user, as TLSGuardAgentUser does");
  }
  owners.agent = user->pw_uid;
  owners.agent_group = user->pw_gid;
  const group* readers = httpd_group.empty() ? nullptr : ::getgrnam(httpd_group.c_str());
  if (readers == nullptr && !httpd_group.empty()) {
    return fail_for_good("there is no group '" + httpd_group + "'");
  }
  const passwd* httpd = httpd_user();
  if (readers == nullptr && httpd == nullptr) {
    return fail_for_good("which group do httpd's workers run as? Say --httpd-group");
  }
  owners.readers = readers != nullptr ? readers->gr_gid : httpd->pw_gid;
  return owners;
}

}  // namespace tlsguard::ctl
