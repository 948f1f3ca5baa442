// SPDX-License-Identifier: Apache-2.0
// Our own orders and failures, against the limits that a CA publishes: what would be turned away
// there is postponed here, with the reason. Only for CAs whose limits are known, however TLSGuardCA
// names them. Names are kept as digests. Kept in agent/ledger.json; losing it costs nothing but an
// answer of the CA with a Retry-After. Thread-safe.
#ifndef TLSGUARD_RENEW_LEDGER_H
#define TLSGUARD_RENEW_LEDGER_H

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "renew/registered_domain.h"

namespace tlsguard::renew {

inline constexpr char ledger_file[] = "ledger.json";
inline constexpr std::size_t max_ledger_file = 32UL * 1024 * 1024;

struct OrderFacts {
  std::string ca;       // its name, where known_cas() has its URL
  std::string account;  // URL
  std::vector<std::string> names;
  bool replaces = false;  // RFC 9773 5: exempt from all but failures
  bool renewal = false;   // the same names were issued before
};

struct Postponement {
  std::int64_t seconds = 0;
  std::string reason;
};

class Ledger {
 public:
  // suffixes must outlive this.
  explicit Ledger(const PublicSuffixes& suffixes) : suffixes_(&suffixes) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  [[nodiscard]] std::optional<Postponement> postponed(const OrderFacts& order,
                                                      UnixSeconds now) const;
  // An order is about to be made, has brought a certificate, or will bring none.
  void ordered(const OrderFacts& order, UnixSeconds now);
  void issued(const OrderFacts& order, UnixSeconds now);
  void failed(const OrderFacts& order, UnixSeconds now);
  // An authorization became invalid.
  void authorization_failed(const OrderFacts& order, const std::string& name, UnixSeconds now);

  [[nodiscard]] std::string to_json() const;
  // Replaces what is there. What is older than any limit, or in the future, is dropped.
  [[nodiscard]] Result<void> read_json(std::string_view text, UnixSeconds now);
  // Whether anything was noted since the last call.
  [[nodiscard]] bool take_changed();

 private:
  enum class Kind : std::uint8_t { order, certificate, failed_order, failed_name };
  struct Entry {
    UnixSeconds at = 0;
    Kind kind = Kind::order;
    bool exempt = false;   // from the limits of accounts and registered domains
    std::uint64_t ca = 0;  // digests, as all below
    std::uint64_t account = 0;
    std::uint64_t names = 0;             // of the exact set; of the one name that failed
    std::vector<std::uint64_t> domains;  // registered
  };
  struct Limits;
  [[nodiscard]] static const Limits* limits_of(std::string_view ca);
  [[nodiscard]] Entry entry_of(const OrderFacts& order, Kind kind, UnixSeconds now) const;
  void settle(const OrderFacts& order, Kind kind, UnixSeconds now);
  void add(Entry entry);
  template <typename Counts>
  [[nodiscard]] std::int64_t wait_for(std::size_t most, std::int64_t within, UnixSeconds now,
                                      Counts&& counts) const;

  const PublicSuffixes* suffixes_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // the oldest first
  bool changed_ = false;
};

}  // namespace tlsguard::renew

#endif
