// SPDX-License-Identifier: Apache-2.0
// What the agent reports of a domain, as the status page shows it: read from a small file of the
// store (renew/report_files.h), which may be torn, or of another release. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_DOMAIN_FACTS_H
#define TLSGUARD_STATUS_DOMAIN_FACTS_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"

namespace tlsguard::status {

inline constexpr std::size_t max_report = 256UL * 1024;  // bytes

struct Certificate {
  std::string key_type;
  std::string serial;
  std::string issuer;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
};

// The serials of one generation: workers know generations.
struct Served {
  std::uint64_t generation = 0;
  std::vector<std::string> serials;
};

struct AriWindow {
  UnixSeconds start = 0;  // end 0: none is known
  UnixSeconds end = 0;
  UnixSeconds renew_at = 0;
  std::string explanation;
};

struct NextStep {
  UnixSeconds renew_at = 0;  // 0: none is planned
  std::string cause;         // renew::cause_name
  UnixSeconds floor_at = 0;  // the begin of TLSGuardRenewWindow; 0: nothing is live
  UnixSeconds ask_ari_at = 0;
};

struct PastEvent {
  UnixSeconds at = 0;
  std::string what;
  std::string text;
};

struct DomainFacts {
  std::vector<std::string> names;
  std::string reason;  // of its state, in words
  std::string error;   // the last one
  UnixSeconds failed_at = 0;
  AriWindow ari;
  NextStep next;
  std::uint32_t version = 0;  // 0: nothing is live
  UnixSeconds since = 0;
  std::string ca;
  std::string profile;
  std::vector<Certificate> certificates;
  std::vector<Served> served;      // the newest first
  std::vector<PastEvent> history;  // the newest first

  // Of a generation; empty: not known.
  [[nodiscard]] std::string serial_of(std::uint64_t generation) const;
};

[[nodiscard]] Result<DomainFacts> read_domain_facts(std::string_view json);

}  // namespace tlsguard::status

#endif
