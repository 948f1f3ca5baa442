// SPDX-License-Identifier: Apache-2.0
#include "httpd/parent.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <set>

#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/domain_parent.h"
#include "httpd/guard.h"
#include "httpd/pool.h"
#include "httpd/running.h"
#include "store/layout.h"
#include "store/state_file.h"

namespace tlsguard::httpd {

namespace {

constexpr const char* parent_key = "tlsguard-parent";
constexpr const char* ramp_file = "hsts-ramp.json";
constexpr std::size_t max_ramp_file = 16U * 1024 * 1024;
constexpr mode_t private_mode = 0600;
constexpr live::UnixSeconds save_every = 60;

live::UnixSeconds now() { return apr_time_sec(apr_time_now()); }

std::chrono::sys_seconds clock_at(live::UnixSeconds seconds) {
  return std::chrono::sys_seconds{std::chrono::seconds{seconds}};
}

// One ServerName's ramp, whatever number of virtual hosts have it.
struct Ramp {
  std::string name;  // lower case
  web::HstsSetting setting;
  web::RampSteps steps;
  std::vector<Site*> sites;
};

std::vector<Ramp> ramps_of(Runtime& runtime, const server_rec* base) {
  std::vector<Ramp> ramps;
  std::size_t position = 0;
  for (const server_rec* s = base; s != nullptr; s = s->next, ++position) {
    Site& site = *runtime.sites[position];
    if (site.ramp_steps.empty() || !site.hsts.enabled || s->server_hostname == nullptr) continue;
    std::string name = to_lower(s->server_hostname);
    auto known = std::find_if(ramps.begin(), ramps.end(),
                              [&](const Ramp& ramp) { return ramp.name == name; });
    if (known == ramps.end()) {
      ramps.push_back({name, site.hsts, site.ramp_steps, {}});
      known = ramps.end() - 1;
    }
    known->sites.push_back(&site);
  }
  return ramps;
}

bool certificates_good(const Ramp& ramp, live::UnixSeconds at) {
  return std::all_of(ramp.sites.begin(), ramp.sites.end(), [&](const Site* site) {
    if (site->host == nullptr) return true;
    if (auto managed = managed_certificate_good(*site->host, at)) return *managed;
    return site->host->not_before <= at && at < site->host->not_after;
  });
}

class Parent {
 public:
  Parent(server_rec* base, Runtime& runtime) : base_(base), runtime_(runtime) {}
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;
  // At a reload and at the end.
  ~Parent() {
    guard("~Parent", [&] { save(now()); });
  }

  void start(apr_pool_t* pconf, live::BoardAnchor& anchor, DomainAnchor& domain_anchor) {
    open_store();
    if (runtime_.needs_agent()) {
      domains_.emplace(base_, pconf, runtime_, domain_anchor);
      domains_->start(directory_ ? &*directory_ : nullptr);
    }
    ramps_ = ramps_of(runtime_, base_);
    read_ramps();
    open_board(anchor);
    tick_ramps(now());
    for (Ramp& ramp : ramps_) give_values(ramp);
    if (directory_) write_running(*directory_, base_, runtime_);
  }

  void tick() {
    live::UnixSeconds at = now();
    tick_ramps(at);
    if (domains_) domains_->tick(at);
    std::vector<live::DailyNotice> notices;
    if (keeper_) notices = keeper_->take_daily_notices(at);
    for (const live::DailyNotice& notice : notices) say(notice);
    // Told once: not again after a crash.
    bool told = !notices.empty();
    if (told || at >= saved_at_ + save_every || at < saved_at_) save(at);
  }

 private:
  void open_store() {
    auto directory = store::Directory::open_or_create(runtime_.store_path, store::store_mode);
    if (directory) {
      directory_ = std::move(*directory);
    } else {
      log_server(base_, APLOG_ERR, "TG0030",
                 "store={}: {}; counts and HSTS ramps are not kept over a restart",
                 runtime_.store_path, directory.error().text);
    }
  }

