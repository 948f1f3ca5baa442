// SPDX-License-Identifier: Apache-2.0
#include "census_clients.h"

namespace tlsguard::test {

using hello::Verdict;
using live::AskedName;
using live::CountedHost;
using live::Judge;
using live::Keeper;
using live::OfferFacts;
using live::Snapshot;
using live::UnixSeconds;
using live::Verdicts;
using live::VirtualHostCensus;
using live::VirtualHostCounts;

CountedHost host(const std::string& name, const std::string& in_force) {
  return {name + "|*:443",
          {in_force, "", "baseline@1", "mozilla-intermediate@6.0", "mozilla-modern@6.0"}};
}

Keeper open(Memory& memory, const Snapshot& previous, const std::vector<CountedHost>& hosts,
            UnixSeconds now, const std::vector<std::string>& ramps) {
  return value_of(Keeper::open(memory.anchor, previous, hosts, ramps, now));
}

// So many connections, each of which modern turns away.
void connect(const VirtualHostCensus& census, int times, UnixSeconds now) {
  Verdicts verdicts;
  for (Judge judge : live::all_judges) verdicts.set(judge, Verdict::ok);
  verdicts.clear(Judge::report);
  verdicts.set(Judge::modern, Verdict::protocol);
  for (int i = 0; i < times; ++i) {
    census.count_hello(now, 7, AskedName::missing, verdicts, [] {
      OfferFacts facts;
      facts.highest_version = 0x0303;
      return facts;
    });
    census.count_handshake(now, {Protocol::tls1_2, 0xc02f, 0x001d, false});
  }
}

const VirtualHostCounts& of(const Snapshot& snapshot, const std::string& name) {
  for (const VirtualHostCounts& one : snapshot.virtual_hosts) {
    if (one.key == name + "|*:443") return one;
  }
  ck_abort_msg("%s is not in the snapshot", name.c_str());
  std::abort();
}

bool has(const Snapshot& snapshot, const std::string& name) {
  return std::any_of(snapshot.virtual_hosts.begin(), snapshot.virtual_hosts.end(),
                     [&](const VirtualHostCounts& one) { return one.key == name + "|*:443"; });
}

// Every kind of counter that connect() moves.
void expect_counts(const VirtualHostCounts& counts, std::uint64_t times) {
  ck_assert_uint_eq(counts.traffic.full.count, times);
  ck_assert_uint_eq(counts.traffic.versions[2].count, times);
  ck_assert_uint_eq(counts.traffic.ciphers.empty() ? 0 : counts.traffic.ciphers[0].count.count,
                    times);
  ck_assert_uint_eq(counts.name_missing.count, times);
  ck_assert_uint_eq(counts.by(Judge::in_force).total(), times);
  ck_assert_uint_eq(counts.by(Judge::modern).refused(), times);
  std::uint64_t offers = 0;
  for (const auto& offer : counts.offers) offers += offer.count;
  ck_assert_uint_eq(offers, times);
}

}  // namespace tlsguard::test
