// SPDX-License-Identifier: Apache-2.0
#include "renew/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "acme/plain_text.h"
#include "core/text.h"
#include "net/dns.h"
#include "renew/caa.h"
#include "renew/challenge_records.h"
#include "renew/dns_solver.h"
#include "renew/name_lookup.h"
#include "renew/own_addresses.h"
#include "renew/self_check.h"

namespace tlsguard::renew {
namespace {

using std::chrono::minutes;

constexpr minutes time_limit{10};
constexpr std::size_t max_checked_addresses = 4;  // of one name
constexpr int max_failures = 3;                   // of DNS, before it is no longer asked
constexpr std::size_t max_problems = 5;           // in one error

// How one way to prove a name stands.
struct Way {
  ChallengeType type;
  Prospect prospect = Prospect::unknown;
  std::string reason = {};  // of doubtful and hopeless
};

class Examination {
 public:
  Examination(SolverContext& context, const acme::Directory& directory)
      : context_(context),
        directory_(directory),
        dns_(context.dns, context.stopping),
        own_(OwnAddresses::of_this_machine()),
        self_check_(context, own_),
        patience_(time_limit, context.stopping) {}

  Result<void> run(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (context_.stopping && context_.stopping()) return fail("the server is stopping");
      if (patience_.over()) {
        note(name, "pre-flight took too long to look at it");
        continue;
      }
      if (auto fine = examine(acme::identifier_of(name)); !fine) return fine;
    }
    if (problems_.empty()) return {};
    std::size_t more = problems_.size() - std::min(problems_.size(), max_problems);
    problems_.resize(problems_.size() - more);
    std::string text = join(problems_, "; ");
    if (more > 0) text += fmt::format("; and {} more names", more);
    return tl::unexpected(Error{std::move(text), Next::back_off, {}, "preflight"});
  }

 private:
  // An error ends it all; problems of this name are gathered.
  Result<void> examine(const acme::Identifier& identifier) {
    auto types = configured_challenges(context_.settings, context_.reach, identifier);
    if (types.empty()) {
      problems_.push_back(nothing_configured(identifier));
      return {};
    }
    std::vector<Way> ways;
    ways.reserve(types.size());
    for (ChallengeType type : types) ways.push_back({type});
    if (identifier.type == acme::Identifier::Type::dns) {
      if (auto forbidden = look_at_caa(identifier.value, ways)) {
        problems_.push_back(fmt::format("{}: {}", identifier.value, *forbidden));
        return {};
      }
    }
    if (auto fine = try_ways(identifier, ways); !fine) return fine;
    conclude(identifier.value, ways);
    return {};
  }

  static std::string nothing_configured(const acme::Identifier& identifier) {
    const std::string& name = identifier.value;
    if (name.starts_with("*.")) {
      return fmt::format(
          "{}: a wildcard needs a DNS challenge: TLSGuardChallenges dns-persist-01, or "
          "TLSGuardDNSCommand",
          name);
    }
    return fmt::format(
        "{}: none of the challenges that TLSGuardChallenges and TLSGuardPortMap "
        "leave can be used for it",
        name);
  }

  // Marks ways that CAA closes; the text: it closes all of them.
  std::optional<std::string> look_at_caa(const std::string& name, std::vector<Way>& ways) {
    if (caa_failures_ == max_failures) return std::nullopt;
    auto found = find_caa(without_wildcard(name), [this](const std::string& at) {
      auto [known, added] = caa_.try_emplace(at, fail(""));
      if (added) known->second = dns_.ask(at, net::DnsType::caa);
      return known->second;
    });
    if (!found) {
      ++caa_failures_;
      note(name, "whether CAA allows this CA cannot be known, which a CA takes for a no: " +
                     found.error().text);
      return std::nullopt;
    }
    CaaVerdict verdict = judge(found->records, name);
    if (verdict.forbidden || verdict.methods) {
      // It may have been mended a moment ago.
      auto fresh = find_caa(without_wildcard(name), [this](const std::string& at) {
        auto answer = dns_.ask_zone(at, net::DnsType::caa);
        return answer ? answer : dns_.ask(at, net::DnsType::caa);
      });
      if (fresh) {
        found = std::move(fresh);
        verdict = judge(found->records, name);
      }
    }
    if (verdict.forbidden) return fmt::format("{} (at {})", verdict.reason, found->owner);
    if (verdict.methods) close_ways(*verdict.methods, found->owner, ways);
    return std::nullopt;
  }

  CaaVerdict judge(const std::vector<net::DnsRecord>& records, const std::string& name) const {
    return judge_caa(records, name.starts_with("*."),
                     {directory_.caa_identities, context_.account_url});
  }

