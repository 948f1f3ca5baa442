// SPDX-License-Identifier: Apache-2.0
// A census that some server wrote, or nobody: what is read is put on a board, counted on, collected
// and reported as after a restart. Beside fuzz_live_files, which only reads and writes.
// Input: census.json.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "live/keeper.h"
#include "live/report.h"
#include "live/snapshot.h"

namespace {

using namespace tlsguard;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

struct Memory {
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    for (std::uint32_t i = 0; i < anchor.count; ++i) {
      ::munmap(anchor.mappings[i].base, anchor.mappings[i].bytes);
      ::close(anchor.mappings[i].fd);
    }
  }
  live::BoardAnchor anchor{};
};

// Half of the virtual hosts are still configured, every third of them under another policy.
std::vector<live::CountedHost> configured(const live::Snapshot& snapshot) {
  std::vector<live::CountedHost> hosts{{"new|*:443", {"baseline@1", "", "", "", ""}}};
  for (std::size_t i = 0; i < snapshot.virtual_hosts.size(); i += 2) {
    live::CountedHost host{snapshot.virtual_hosts[i].key, snapshot.virtual_hosts[i].policies()};
    if (i % 3 == 2) host.policies[0] = "another@1";
    hosts.push_back(std::move(host));
  }
  return hosts;
}

void report(const live::Snapshot& snapshot) {
  for (live::Judge judge : live::all_judges) {
    require(live::cut_off_table(snapshot, judge).ends_with('\n'), "no table");
    require(live::cut_off_json(snapshot, judge).ends_with('\n'), "no report");
  }
  require(live::census_json(snapshot).ends_with('\n'), "no census");
}

void live_on(const live::Snapshot& snapshot, live::UnixSeconds now) {
  Memory memory;
  const auto hosts = configured(snapshot);
  auto keeper = live::Keeper::open(memory.anchor, snapshot, hosts, {}, now);
  require(keeper.has_value(), "no keeper");
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    keeper->census(i).count_handshake(now, {Protocol::tls1_3, 0x1301, 29, false});
  }
  auto collected = keeper->collect(now);
  require(collected.virtual_hosts.size() <= snapshot.virtual_hosts.size() + hosts.size(),
          "virtual hosts came from nowhere");
  auto again = live::parse_snapshot(live::to_json(collected));
  require(again && *again == collected, "what was collected is not read back");
  report(collected);
  static_cast<void>(keeper->take_daily_notices(now + 86400));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto snapshot = live::parse_snapshot({reinterpret_cast<const char*>(data), size});
  if (!snapshot) {
    require(!snapshot.error().text.empty(), "an error without a text");
    return 0;
  }
  auto again = live::parse_snapshot(live::to_json(*snapshot));
  require(again && *again == *snapshot, "what was read is not written as the same");
  report(*snapshot);
  live_on(*snapshot, 1800000000);
  return 0;
}
