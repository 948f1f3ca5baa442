// SPDX-License-Identifier: Apache-2.0
// TXT records as the servers of their zone give them: the CA may ask any of these. Blocking; one
// thread at a time for each object.
#ifndef TLSGUARD_RENEW_PROPAGATION_H
#define TLSGUARD_RENEW_PROPAGATION_H

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "net/dns.h"
#include "net/patience.h"

namespace tlsguard::renew {

// How long DNS is given, and how often it is looked at.
struct Propagation {
  std::chrono::milliseconds limit{std::chrono::minutes(10)};
  std::chrono::milliseconds silence{30000};     // servers that never answer are waited for
  std::chrono::milliseconds first_pause{1000};  // doubled up to
  std::chrono::milliseconds longest_pause{15000};
  std::chrono::milliseconds command_limit{std::chrono::minutes(2)};  // of TLSGuardDNSCommand
};

class TxtWatch {
 public:
  // Whether the TXT records at a server, each joined, are what is waited for.
  using Wanted = std::function<bool(const std::vector<std::string>&)>;

  // record: where it stands, CNAMEs already followed.
  TxtWatch(const net::DnsSettings& settings, std::string record, Wanted wanted,
           std::function<bool()> stopping);

  // How many of the zone's servers have it. Where none of them can be asked (no zone is found, a
  // firewall), the resolvers stand for all of them.
  struct Sight {
    std::size_t having = 0;
    std::size_t lacking = 0;
    std::size_t silent = 0;
    bool by_resolver = false;
    [[nodiscard]] bool everywhere() const { return having > 0 && lacking == 0; }
  };
  // Asks every server that has not been seen to have it.
  Sight look();
  // The first server that answers: is it there at all?
  [[nodiscard]] bool glance();

  // Looks until it is everywhere. false: `limit` is over, or it is to stop.
  [[nodiscard]] bool wait(const Propagation& times, const net::Patience& patience);

  // The different TXT records that the last look brought.
  [[nodiscard]] const std::vector<std::string>& seen() const { return seen_; }
  // Who lacks it and who does not answer, in words; empty where nobody does.
  [[nodiscard]] std::string missing() const;

 private:
  enum class State : std::uint8_t { unasked, having, lacking, silent };
  struct Server {
    net::DnsZone::Server facts;
    State state = State::unasked;
  };

  void find_zone();
  [[nodiscard]] State ask(Server& server);
  [[nodiscard]] State judge(const net::DnsAnswer& answer);
  void look_through_resolvers(Sight& sight);

  net::Dns resolving_;
  net::Dns asking_;
  std::string record_;
  Wanted wanted_;
  std::vector<Server> servers_;  // empty: the zone is not known
  std::vector<std::string> seen_;
  std::string trouble_;  // why nobody could be asked
};

}  // namespace tlsguard::renew

#endif
