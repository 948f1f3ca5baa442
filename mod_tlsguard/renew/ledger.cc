// SPDX-License-Identifier: Apache-2.0
#include "renew/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/duration.h"
#include "core/text.h"
#include "renew/json_members.h"
#include "renew/spread.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 24 * hour;
constexpr std::size_t most_entries = 65536;
constexpr int format_version = 1;
constexpr JsonBounds bounds{max_ledger_file, 6};
// An order that nobody has settled after this time brings no certificate any more.
constexpr std::int64_t settled_after = day;

std::uint64_t digest_of(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return seed_of(join(names, "\n"));
}

}  // namespace

struct Ledger::Limits {
  struct Limit {
    std::size_t most;
    std::int64_t within;
  };
  std::string_view ca;
  Limit same_names;         // certificates for the exact set of names
  Limit registered_domain;  // certificates for names of one registered domain
  Limit orders;             // of one account
  Limit failed_name;        // failed authorizations of one name in one account
};

const Ledger::Limits* Ledger::limits_of(std::string_view ca) {
  // letsencrypt.org/docs/rate-limits
  static constexpr Limits known[] = {{.ca = "letsencrypt",
                                      .same_names = {5, 7 * day},
                                      .registered_domain = {50, 7 * day},
                                      .orders = {300, 3 * hour},
                                      .failed_name = {5, hour}}};
  const auto* found =
      std::find_if(std::begin(known), std::end(known), [&](const Limits& l) { return l.ca == ca; });
  return found == std::end(known) ? nullptr : found;
}

Ledger::Entry Ledger::entry_of(const OrderFacts& order, Kind kind, UnixSeconds now) const {
  Entry entry{now,
              kind,
              order.replaces || order.renewal,
              seed_of(order.ca),
              seed_of(order.account),
              digest_of(order.names),
              {}};
  for (const std::string& name : order.names) {
    entry.domains.push_back(seed_of(suffixes_->registered_domain(name)));
  }
  std::sort(entry.domains.begin(), entry.domains.end());
  entry.domains.erase(std::unique(entry.domains.begin(), entry.domains.end()), entry.domains.end());
  return entry;
}

// How long until one more is within the limit; 0: it is now.
template <typename Counts>
std::int64_t Ledger::wait_for(std::size_t most, std::int64_t within, UnixSeconds now,
                              Counts&& counts) const {
  std::size_t seen = 0;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->at > now || now - entry->at >= within) continue;
    if (counts(*entry) && ++seen == most) return entry->at + within - now;
  }
  return 0;
}

std::optional<Postponement> Ledger::postponed(const OrderFacts& order, UnixSeconds now) const {
  const Limits* limits = limits_of(order.ca);
  if (limits == nullptr) return std::nullopt;
  Entry asked = entry_of(order, Kind::order, now);
  std::lock_guard lock(mutex_);
  auto brings_certificate = [&](const Entry& e) {
    return e.ca == asked.ca &&
           (e.kind == Kind::certificate || (e.kind == Kind::order && now - e.at < settled_after));
  };
  Postponement worst;
  auto hold = [&](const Limits::Limit& limit, const std::string& what, auto&& counts) {
    std::int64_t wait = wait_for(limit.most, limit.within, now, counts);
    if (wait <= worst.seconds) return;
    worst = {wait, fmt::format("{} allows {} {} in {}", order.ca, limit.most, what,
                               format_duration(Seconds(limit.within)))};
  };
  for (const std::string& name : order.names) {
    hold(limits->failed_name, "failed authorizations of '" + name + "'", [&](const Entry& e) {
      return e.kind == Kind::failed_name && e.ca == asked.ca && e.account == asked.account &&
             e.names == seed_of(name);
    });
  }
  if (!order.replaces) {
    hold(limits->same_names, "certificates for exactly these names",
         [&](const Entry& e) { return brings_certificate(e) && e.names == asked.names; });
  }
  if (!asked.exempt) {
    hold(limits->orders, "orders of one account", [&](const Entry& e) {
      return e.kind != Kind::failed_name && e.ca == asked.ca && e.account == asked.account &&
             !e.exempt;
    });
    for (std::uint64_t domain : asked.domains) {
      hold(limits->registered_domain, "certificates for one registered domain",
           [&](const Entry& e) {
             return brings_certificate(e) && !e.exempt &&
                    std::binary_search(e.domains.begin(), e.domains.end(), domain);
           });
    }
  }
  if (worst.seconds == 0) return std::nullopt;
  return worst;
}

