// SPDX-License-Identifier: Apache-2.0
#include "httpd/live_domains.h"

#include "core/text.h"
#include "httpd/log.h"
#include "store/layout.h"

namespace tlsguard::httpd {

namespace {

constexpr UnixSeconds recheck = 10;

int level_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return APLOG_ERR;
    case Severity::warning:
      return APLOG_WARNING;
    case Severity::notice:
      return APLOG_NOTICE;
    case Severity::info:
      return APLOG_INFO;
    case Severity::debug:
      break;
  }
  return APLOG_DEBUG;
}

UnixSeconds now() { return apr_time_sec(apr_time_now()); }

}  // namespace

void ErrorLog::write(Severity severity, std::string_view id, std::string_view text) {
  log_server(server_, level_of(severity), std::string(id).c_str(), "{}", text);
}

Result<void> LiveDomains::use_store(const std::string& path, uid_t agent, crypto::SealingKey key,
                                    bool renewed_by_others) {
  auto certs = store::Directory::open(path + '/' + store::certs_directory, store::any_owner);
  if (!certs) return tl::unexpected(certs.error());
  key_ = std::move(key);
  certificates_.emplace(std::move(*certs), *key_);
  credentials_ = std::make_unique<live::Credentials>(board_, *certificates_, log_, now,
                                                     renewed_by_others ? recheck : 0);
  auto challenges = store::Directory::open(path + '/' + store::challenges_directory, agent);
  if (!challenges) return tl::unexpected(challenges.error());
  challenges_.emplace(std::move(*challenges));
  // Of an older release there are none; the status page says so.
  auto reports = store::Directory::open(path + '/' + store::reports_directory, agent);
  if (reports) reports_.emplace(std::move(*reports));
  return {};
}

Result<std::optional<std::string>> LiveDomains::report(const std::string& file,
                                                       std::size_t limit) const {
  if (!reports_) return fail("the store has no directory for them that can be read");
  return reports_->read(file, limit);
}

void LiveDomains::begin_worker(pid_t pid) const {
  if (credentials_ != nullptr) {
    credentials_->use_row(board_.claim_row(static_cast<std::uint32_t>(pid)));
  }
}

void LiveDomains::end_worker(pid_t pid) const { board_.free_row(static_cast<std::uint32_t>(pid)); }

void LiveDomains::hold(std::string_view identity) const {
  live::DomainSlot* slot = board_.find(identity);
  if (credentials_ != nullptr && slot != nullptr) (void)credentials_->find(*slot, identity);
}

live::LivePtr LiveDomains::find(const ManagedDomain& domain) const {
  if (credentials_ == nullptr || domain.slot == nullptr) return nullptr;
  return credentials_->find(*domain.slot, domain.identity);
}

live::DomainSlot* LiveDomains::listed(const ManagedHost& host, std::string_view asked) const {
  std::string name = to_lower(asked);
  for (const ManagedList* list : host.lists) {
    auto key = board_.domain_for(list->id, name);
    live::DomainSlot* slot = key ? board_.find_key(*key) : nullptr;
    if (slot != nullptr) return slot;
  }
  return nullptr;
}

bool LiveDomains::lists_name(const ManagedHost& host, std::string_view asked) const {
  return !host.lists.empty() && listed(host, asked) != nullptr;
}

// The board led there, and anybody may have written it: only a certificate for this very name.
live::LivePtr LiveDomains::find_listed(live::DomainSlot& slot, std::string_view asked) const {
  if (credentials_ == nullptr) return nullptr;
  live::LivePtr live = credentials_->find(slot, slot.identity());
  return live != nullptr && live->covers(to_lower(asked)) ? live : nullptr;
}

live::LivePtr LiveDomains::choose(const ManagedHost& host, const ManagedDomains& domains,
                                  std::string_view asked, std::string_view local_address) const {
  if (!host.any()) return nullptr;
  std::string_view name = !asked.empty() ? asked : local_address;
  if (const ManagedDomain* domain = domains.find(name);
      domain != nullptr && host.may_serve(*domain)) {
    return find(*domain);
  }
  if (host.lists.empty()) return host.otherwise != nullptr ? find(*host.otherwise) : nullptr;
  if (live::DomainSlot* slot = listed(host, name)) return find_listed(*slot, name);
  if (host.otherwise != nullptr) return find(*host.otherwise);
  live::DomainSlot* slot = listed(host, host.server_name);
  return slot != nullptr ? find_listed(*slot, host.server_name) : nullptr;
}

std::optional<std::string> LiveDomains::http_challenge(std::string_view token,
                                                       std::string_view name) const {
  if (!challenges_ || !store::is_token(token)) return std::nullopt;
  auto challenge = challenges_->http(token);
  if (!challenge || !*challenge || !equal_ignoring_case((*challenge)->name, name)) {
    return std::nullopt;
  }
  return std::move((*challenge)->key_authorization);
}

std::unique_ptr<crypto::KeyAndCertificate> LiveDomains::alpn_challenge(
    std::string_view server_name) const {
  if (!challenges_ || server_name.empty()) return nullptr;
  auto pem = challenges_->alpn(to_lower(server_name));
  if (!pem || !*pem) return nullptr;
  auto pair = crypto::key_and_certificate_from_pem(**pem);
  if (!pair) return nullptr;
  return std::make_unique<crypto::KeyAndCertificate>(std::move(*pair));
}

}  // namespace tlsguard::httpd