  void open_board(live::BoardAnchor& anchor) {
    live::LoadedSnapshot loaded;
    if (directory_) loaded = live::load_snapshot(*directory_);
    if (loaded.warning) {
      log_server(base_, APLOG_WARNING, "TG0031", "store={}: {}", runtime_.store_path,
                 loaded.warning->text);
    }
    std::vector<live::CountedHost> hosts;
    for (const auto& host : runtime_.virtual_hosts) hosts.push_back(host->counted);
    std::vector<std::string> names;
    for (const Ramp& ramp : ramps_) names.push_back(ramp.name);
    auto keeper = live::Keeper::open(anchor, loaded.snapshot, hosts, names, now());
    if (!keeper) {
      log_server(base_, APLOG_ERR, "TG0032", "nothing is counted: {}", keeper.error().text);
      return;
    }
    keeper_ = std::move(*keeper);
    runtime_.seed = keeper_->fingerprint_seed();
    // A crash before the first tick must not lose the seed. What a reload has moved is found anew
    // in the file that the last configuration left; nobody is served while it would be synced.
    if (loaded.snapshot.seed != runtime_.seed) save(now());
    for (std::size_t i = 0; i < runtime_.virtual_hosts.size(); ++i) {
      runtime_.virtual_hosts[i]->census = keeper_->census(i);
      runtime_.virtual_hosts[i]->past = keeper_->past(i);
    }
    for (std::size_t i = 0; i < ramps_.size(); ++i) {
      for (Site* site : ramps_[i].sites) site->ramp = keeper_->ramp(i);
    }
  }

  void read_ramps() {
    if (!directory_) return;
    auto text = directory_->read(ramp_file, max_ramp_file);
    if (text && !*text) return;
    Result<web::RampStates> states =
        text ? web::read_ramp_states(**text) : tl::unexpected(text.error());
    if (states) {
      written_ = std::move(*states);
      // A ramp that was switched off starts anew when it comes back.
      for (const Ramp& ramp : ramps_) {
        if (auto state = written_.find(ramp.name); state != written_.end()) states_.insert(*state);
      }
      return;
    }
    log_server(base_, APLOG_WARNING, "TG0033", "store={} file={}: {}; HSTS ramps start anew",
               runtime_.store_path, ramp_file, states.error().text);
    if (auto aside = directory_->set_aside(ramp_file); !aside) {
      log_server(base_, APLOG_WARNING, "TG0033", "store={}: {}", runtime_.store_path,
                 aside.error().text);
    }
  }

  std::optional<web::RampState> state_of(const Ramp& ramp) const {
    auto found = states_.find(ramp.name);
    return found != states_.end() ? std::optional(found->second) : std::nullopt;
  }

  void give_values(Ramp& ramp) {
    auto ages = web::partial_ages(ramp.setting, ramp.steps, state_of(ramp));
    for (Site* site : ramp.sites) site->hsts_values = web::HstsValues(ramp.setting, ages);
  }

  void tick_ramps(live::UnixSeconds at) {
    bool write = written_.size() > ramps_.size();
    for (std::size_t i = 0; i < ramps_.size(); ++i) {
      const Ramp& ramp = ramps_[i];
      auto before = written_.find(ramp.name);
      auto next = web::advance(state_of(ramp), ramp.setting, ramp.steps, clock_at(at),
                               certificates_good(ramp, at));
      write |= web::worth_writing(
          before != written_.end() ? std::optional(before->second) : std::nullopt, next);
      if (next) {
        auto known = states_.find(ramp.name);
        if (known != states_.end() && known->second.age != next->age) {
          log_server(base_, APLOG_NOTICE, "TG0034", "vhost={}: HSTS max-age is now {}", ramp.name,
                     next->age.count());
        }
        states_.insert_or_assign(ramp.name, *next);
        if (keeper_) keeper_->publish_ramp(i, static_cast<std::uint64_t>(next->age.count()));
      } else {
        states_.erase(ramp.name);
      }
    }
    if (write) write_ramps();
  }

