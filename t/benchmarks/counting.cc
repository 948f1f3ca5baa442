// SPDX-License-Identifier: Apache-2.0
// What counting a handshake costs, and what two processors cost each other that count on the same
// virtual host. The figures of docs/census.md; by hand, as they change only with mod_tlsguard/live.
//
//   c++ -std=c++20 -O2 -Imod_tlsguard t/benchmarks/counting.cc BUILD/.libs/libtlsguard.a
//       -DFMT_HEADER_ONLY -lssl -lcrypto -pthread -o counting     (one line)
//   chrt -f 20 ./counting                        nanoseconds
//   valgrind --tool=callgrind ./counting good    instructions: "Collected", less that of `nothing`,
//                                                by the 100,000 handshakes of a run
//
// chrt lets both threads really run at once on a busy machine.
#include <sched.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "live/census.h"
#include "live/verdict_cache.h"

namespace {

using namespace tlsguard::live;
using tlsguard::Protocol;
using tlsguard::hello::Verdict;
using Nanoseconds = std::chrono::duration<double, std::nano>;

constexpr std::array<std::uint64_t, judge_count> policies{1, 2, 3, 4, 5};
constexpr long handshakes = 100000;
constexpr long start = 1800000000;

constexpr Verdicts verdicts(Verdict by_modern) {
  Verdicts all;
  for (Judge judge : all_judges) all.set(judge, Verdict::ok);
  all.set(Judge::modern, by_modern);
  return all;
}

constexpr Verdicts fine = verdicts(Verdict::ok);
constexpr Verdicts refused = verdicts(Verdict::protocol);

// Nobody turns it away, modern does, and modern does with a hello never seen before.
void good(const VirtualHostCensus& census, long i) {
  census.count_hello(start + i / 2000, 1, AskedName::known, fine, [] { return OfferFacts{}; });
  census.count_handshake(start + i / 2000, {Protocol::tls1_3, 0x1302, 29, false});
}
void turned_away(const VirtualHostCensus& census, long i) {
  census.count_hello(start + i / 2000, static_cast<std::uint64_t>(i % 12), AskedName::missing,
                     refused, [] { return OfferFacts{}; });
  census.count_handshake(start + i / 2000, {Protocol::tls1_2, 0xc030, 29, false});
}
void strange(const VirtualHostCensus& census, long i) {
  census.count_hello(start + i / 2000, static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15,
                     AskedName::missing, refused, [] { return OfferFacts{}; });
}
void nothing(const VirtualHostCensus&, long i) { asm volatile("" ::"r"(i)); }

struct Kind {
  const char* name;
  void (*count)(const VirtualHostCensus&, long);
};
constexpr std::array kinds{Kind{"good", good}, Kind{"turned_away", turned_away},
                           Kind{"strange", strange}, Kind{"nothing", nothing}};

// For each handshake. work: loops between two of them.
double nanoseconds(const Kind& kind, unsigned threads, bool one_host, int work) {
  auto slots = std::make_unique<VirtualHostSlot[]>(threads);
  std::vector<std::thread> all;
  std::vector<Nanoseconds> times(threads);
  for (unsigned t = 0; t < threads; ++t) {
    VirtualHostSlot& slot = slots[one_host ? 0 : t];
    for (std::size_t j = 0; j < judge_count; ++j) slot.policies[j] = policies[j];
    all.emplace_back([&, t] {
      cpu_set_t cpu;
      CPU_ZERO(&cpu);
      CPU_SET(t, &cpu);
      sched_setaffinity(0, sizeof cpu, &cpu);
      VirtualHostCensus census(&slot, policies);
      for (long i = 0; i < (work == 0 ? handshakes : handshakes / 20); ++i) {
        for (int w = 0; w < work; ++w) asm volatile("");
        auto before = std::chrono::steady_clock::now();
        kind.count(census, i);
        times[t] += std::chrono::steady_clock::now() - before;
      }
    });
  }
  for (std::thread& thread : all) thread.join();
  Nanoseconds sum{0};
  for (Nanoseconds time : times) sum += time;
  return sum.count() / threads / static_cast<double>(work == 0 ? handshakes : handshakes / 20);
}

}  // namespace

int main(int argc, char** argv) {
  for (const Kind& kind : kinds) {
    if (argc > 1) {
      if (std::strcmp(argv[1], kind.name) == 0) nanoseconds(kind, 1, true, 0);
      continue;
    }
    std::printf(
        "%-12s alone %5.0f ns; two at once: own host %5.0f, one host %5.0f; one every few "
        "us: own host %5.0f, one host %5.0f\n",
        kind.name, nanoseconds(kind, 1, true, 0), nanoseconds(kind, 2, false, 0),
        nanoseconds(kind, 2, true, 0), nanoseconds(kind, 2, false, 30000),
        nanoseconds(kind, 2, true, 30000));
  }
}
