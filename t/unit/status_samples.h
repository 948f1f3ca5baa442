// SPDX-License-Identifier: Apache-2.0
// A model for the tests of the status page.
#ifndef TLSGUARD_T_UNIT_STATUS_SAMPLES_H
#define TLSGUARD_T_UNIT_STATUS_SAMPLES_H

#include <string>

#include "status/model.h"

namespace tlsguard::test {

inline constexpr UnixSeconds status_day = 86400;
inline constexpr UnixSeconds status_now = 1795219200;  // 2026-11-21

// Live for 60 of its 90 days, with nothing wrong.
inline status::Domain good_domain(const std::string& identity) {
  status::Domain domain;
  domain.identity = identity;
  domain.names = {identity};
  domain.phase = renew::Phase::waiting;
  domain.generation = 3;
  domain.not_before = status_now - 30 * status_day;
  domain.not_after = status_now + 60 * status_day;
  domain.next_run = status_now + 30 * status_day;
  return domain;
}

inline status::DomainFacts facts_of(const std::string& identity) {
  status::DomainFacts facts;
  facts.names = {identity, "alias." + identity};
  facts.version = 2;
  facts.since = status_now - 30 * status_day;
  facts.ca = "letsencrypt";
  facts.certificates = {{"P-256", "0a0b0c", "CN=E7,O=Let's Encrypt", status_now - 30 * status_day,
                         status_now + 60 * status_day}};
  facts.served = {{3, {"0a0b0c"}}, {2, {"010203"}}};
  facts.next = {status_now + 30 * status_day, "window", status_now + 29 * status_day, 0};
  facts.history = {{status_now - 30 * status_day, "activated", "version 2 is live"}};
  return facts;
}

inline status::Model empty_model() {
  status::Model model;
  model.now = status_now;
  model.server_name = "www.example.org";
  model.version = "0.1.0";
  model.httpd = "Apache/2.4.62";
  model.openssl = "OpenSSL 3.0.22";
  return model;
}

}  // namespace tlsguard::test

#endif