void Ledger::add(Entry entry) {
  if (entries_.size() >= most_entries) {
    entries_.erase(entries_.begin(), entries_.begin() + most_entries / 8);
  }
  entries_.push_back(std::move(entry));
  changed_ = true;
}

void Ledger::ordered(const OrderFacts& order, UnixSeconds now) {
  if (limits_of(order.ca) == nullptr) return;
  Entry entry = entry_of(order, Kind::order, now);
  std::lock_guard lock(mutex_);
  // What is older than any limit goes, and what a clock that was ahead has left.
  std::erase_if(entries_, [&](const Entry& e) { return e.at > now || now - e.at >= 7 * day; });
  add(std::move(entry));
}

// The newest order of these names that is still open becomes what it has become.
void Ledger::settle(const OrderFacts& order, Kind kind, UnixSeconds now) {
  if (limits_of(order.ca) == nullptr) return;
  Entry entry = entry_of(order, kind, now);
  std::lock_guard lock(mutex_);
  auto open = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& e) {
    return e.kind == Kind::order && e.ca == entry.ca && e.account == entry.account &&
           e.names == entry.names;
  });
  if (open != entries_.rend()) {
    open->kind = kind;
    changed_ = true;
  } else if (kind == Kind::certificate) {
    add(std::move(entry));
  }
}

void Ledger::issued(const OrderFacts& order, UnixSeconds now) {
  settle(order, Kind::certificate, now);
}

void Ledger::failed(const OrderFacts& order, UnixSeconds now) {
  settle(order, Kind::failed_order, now);
}

void Ledger::authorization_failed(const OrderFacts& order, const std::string& name,
                                  UnixSeconds now) {
  if (limits_of(order.ca) == nullptr) return;
  Entry entry = entry_of(order, Kind::failed_name, now);
  entry.names = seed_of(name);
  entry.domains.clear();
  std::lock_guard lock(mutex_);
  add(std::move(entry));
}

bool Ledger::take_changed() {
  std::lock_guard lock(mutex_);
  return std::exchange(changed_, false);
}

std::string Ledger::to_json() const {
  Json entries = Json::array();
  std::lock_guard lock(mutex_);
  for (const Entry& e : entries_) {
    entries.push_back(
        {e.at, static_cast<int>(e.kind), e.exempt ? 1 : 0, e.ca, e.account, e.names, e.domains});
  }
  return dump({{"version", format_version}, {"entries", std::move(entries)}}) + "\n";
}

Result<void> Ledger::read_json(std::string_view text, UnixSeconds now) {
  auto parsed = parse_object(text, bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  Members members(*parsed, "ledger");
  int version = 0;
  members.number("version", version, format_version, format_version);
  const Json* list = members.find("entries");
  if (members.error()) return tl::unexpected(*members.error());
  if (!list->is_array() || list->size() > most_entries) return fail("its entries are no list");
  std::vector<Entry> entries;
  for (const Json& json : *list) {
    bool fits = json.is_array() && json.size() == 7 && json[6].is_array() &&
                std::all_of(json.begin(), json.begin() + 6,
                            [](const Json& n) { return n.is_number_unsigned(); }) &&
                std::all_of(json[6].begin(), json[6].end(),
                            [](const Json& n) { return n.is_number_unsigned(); }) &&
                json[1].get<std::uint64_t>() <= static_cast<std::uint64_t>(Kind::failed_name) &&
                json[0].get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
    if (!fits) return fail(fmt::format("entry {} is none", entries.size()));
    Entry entry{json[0].get<UnixSeconds>(),
                static_cast<Kind>(json[1].get<std::uint64_t>()),
                json[2].get<std::uint64_t>() != 0,
                json[3].get<std::uint64_t>(),
                json[4].get<std::uint64_t>(),
                json[5].get<std::uint64_t>(),
                json[6].get<std::vector<std::uint64_t>>()};
    std::sort(entry.domains.begin(), entry.domains.end());
    entries.push_back(std::move(entry));
  }
  std::erase_if(entries, [&](const Entry& e) { return e.at > now || now - e.at >= 7 * day; });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.at < b.at; });
  std::lock_guard lock(mutex_);
  entries_ = std::move(entries);
  changed_ = false;
  return {};
}

}  // namespace tlsguard::renew
