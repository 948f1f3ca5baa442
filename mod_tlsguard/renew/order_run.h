// SPDX-License-Identifier: Apache-2.0
// Drives an order at a CA from wherever its record stands to the last checked chain (RFC 8555 7.4).
// Every step is in order.json before the next is taken. One thread for each object; blocking, with
// waits that are short: what takes longer is left to another look.
#ifndef TLSGUARD_RENEW_ORDER_RUN_H
#define TLSGUARD_RENEW_ORDER_RUN_H

#include <cstdint>
#include <string>
#include <vector>

#include "acme/client.h"
#include "core/error.h"
#include "net/http_client.h"
#include "renew/order_record.h"
#include "renew/solver.h"
#include "renew/workshop.h"

namespace tlsguard::renew {

// Seconds until the order should be looked at again; 0: all its chains are there.
struct Progress {
  std::int64_t wait = 0;
};

class OrderRun {
 public:
  // All of them outlive this. record: kept in step with the file.
  OrderRun(const Workshop& shop, net::HttpClient& http, SolverContext& solver, acme::Client& client,
           OrderRecord& record)
      : shop_(shop), http_(http), solver_(solver), client_(client), record_(record) {}

  // attempt: how often this domain has failed in a row; challenge types take turns by it.
  // Errors of our own part have the kind "store", "provision" or "actionNeeded".
  [[nodiscard]] Result<Progress> advance(std::uint32_t attempt);
  // After an error: nothing can become of this order any more.
  [[nodiscard]] bool dead() const { return dead_; }
  // Takes away what was put in place, and lets go of authorizations at the CA.
  void abandon();

 private:
  class Patience;
  struct Open {
    acme::Authorization authorization;
    acme::Challenge challenge;
  };

  Result<acme::Order> open(OrderPart& part);
  Result<acme::Order> place(OrderPart& part);
  Result<Progress> authorize(const acme::Order& order, Patience& patience, std::uint32_t attempt);
  Result<std::vector<Open>> open_authorizations(const acme::Order& order, std::uint32_t attempt);
  Result<acme::Challenge> choose(const acme::Authorization& authorization, std::uint32_t attempt);
  Result<Progress> validate(std::vector<Open>& open, Patience& patience);
  Result<void> put_in_place(const std::vector<Open>& open);
  Error refused(const acme::Authorization& authorization);
  void take_away();
  Result<Progress> make_ready(OrderPart& part, acme::Order& order, Patience& patience,
                              std::uint32_t attempt);
  Result<void> finalize(OrderPart& part, acme::Order& order);
  Result<Progress> collect(OrderPart& part, acme::Order& order, Patience& patience);
  Result<void> download(OrderPart& part);
  Error invalid(const acme::Order& order);
  Result<void> save();

  const Workshop& shop_;
  net::HttpClient& http_;
  SolverContext& solver_;
  acme::Client& client_;
  OrderRecord& record_;
  bool dead_ = false;
};

}  // namespace tlsguard::renew

#endif
