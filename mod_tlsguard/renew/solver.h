// SPDX-License-Identifier: Apache-2.0
// Challenges put in place and taken away again (RFC 8555 8, RFC 8737, RFC 8738,
// draft-ietf-acme-dns-account-label, draft-ietf-acme-dns-persist). Blocking, for minutes where DNS
// has to propagate: in a job's own thread, where `stopping` ends it within a second. One thread for
// each context.
#ifndef TLSGUARD_RENEW_SOLVER_H
#define TLSGUARD_RENEW_SOLVER_H

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "acme/types.h"
#include "core/error.h"
#include "core/log_sink.h"
#include "core/unix_time.h"
#include "net/dns.h"
#include "net/http_client.h"
#include "renew/challenge_type.h"
#include "renew/propagation.h"
#include "renew/spec.h"
#include "store/challenge_store.h"

namespace tlsguard::renew {

// Ports at which the outside, and so a CA, reaches our names. Other than these only in tests.
struct OutsidePorts {
  std::uint16_t http = 80;
  std::uint16_t https = 443;
};

// What pre-flight found out about a way to prove a name.
enum class Prospect : std::uint8_t {
  good,      // seen to work
  unknown,   // cannot be known from here
  doubtful,  // somebody else answered, who may be a router on our side of NAT
  hopeless,  // somebody else answers at the name, or CAA forbids it
};
struct Finding {
  std::string name;
  ChallengeType type = ChallengeType::http_01;
  Prospect prospect = Prospect::unknown;
};

struct SolverContext {
  net::HttpClient& http;  // to ourselves, as net::Peer::self_check: for pre-flight, not for the CA
  const DomainSettings& settings;
  const Reachability& reach;
  store::ChallengeStore& challenges;
  LogSink& log;
  std::string account_url;  // empty: not registered yet
  std::string directory_url;
  std::function<bool()> stopping;       // empty: never
  std::vector<std::string> names = {};  // of the domain

  net::DnsSettings dns = {};
  OutsidePorts outside = {};
  Propagation propagation = {};
  Clock now = {};  // empty: the system's
  // Until there is another order, at most: the lifetime of what is live, or what is usual.
  std::int64_t next_order_within = 90LL * 24 * 60 * 60;
  // Told, with a text for state, status and the event `action-needed`, where the administrator
  // should act although this order goes on (a record of dns-persist-01 that ends soon).
  std::function<void(const std::string&)> action_needed = {};
  std::vector<Finding> findings = {};  // written by preflight()
};

[[nodiscard]] UnixSeconds now_of(const SolverContext& context);

// What TLSGuardChallenges and the port map leave for this identifier, best first: in the order of
// TLSGuardChallenges; without it tls-alpn-01 and http-01 as reachable, then dns-01 where there is a
// TLSGuardDNSCommand. Wildcards by DNS only, IP addresses never by DNS. Empty: none.
[[nodiscard]] std::vector<ChallengeType> configured_challenges(const DomainSettings& settings,
                                                               const Reachability& reach,
                                                               const acme::Identifier& identifier);
// Those of them that the CA offers.
[[nodiscard]] std::vector<ChallengeType> usable_challenges(
    const DomainSettings& settings, const Reachability& reach, const acme::Identifier& identifier,
    const std::vector<acme::Challenge>& offered);
// The same, less what pre-flight found hopeless; what it saw to work first, what it doubts last.
[[nodiscard]] std::vector<ChallengeType> usable_challenges(
    const SolverContext& context, const acme::Identifier& identifier,
    const std::vector<acme::Challenge>& offered);

// Puts the answer to the challenge where the CA will look. May be called again, also after a crash.
// Errors: back_off where our own part failed (store, command); wait, with kind "actionNeeded" and
// the record to publish in its text, where dns-persist-01 finds none.
[[nodiscard]] Result<void> put_in_place(SolverContext& context,
                                        const acme::Authorization& authorization,
                                        const acme::Challenge& challenge,
                                        const std::string& key_authorization);
// For DNS: returns once all servers of the zone have it, or `propagation.limit` is over: then it
// goes on and says so. Whoever has several records puts all of them in place first, so that they
// spread at the same time. The error: it is to stop.
[[nodiscard]] Result<void> await_in_place(SolverContext& context,
                                          const acme::Authorization& authorization,
                                          const acme::Challenge& challenge,
                                          const std::string& key_authorization);
// Both.
[[nodiscard]] Result<void> provision(SolverContext& context,
                                     const acme::Authorization& authorization,
                                     const acme::Challenge& challenge,
                                     const std::string& key_authorization);
// Takes it away again. May be called again, also for what was never in place, also after a crash.
// What cannot be taken away is logged.
void clean_up(SolverContext& context, const acme::Authorization& authorization,
              const acme::Challenge& challenge, const std::string& key_authorization);

}  // namespace tlsguard::renew

#endif
