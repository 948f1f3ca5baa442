// SPDX-License-Identifier: Apache-2.0
// What the status page, its JSON and its metrics are made from: plain values, gathered by the
// caller from the boards, the census and the agent's reports. Nothing secret is in it. Everything
// that came from a board or a report may have been written by anybody. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_MODEL_H
#define TLSGUARD_STATUS_MODEL_H

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/duration.h"
#include "core/unix_time.h"
#include "live/snapshot.h"
#include "renew/phase.h"
#include "renew/trouble_report.h"
#include "status/ca_facts.h"
#include "status/certificate_file.h"
#include "status/domain_facts.h"
#include "status/query.h"

namespace tlsguard::status {

// One worker process, and what it serves of one domain.
struct Worker {
  std::uint32_t pid = 0;
  bool draining = false;  // of a configuration that a reload has replaced
};
struct Copy {
  Worker worker;
  std::uint64_t generation = 0;  // 0: it was not asked for this domain yet
  bool failed = false;           // it could not load what is live
};

// How a domain does, worst first: the order in which they are shown.
enum class Health : std::uint8_t {
  expired,
  failing,   // the last attempt failed, or somebody has to do something
  missing,   // nothing is live yet
  expiring,  // in TLSGuardWarnWindow
  paused,    // held, manual, vetoed, or no longer declared
  good,
};
inline constexpr std::size_t health_count = 6;
[[nodiscard]] std::string_view health_name(Health health);

struct Domain {
  std::string identity;
  std::vector<std::string> names;  // empty: only the report knows
  std::uint32_t position = 0;      // on the board
  std::optional<renew::Phase> phase;
  std::uint64_t generation = 0;  // 0: nothing is live
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  UnixSeconds warn_from = 0;  // begin of TLSGuardWarnWindow; 0: not known
  UnixSeconds next_run = 0;   // 0: none is planned
  UnixSeconds ari_start = 0;
  UnixSeconds ari_end = 0;  // 0: the CA suggests nothing
  std::uint32_t errors = 0;
  Health health = Health::good;
  // Of those that are shown only.
  std::optional<DomainFacts> facts;
  std::string trouble;       // why there are no facts
  std::vector<Copy> copies;  // see lists_all_copies()
};
[[nodiscard]] Health health_of(const Domain& domain, UnixSeconds now);
// expired, expiring or good.
[[nodiscard]] Health health_of(const CertificateFile& file, UnixSeconds now);

// What a worker has of all domains that it was asked for.
struct WorkerTally {
  Worker worker;
  std::size_t current = 0;
  std::size_t behind = 0;  // an older generation, as nobody has asked since
  std::size_t failed = 0;  // and as it could not load the newer one
};

struct DomainTally {
  std::size_t total = 0;
  std::array<std::size_t, health_count> by_health{};
  std::array<std::size_t, renew::phase_count> by_phase{};
  UnixSeconds first_expiry = 0;  // of those that are live; 0: none is
  UnixSeconds next_run = 0;
  [[nodiscard]] std::size_t of(Health health) const {
    return by_health.at(static_cast<std::size_t>(health));
  }
  // Expired, failing or missing.
  [[nodiscard]] std::size_t attention() const;
};

// A part of a list: what is on this page.
struct Page {
  std::size_t size = 0;     // of a page
  std::size_t matched = 0;  // in all
  std::size_t number = 1;   // cut to what there is
  [[nodiscard]] std::size_t pages() const { return matched == 0 ? 1 : (matched - 1) / size + 1; }
  [[nodiscard]] std::size_t begin() const { return (number - 1) * size; }
  [[nodiscard]] std::size_t end() const { return std::min(begin() + size, matched); }
};
[[nodiscard]] Page page_of(std::size_t size, std::size_t matched, std::size_t wanted);

inline constexpr std::size_t domains_shown = 50;
inline constexpr std::size_t hosts_shown = 20;
inline constexpr std::size_t files_shown = 50;

struct HstsRamp {
  Seconds reached{0};
  std::vector<Seconds> steps;  // the last one is the full max-age
};

struct Host {
  std::string name;
  std::string addresses;
  std::string engine;  // on, report, off
  std::string policy;  // name@version
  std::string report_policy;
  std::string floor;
  bool floor_exception = false;
  bool strict_sni = false;
  std::string hsts;  // the field that is sent; empty: none
  std::optional<HstsRamp> ramp;
  // Of Model::census; nullptr: it is not counted. Virtual hosts of one name and address are counted
  // as one: of these all but the first are `counted_before`.
  const live::VirtualHostCounts* counts = nullptr;
  bool counted_before = false;
};

// What in the configuration could be simpler or safer.
struct Advice {
  std::string file;
  int line = 0;
  std::string about;  // the directive
  std::string text;
};

struct Model {
  UnixSeconds now = 0;
  std::string server_name;
  std::string version;  // of mod_tlsguard
  std::string httpd;
  std::string openssl;
  UnixSeconds started = 0;  // httpd, or its last reload

