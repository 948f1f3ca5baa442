// SPDX-License-Identifier: Apache-2.0
#include "httpd/domain_parent.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "httpd/agent_spec.h"
#include "httpd/conf_of.h"
#include "httpd/list_file.h"
#include "httpd/log.h"
#include "httpd/static_certificates.h"
#include "renew/spec_json.h"
#include "store/layout.h"

namespace tlsguard::httpd {

namespace {

// Of a directory; nullopt: there is none.
std::optional<uid_t> owner_of(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return std::nullopt;
  return facts.st_uid;
}

// Whether httpd's user and group, as which workers run, may look into a directory; true where there
// is none. For a parent that may more.
bool is_open_to_workers(const std::string& path) {
  struct stat facts {};
  if (::geteuid() != 0 || ::lstat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    return true;
  }
  mode_t needed = S_IROTH | S_IXOTH;
  if (facts.st_uid == ap_unixd_config.user_id) {
    needed = S_IRUSR | S_IXUSR;
  } else if (facts.st_gid == ap_unixd_config.group_id) {
    needed = S_IRGRP | S_IXGRP;
  }
  return (facts.st_mode & needed) == needed;
}

// Of workers that go now. slot: nullptr where there was no room.
void forget_failed_loads(live::DomainSlot* slot) {
  if (slot != nullptr) slot->failed_loads.store(0, std::memory_order_relaxed);
}

// LogLevel tlsguard:… of the server.
const char* log_level_of(const server_rec* s) {
  constexpr std::pair<int, const char*> levels[] = {{APLOG_DEBUG, "debug"},
                                                    {APLOG_INFO, "info"},
                                                    {APLOG_NOTICE, "notice"},
                                                    {APLOG_WARNING, "warn"}};
  for (auto [level, name] : levels) {
    if (APLOG_IS_LEVEL(s, level)) return name;
  }
  return "error";
}

}  // namespace

void DomainParent::start(const store::Directory* store) {
  runtime_.live = std::make_unique<LiveDomains>(base_);
  make_board();
  if (store != nullptr) {
    open_store(*store);
  } else {
    open_foreign_store();
  }
  runtime_.live->board().set_passive(passive_);
  if (usable_ && !passive_) start_agent();
}

void DomainParent::make_board() {
  auto board = live::DomainBoard::keep(anchor_.board);
  if (!board) {
    log_server(base_, APLOG_ERR, "TG0068", "store={}: {}; no managed certificate is served",
               runtime_.store_path, board.error().text);
    return;
  }
  runtime_.live->use_board(*board);
  board->begin_epoch();
  bool full = false;
  for (const auto& domain : runtime_.domains.domains()) {
    domain->slot = board->declare(domain->identity);
    full |= domain->slot == nullptr;
    forget_failed_loads(domain->slot);
  }
  claim_lists(*board);
  if (full) {
    log_server(base_, APLOG_ERR, "TG0068",
               "store={}: there is no room for all managed domains; a restart gives it back",
               runtime_.store_path);
  }
}

// So that the first client of a name need not wait for the agent.
void DomainParent::claim_lists(const live::DomainBoard& board) {
  for (const auto& list : runtime_.domains.lists()) {
    auto read = read_list(list->path);
    if (!read) continue;  // judged already; the agent says what becomes of it
    for (const renew::ListLine& line : read->lines) {
      const std::string& identity = line.names.front();
      live::DomainSlot* slot = board.declare(identity);
      forget_failed_loads(slot);
      bool taken = slot != nullptr;
      for (const std::string& name : line.names) taken &= board.put_name(list->id, name, identity);
      if (taken) continue;
      log_server(base_, APLOG_ERR, "TG0068",
                 "list={}: there is no room for its names from line {} on", list->path,
                 line.number);
      break;
    }
  }
}

void DomainParent::complain(const Error& error) {
  usable_ = false;
  log_server(base_, APLOG_ERR, "TG0069",
             "store={}: {}; what is there is served, nothing is obtained or renewed",
             runtime_.store_path, error.text);
}

void DomainParent::prepare() {
  const AgentConf& agent = runtime_.agent;
  gid_t readers = agent.as_root ? ap_unixd_config.group_id : agent.gid;
  auto ready = store::prepare_directories(runtime_.store_path,
                                          {agent.uid, agent.gid, readers, agent.as_root});
  if (!ready) complain(ready.error());
}

void DomainParent::open_store(const store::Directory& store) {
  usable_ = true;
  auto locked = store::take_lock(anchor_.lock, runtime_.store_path);
  passive_ = locked && !anchor_.lock.held;
  if (!locked) {
    complain(locked.error());
  } else if (passive_) {
    log_server(base_, APLOG_NOTICE, "TG0070",
               "store={}: another server uses it: its certificates are served here, too, and "
               "nothing is ordered{}",
               runtime_.store_path,
               runtime_.watching ? "; nobody watches this server's certificate files: give it a "
                                   "TLSGuardStore of its own"
                                 : "");
  } else {
    prepare();
  }
  auto key = store::sealing_key(store);
  if (!key) return complain(key.error());
  serve_from_store(std::move(*key));
}

// Nothing is written to it, but what is in it is served as before, over reloads and restarts, too.
void DomainParent::open_foreign_store() {
  usable_ = false;
  if (auto ours = store::Directory::open(runtime_.store_path); !ours) complain(ours.error());
  auto store = store::Directory::open(runtime_.store_path, store::any_owner);
  if (!store) return;
  auto key = store::existing_sealing_key(*store);
  if (!key) return complain(key.error());
  if (*key) serve_from_store(std::move(**key));
}

void DomainParent::serve_from_store(crypto::SealingKey key) {
  // Of another server's agent, perhaps.
  auto owner = owner_of(runtime_.store_path + '/' + store::certs_directory);
  auto used = runtime_.live->use_store(runtime_.store_path, owner.value_or(runtime_.agent.uid),
                                       std::move(key), passive_);
  if (!used) complain(used.error());
  hold_what_workers_cannot_read();
}

void DomainParent::hold_what_workers_cannot_read() {
  const std::string certs = runtime_.store_path + '/' + store::certs_directory;
  const bool none_open = !is_open_to_workers(certs);
  std::vector<std::string> closed;
  for (const auto& domain : runtime_.domains.domains()) {
    std::string directory = certs + '/' + store::directory_of(domain->identity);
    if (!none_open && is_open_to_workers(directory)) continue;
    runtime_.live->hold(domain->identity);
    closed.push_back(std::move(directory));
  }
  if (!none_open) return complain_of_closed(closed);
  for (const auto& list : runtime_.domains.lists()) {
    auto read = read_list(list->path);
    if (!read) continue;
    for (const renew::ListLine& line : read->lines) runtime_.live->hold(line.names.front());
  }
}

void DomainParent::complain_of_closed(const std::vector<std::string>& directories) {
  if (directories.empty()) return;
  const std::string& first = directories.front();
  const AgentConf& agent = runtime_.agent;
  log_server(base_, APLOG_ERR, "TG0069",
             "store={}: directory '{}'{} belongs to user {}, and httpd's children may not read it: "
             "'chown -hR {}:{} {}' if its content is to be trusted; what is there is served, and "
             "cannot be renewed",
             runtime_.store_path, first,
             directories.size() > 1 ? fmt::format(" (and {} more)", directories.size() - 1) : "",
             owner_of(first).value_or(0), agent.uid, ap_unixd_config.group_id, first);
}

void DomainParent::start_agent() {
  AgentSetup setup;
  setup.program = runtime_.agent.program;
  setup.store_path = runtime_.store_path;
  renew::AgentSpec spec = agent_spec(runtime_.domains, *base_, runtime_.store_path);
  spec.static_certificates = static_certificates(runtime_, pconf_);
  setup.spec = renew::to_json(spec);
  setup.sealing_key = runtime_.live->sealing_key()->bytes();
  setup.board_fd = anchor_.board.fd;
  setup.user = runtime_.agent.uid;
  setup.group = runtime_.agent.gid;
  setup.log_level = log_level_of(base_);
  agent_.emplace(base_, pconf_, std::move(setup));
  agent_->start();
}

void DomainParent::tick(UnixSeconds now) {
  if (agent_) return agent_->tick(now);
  if (!passive_ || !store::take_lock(anchor_.lock, runtime_.store_path) || !anchor_.lock.held) {
    return;
  }
  passive_ = false;
  runtime_.live->board().set_passive(false);
  log_server(base_, APLOG_NOTICE, "TG0070",
             "store={}: the other server has gone; from now on this one obtains and renews",
             runtime_.store_path);
  prepare();
  if (usable_ && runtime_.live->sealing_key()) start_agent();
}

std::optional<bool> managed_certificate_good(const VirtualHost& host, UnixSeconds at) {
  const ManagedDomain* domain = host.managed.otherwise;
  if (domain == nullptr) {
    return host.managed.fully ? std::optional(!host.managed.lists.empty()) : std::nullopt;
  }
  if (domain->slot == nullptr || domain->slot->generation.load(std::memory_order_acquire) == 0) {
    return host.managed.fully ? std::optional(false) : std::nullopt;
  }
  return at < domain->slot->not_after.load(std::memory_order_relaxed) &&
         domain->slot->errors.load(std::memory_order_relaxed) == 0;
}

}  // namespace tlsguard::httpd