  void write_ramps() {
    if (!directory_) return;
    auto written = directory_->write(ramp_file, web::write_ramp_states(states_), private_mode);
    if (written) {
      written_ = states_;
      complain_of_store_ = true;
    } else {
      complain(written.error());
    }
  }

  void save(live::UnixSeconds at) {
    saved_at_ = at;
    if (!directory_ || !keeper_) return;
    if (auto saved = keeper_->save(*directory_, at); !saved) {
      complain(saved.error());
    } else {
      complain_of_store_ = true;
    }
  }

  // Once until it works again: a full disk is not worth a line a minute.
  void complain(const Error& error) {
    if (!complain_of_store_) return;
    complain_of_store_ = false;
    log_server(base_, APLOG_ERR, "TG0035", "store={}: {}", runtime_.store_path, error.text);
  }

  void say(const live::DailyNotice& notice) {
    std::string reasons;
    std::uint64_t total = 0;
    for (hello::Verdict verdict : hello::all_verdicts) {
      std::uint64_t count = notice.verdicts[static_cast<std::size_t>(verdict)];
      if (verdict == hello::Verdict::ok || count == 0) continue;
      total += count;
      reasons +=
          fmt::format("{}{} {}", reasons.empty() ? "" : ", ", count, hello::verdict_name(verdict));
    }
    std::string name = notice.key.substr(0, notice.key.find('|'));
    log_server(base_, APLOG_NOTICE, "TG0036",
               "vhost={}: in the last day {} handshakes did not fit the {}: {}", name, total,
               notice.judge == live::Judge::report ? "report policy" : "policy", reasons);
  }

  server_rec* base_;
  Runtime& runtime_;
  std::optional<store::Directory> directory_;
  std::optional<live::Keeper> keeper_;
  std::optional<DomainParent> domains_;
  std::vector<Ramp> ramps_;
  web::RampStates states_;
  web::RampStates written_;
  live::UnixSeconds saved_at_ = 0;
  bool complain_of_store_ = true;
};

// In the process pool: it must outlive the module's code, which a reload unloads. All zero at
// first.
template <typename Anchor>
Anchor& anchor_of(server_rec* base, const char* name) {
  static_assert(std::is_trivial_v<Anchor>);
  apr_pool_t* pool = base->process->pool;
  void* anchor = nullptr;
  apr_pool_userdata_get(&anchor, name, pool);
  if (anchor == nullptr) {
    anchor = apr_pcalloc(pool, sizeof(Anchor));
    // The key is copied, as the text goes with the code.
    apr_pool_userdata_set(anchor, name, apr_pool_cleanup_null, pool);
  }
  return *static_cast<Anchor*>(anchor);
}

}  // namespace

void start_parent(apr_pool_t* pconf, server_rec* base, Runtime& runtime) {
  auto* parent = pool_make<Parent>(pconf, base, runtime);
  parent->start(pconf, anchor_of<live::BoardAnchor>(base, live::anchor_name),
                anchor_of<DomainAnchor>(base, live::domain_anchor_name));
  apr_pool_userdata_setn(parent, parent_key, apr_pool_cleanup_null, pconf);
#ifdef __GLIBC__
  // What configuring took and gave back, several KiB a virtual host, would go on in every worker.
  malloc_trim(0);
#endif
}

int on_monitor(apr_pool_t* p, server_rec*) noexcept {
  return guard("on_monitor", declined, [&] {
    void* parent = nullptr;
    apr_pool_userdata_get(&parent, parent_key, p);
    if (parent != nullptr) static_cast<Parent*>(parent)->tick();
    return declined;
  });
}

}  // namespace tlsguard::httpd
