// SPDX-License-Identifier: Apache-2.0
// What the agent counts of its requests to CAs and of its attempts to obtain certificates: a file
// in the store's reports/, for the status page and the metrics. The counts go on over restarts of
// the agent. Plain values; the JSON is pure, and takes any bytes.
#ifndef TLSGUARD_RENEW_CA_COUNTS_H
#define TLSGUARD_RENEW_CA_COUNTS_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/unix_time.h"

namespace tlsguard::renew {

// No domain's report has this name (store::directory_of).
inline constexpr char ca_counts_file[] = "_cas.json";
inline constexpr std::size_t max_ca_counts = 256UL * 1024;

// Upper bounds of the buckets, in milliseconds; what takes longer is in the last one.
inline constexpr std::array<std::int64_t, 8> latency_bounds{50,   100,  250,  500,
                                                            1000, 2500, 5000, 10000};
struct Latency {
  std::array<std::uint64_t, latency_bounds.size() + 1> buckets{};  // each by itself
  std::uint64_t milliseconds = 0;                                  // in all
  std::uint64_t unanswered = 0;  // of all: the connection failed, or timed out
  UnixSeconds last_at = 0;
  bool operator==(const Latency&) const = default;

  void add(std::int64_t took, bool answered, UnixSeconds now);
  [[nodiscard]] std::uint64_t count() const;
};

struct CaCounts {
  // Names that come from outside are bounded in number: what is more is counted under "other".
  static constexpr std::size_t most = 64;

  UnixSeconds since = 0;
  std::map<std::string, Latency> requests;         // by host of the CA
  std::map<std::string, std::uint64_t> attempts;   // by cause
  std::map<std::string, std::uint64_t> successes;  // by cause
  std::map<std::string, std::uint64_t> errors;     // by type: "rateLimited", "preflight" …
  bool operator==(const CaCounts&) const = default;

  [[nodiscard]] Latency& of(const std::string& host);
  static void count(std::map<std::string, std::uint64_t>& counts, const std::string& name);
};

[[nodiscard]] std::string to_json(const CaCounts& counts);
[[nodiscard]] Result<CaCounts> ca_counts_from_json(std::string_view text);

}  // namespace tlsguard::renew

#endif