  // Those that RFC 8657's validationmethods leave out.
  static void close_ways(const std::vector<std::string>& methods, const std::string& owner,
                         std::vector<Way>& ways) {
    for (Way& way : ways) {
      bool allowed = std::any_of(methods.begin(), methods.end(), [&](const std::string& method) {
        return equal_ignoring_case(method, challenge_type_name(way.type));
      });
      if (allowed) continue;
      way.prospect = Prospect::hopeless;
      way.reason = fmt::format("CAA at {} allows {} only", owner,
                               acme::plain_text(join(methods, ", "), 200));
    }
  }

  Result<void> try_ways(const acme::Identifier& identifier, std::vector<Way>& ways) {
    std::optional<NameLookup> lookup;
    for (Way& way : ways) {
      if (way.prospect == Prospect::hopeless) continue;
      if (way.type == ChallengeType::dns_persist_01) {
        if (auto fine = try_persist(identifier.value, way, ways.size() == 1); !fine) return fine;
      } else if (!is_dns_challenge(way.type)) {
        if (!lookup) lookup = addresses_of(identifier);
        if (auto fine = try_addresses(identifier.value, *lookup, way); !fine) return fine;
      }
      if (way.prospect == Prospect::good) break;  // the others need not be known
    }
    return {};
  }

  NameLookup addresses_of(const acme::Identifier& identifier) {
    if (identifier.type == acme::Identifier::Type::ip) return {{identifier.value}, false, {}};
    if (address_failures_ >= max_failures) return {{}, false, "DNS has failed too often"};
    NameLookup lookup = look_up_name(identifier.value, context_.dns, context_.stopping);
    if (lookup.addresses.empty() && !lookup.absent) ++address_failures_;
    return lookup;
  }

  // One address is enough to fail: the CA may choose it.
  Result<void> try_addresses(const std::string& name, const NameLookup& lookup, Way& way) {
    if (lookup.absent) {
      way.prospect = Prospect::hopeless;
      way.reason = fmt::format("{}: {}", challenge_type_name(way.type), lookup.text);
      return {};
    }
    if (lookup.addresses.empty()) note(name, "its addresses cannot be known: " + lookup.text);
    std::size_t checked = 0;
    bool all_ours = !lookup.addresses.empty();
    for (const std::string& address : lookup.addresses) {
      if (checked++ == max_checked_addresses) break;
      auto result = self_check_.run(way.type, name, address);
      if (!result) return tl::unexpected(result.error());
      all_ours = all_ours && result->answer == Answer::ours;
      if (result->answer == Answer::unknown) {
        note(name, fmt::format("{} could not be tried at {}: {}", challenge_type_name(way.type),
                               address, result->text));
      } else if (result->answer == Answer::otherwise) {
        doubt(way, address, result->text);
      }
    }
    if (all_ours) way.prospect = Prospect::good;
    return {};
  }

  void doubt(Way& way, const std::string& address, const std::string& text) {
    bool router = own_.may_meet_router(address);
    auto prospect = router ? Prospect::doubtful : Prospect::hopeless;
    if (prospect <= way.prospect) return;
    way.prospect = prospect;
    way.reason =
        fmt::format("{}: {} answers with {}; {}", challenge_type_name(way.type), address, text,
                    own_.has(address) ? "it is an address of this machine"
                                      : "is it an address of this server?");
  }

  // Before there is an order the CA's issuers are known by its directory only.
  Result<void> try_persist(const std::string& name, Way& way, bool only) {
    if (context_.account_url.empty() || !check_issuers(directory_.caa_identities)) return {};
    auto fine = check_persist(context_, {name, directory_.caa_identities, context_.account_url},
                              Issuers::of_directory);
    if (fine) return {};
    if (only) return fine;
    way.prospect = Prospect::hopeless;
    way.reason = fmt::format("dns-persist-01: {}", fine.error().text);
    return {};
  }

  void conclude(const std::string& name, const std::vector<Way>& ways) {
    std::vector<std::string> reasons;
    bool hope = false;
    for (const Way& way : ways) {
      context_.findings.push_back({name, way.type, way.prospect});
      hope = hope || way.prospect != Prospect::hopeless;
      if (!way.reason.empty()) reasons.push_back(way.reason);
    }
    if (reasons.empty()) return;
    std::string text = fmt::format("{}: {}", name, join(reasons, "; "));
    if (!hope) {
      problems_.push_back(std::move(text));
    } else {
      context_.log.write(Severity::warning, "TG0157", fmt::format("domain={}", text));
    }
  }

  void note(const std::string& name, const std::string& text) {
    context_.log.write(Severity::info, "TG0156", fmt::format("domain={}: {}", name, text));
  }

  SolverContext& context_;
  const acme::Directory& directory_;
  net::Dns dns_;
  OwnAddresses own_;
  SelfCheck self_check_;
  net::Patience patience_;
  std::map<std::string, Result<net::DnsAnswer>> caa_;  // names of a domain share their parents
  int caa_failures_ = 0;
  int address_failures_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace

Result<void> preflight(SolverContext& context, const std::vector<std::string>& names,
                       const acme::Directory& directory) {
  context.findings.clear();
  return Examination(context, directory).run(names);
}

}  // namespace tlsguard::renew
