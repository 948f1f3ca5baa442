// SPDX-License-Identifier: Apache-2.0
// What the tests of the keeper have in common: virtual hosts, clients, and what is expected of
// their counts.
#ifndef TLSGUARD_T_UNIT_CENSUS_CLIENTS_H
#define TLSGUARD_T_UNIT_CENSUS_CLIENTS_H

#include "suites.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "board_memory.h"
#include "expect.h"
#include "live/keeper.h"

namespace tlsguard::test {

inline constexpr live::UnixSeconds start = 1800000000;
inline constexpr live::UnixSeconds day = 86400;

// With all judges but report.
live::CountedHost host(const std::string& name, const std::string& in_force = "baseline@1");
live::Keeper open(Memory& memory, const live::Snapshot& previous,
                  const std::vector<live::CountedHost>& hosts, live::UnixSeconds now = start,
                  const std::vector<std::string>& ramps = {});

// So many connections of TLS 1.2 without a server name, each of which modern turns away.
void connect(const live::VirtualHostCensus& census, int times, live::UnixSeconds now = start);

bool has(const live::Snapshot& snapshot, const std::string& name);
// The test ends where it is not there.
const live::VirtualHostCounts& of(const live::Snapshot& snapshot, const std::string& name);
// Every kind of counter that connect() moves.
void expect_counts(const live::VirtualHostCounts& counts, std::uint64_t times);

}  // namespace tlsguard::test

#endif