  bool managing = false;
  bool watching = false;       // certificate files: there is an agent for them, too
  bool passive = false;        // another server has the store, and its agent renews
  UnixSeconds agent_seen = 0;  // when it was at work last; 0: never
  DomainTally tally;
  Page domain_page;
  std::vector<Domain> domains;  // of the page; of all for metrics
  std::vector<Worker> workers;
  std::vector<WorkerTally> worker_tallies;  // for metrics only
  std::optional<CaFacts> cas;               // nullopt: the agent has written none
  std::optional<renew::TroubleReport> troubles;
  std::string no_troubles;  // why the agent's report of them is missing; empty: it is there, or
                            // there is no agent

  std::vector<CertificateFile> files;  // those that are shown
  std::size_t files_matched = 0;
  UnixSeconds first_file_expiry = 0;  // of all; 0: there is none

  live::Snapshot census;
  Page host_page;
  std::vector<Host> hosts;  // all of them

  std::vector<Advice> advice;

  Query query;
};

// Over all virtual hosts.
struct Handshakes {
  std::uint64_t full = 0;
  std::uint64_t resumed = 0;
  std::uint64_t judged = 0;
  std::uint64_t refused = 0;
};

[[nodiscard]] Handshakes handshakes_of(const live::Snapshot& census);

// The agent gives a sign of life each quarter of a minute; a start or reload may take a while.
inline constexpr std::int64_t agent_silence = 180;
[[nodiscard]] bool agent_is_missing(const Model& model);
// Whether what each worker has of each domain is listed: with very many, those alone that are not
// current, for a thousand domains and a hundred workers are ten megabytes.
[[nodiscard]] bool lists_all_copies(std::size_t domains, std::size_t workers);

// Counts all domains, and finds those that match and are on the page, worst first then by name.
// What it keeps of each is small: with ten thousand, fresh memory would cost most of the time.
class DomainChoice {
 public:
  // query must outlive this.
  DomainChoice(UnixSeconds now, const Query& query) : now_(now), query_(query) {}

  // Its health need not be set.
  void look_at(const Domain& domain);
  // Positions; once, at the end.
  [[nodiscard]] std::vector<std::uint32_t> chosen();
  [[nodiscard]] const DomainTally& tally() const { return tally_; }
  [[nodiscard]] const Page& page() const { return page_; }

 private:
  struct Match {
    Health health = Health::good;
    std::uint32_t position = 0;
    std::size_t begin = 0;  // of its name in names_
    std::size_t size = 0;
  };
  [[nodiscard]] std::string_view name_of(const Match& match) const {
    return std::string_view(names_).substr(match.begin, match.size);
  }

  UnixSeconds now_;
  const Query& query_;
  DomainTally tally_;
  Page page_;
  std::string names_;  // of all that match, one after another
  std::vector<Match> matches_;
};
// Of a few: leaves those of the page in model.domains, with their health, and sets page and tally.
void choose_domains(Model& model, std::vector<Domain> all);
// Those that match, the first to expire first; at most `most`.
void choose_files(Model& model, const std::vector<CertificateFile>& all, std::size_t most);
// Those that match, by name, cut to the page: indexes into model.hosts.
[[nodiscard]] std::vector<std::size_t> choose_hosts(Model& model);

}  // namespace tlsguard::status

#endif
