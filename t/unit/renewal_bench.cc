// SPDX-License-Identifier: Apache-2.0
#include "renewal_bench.h"

#include <filesystem>

#include "expect.h"
#include "renew/json_members.h"
#include "store/layout.h"

namespace tlsguard::test {
namespace {

using namespace renew;

// To whichever of two CAs a URL belongs.
class Router : public net::HttpClient {
 public:
  Router(PretendCa& first, PretendCa& second) : first_(first), second_(second) {}
  Result<net::HttpResponse> send(const net::HttpRequest& request) override {
    bool to_second = request.url.starts_with("https://second.example/");
    return (to_second ? second_ : first_).answer(request);
  }

 private:
  PretendCa& first_;
  PretendCa& second_;
};

// Nobody is there.
class Silence : public net::HttpClient {
 public:
  Result<net::HttpResponse> send(const net::HttpRequest&) override { return fail("no answer"); }
};

}  // namespace

void LiveList::publish(const std::string& identity, const DomainView& view) {
  if (watch) watch(identity, view);
  std::lock_guard lock(mutex_);
  views_[identity] = view;
}

bool LiveList::put_name(std::uint32_t list, const std::string& name, const std::string& identity) {
  std::lock_guard lock(mutex_);
  names_[name] = identity + "@" + std::to_string(list);
  return true;
}

DomainView LiveList::of(const std::string& identity) {
  std::lock_guard lock(mutex_);
  return views_[identity];
}

std::string LiveList::domain_of(const std::string& name) {
  std::lock_guard lock(mutex_);
  return names_[name];
}

bool EventList::allows(const DomainSpec& domain) {
  std::lock_guard lock(mutex_);
  told_.push_back({Event::renewing, domain.identity, ""});
  return !veto;
}

void EventList::tell(Event event, const DomainSpec& domain, const std::string& text) {
  {
    std::lock_guard lock(mutex_);
    told_.push_back({event, domain.identity, text});
  }
  if (watch) watch(event);
}

int EventList::count(Event event) {
  std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(told_.begin(), told_.end(),
                                        [&](const Told& told) { return told.event == event; }));
}

std::string EventList::texts() {
  std::lock_guard lock(mutex_);
  std::string all;
  for (const Told& told : told_) {
    all += std::string(event_name(told.event)) + " " + told.domain + ": " + told.text + "\n";
  }
  return all;
}

void EventList::clear() {
  std::lock_guard lock(mutex_);
  told_.clear();
}

RenewalBench::RenewalBench(const std::string& state_file, const std::string& host)
    : ca(
          host, [this] { return now.load(); }, state_file),
      second_ca("second.example", [this] { return now.load(); }),
      sealing(value_of(crypto::SealingKey::generate())) {
  std::filesystem::create_directory(store_path());
  spec.store_path = store_path();
  spec.reach = {.http = 80, .https = 443, .addresses = {"127.0.0.1"}};
  dns.resolvers = {{"127.0.0.1", 1}};
  dns.timeout = std::chrono::milliseconds(50);
  dns.attempts = 1;
}

DomainSettings RenewalBench::settings() const {
  DomainSettings s;
  s.cas = {{"pretended", ca.directory_url()}};
  s.agreement = true;
  s.contacts = {"admin@example.org"};
  return s;
}

void RenewalBench::add(const std::vector<std::string>& names, const DomainSettings& settings) {
  spec.domains.push_back({names.front(), names, std::make_shared<const DomainSettings>(settings)});
}

net::HttpClientFactory RenewalBench::clients() {
  return [this](const net::HttpSettings&) { return std::make_unique<Router>(ca, second_ca); };
}

World RenewalBench::world() {
  World world;
  world.now = [this] { return now.load(); };
  world.sleep = [this](std::chrono::milliseconds time) {
    now += std::chrono::ceil<std::chrono::seconds>(time).count();
  };
  world.random = [n = std::make_shared<std::atomic<std::uint64_t>>(0)] {
    return 0x9e3779b97f4a7c15U * ++*n;
  };
  world.dns = dns;
  return world;
}

void RenewalBench::start() {
  stop();
  keeper_ = std::make_unique<AlertKeeper>(events, log, [this] { return now.load(); });
  manager_ = value_of(Manager::open(
      {.spec = spec,
       .sealing = sealing,
       .live = live,
       .events = *keeper_,
       .log = log,
       .http = {clients(), [](const net::HttpSettings&) { return std::make_unique<Silence>(); }},
       .world = world(),
       .owned = [this](const std::string& agent) { keeper_->open(agent); },
       .quick = {.busy = threads, .threads = threads, .idle = std::chrono::milliseconds(50)},
       .slow = {.busy = 2, .threads = 2, .idle = std::chrono::milliseconds(50)}}));
  watch_ = std::make_unique<Watch>(*manager_, *keeper_, [this](const std::string& identity) {
    auto found = failed_loads.find(identity);
    return found == failed_loads.end() ? 0 : found->second;
  });
}

void RenewalBench::stop() {
  watch_.reset();
  manager_.reset();
  keeper_.reset();
}

bool RenewalBench::anything_due() const {
  auto all = manager_->status();
  return std::any_of(all.begin(), all.end(), [&](const DomainStatus& domain) {
    return domain.next_run != 0 && domain.next_run <= now;
  });
}

void RenewalBench::work() {
  for (int i = 0; i < 50; ++i) {
    manager_->tick();
    manager_->settle();
    if (anything_due()) continue;
    if (watching) watch_->look();
    return;
  }
  ck_abort_msg("something is due without end:\n%s", log.texts().c_str());
}

void RenewalBench::run_until(UnixSeconds end) {
  work();
  while (now < end) {
    UnixSeconds next = manager_->tick();  // begins nothing: it is all done
    constexpr UnixSeconds hour = 3600;
    if (watching) next = std::min(next, now + hour);
    now = std::max(now + 1, std::min(next, end));
    work();
  }
}

Json RenewalBench::ask(const std::string& request) {
  std::string reply = Control(*manager_).answer(request);
  ck_assert_msg(reply.ends_with("\n") && reply.find('\n') == reply.size() - 1, "%s", reply.c_str());
  return Json::parse(reply);
}

JobState RenewalBench::job(const std::string& identity) {
  auto read = value_of(manager_->workshop().jobs.read_job(identity));
  ck_assert_msg(read.has_value(), "no job.json of %s", identity.c_str());
  return *read;
}

bool RenewalBench::has_order(const std::string& identity) const {
  return std::filesystem::exists(store_path() + "/agent/domains/" + store::directory_of(identity) +
                                 "/order.json");
}

store::Version RenewalBench::live_version(const std::string& identity) {
  auto& certificates = manager_->workshop().certificates;
  auto current = value_of(certificates.current(identity));
  ck_assert_msg(current.has_value(), "nothing is live for %s:\n%s", identity.c_str(),
                log.texts().c_str());
  auto version = value_of(certificates.load(identity, current->version));
  for (const store::StoredKeyPair& pair : version.pairs) {
    auto chain = value_of(crypto::parse_chain(pair.chain_pem));
    auto key = value_of(crypto::key_from_der(pair.type, pair.key_der.bytes()));
    value_of(crypto::check_servable(chain, key.get(), version.meta.names,
                                    value_of(crypto::facts_of(chain.front().get())).not_before));
  }
  return version;
}

std::size_t RenewalBench::versions(const std::string& identity) {
  return value_of(manager_->workshop().certificates.versions(identity)).size();
}

}  // namespace tlsguard::test
