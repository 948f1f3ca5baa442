// SPDX-License-Identifier: Apache-2.0
#include "renew/open_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>

#include "store/layout.h"

namespace tlsguard::renew {
namespace {

using store::Directory;
constexpr mode_t private_directory = 0700;
constexpr mode_t served_directory = 02750;

}  // namespace

struct OpenStore::Parts {
  Directory agent;
  Directory accounts;
  Directory ca;
  Directory lists;
  Directory reports;
  Directory certs;
  Directory challenges;
};

// Top directories are made by httpd's parent, with the owners they should have; by us only where
// we own the store.
Result<OpenStore> OpenStore::open(const std::string& path, const crypto::SealingKey& sealing) {
  auto make = [&](const std::string& name, mode_t mode) {
    return Directory::open_or_create(path + "/" + name, mode);
  };
  const std::string own = store::agent_directory;
  auto agent = make(own, private_directory);
  if (!agent) return tl::unexpected(agent.error());
  auto accounts = make(own + "/accounts", private_directory);
  if (!accounts) return tl::unexpected(accounts.error());
  auto ca = make(own + "/ca", private_directory);
  if (!ca) return tl::unexpected(ca.error());
  auto lists = make(own + "/lists", private_directory);
  if (!lists) return tl::unexpected(lists.error());
  auto reports = make(store::reports_directory, served_directory);
  if (!reports) return tl::unexpected(reports.error());
  auto domains = make(own + "/domains", private_directory);
  if (!domains) return tl::unexpected(domains.error());
  auto certs = make(store::certs_directory, served_directory);
  if (!certs) return tl::unexpected(certs.error());
  auto challenges = make(store::challenges_directory, served_directory);
  if (!challenges) return tl::unexpected(challenges.error());
  return OpenStore(Parts{std::move(*agent), std::move(*accounts), std::move(*ca), std::move(*lists),
                         std::move(*reports), std::move(*certs), std::move(*challenges)},
                   sealing);
}

OpenStore::OpenStore(Parts parts, const crypto::SealingKey& sealing)
    : agent_(std::move(parts.agent)),
      accounts_(std::move(parts.accounts)),
      ca_(std::move(parts.ca)),
      lists_(std::move(parts.lists)),
      reports_(std::move(parts.reports)),
      certificates_(std::move(parts.certs), sealing),
      challenges_(std::move(parts.challenges)) {}

OpenStore::OpenStore(OpenStore&& other) noexcept
    : agent_(std::move(other.agent_)),
      accounts_(std::move(other.accounts_)),
      ca_(std::move(other.ca_)),
      lists_(std::move(other.lists_)),
      reports_(std::move(other.reports_)),
      certificates_(std::move(other.certificates_)),
      challenges_(std::move(other.challenges_)),
      lock_(std::exchange(other.lock_, -1)),
      owned_(other.owned_.exchange(false)) {}

OpenStore::~OpenStore() {
  if (lock_ >= 0) ::close(lock_);
}

bool OpenStore::own() {
  if (owned_) return true;
  if (lock_ < 0) {
    std::string path = agent_.path() + "/lock";
    lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  }
  owned_ = lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) == 0;
  return owned_;
}

}  // namespace tlsguard::renew
