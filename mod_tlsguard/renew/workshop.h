// SPDX-License-Identifier: Apache-2.0
// What all jobs of the agent share. References to objects that outlive every job; each of them is
// thread-safe, or says for what it is.
#ifndef TLSGUARD_RENEW_WORKSHOP_H
#define TLSGUARD_RENEW_WORKSHOP_H

#include <chrono>
#include <cstdint>
#include <functional>

#include "core/log_sink.h"
#include "core/unix_time.h"
#include "crypto/sealing.h"
#include "renew/accounts.h"
#include "renew/ca_health.h"
#include "renew/ca_metrics.h"
#include "renew/events.h"
#include "renew/internal_issuer.h"
#include "renew/job_store.h"
#include "renew/ledger.h"
#include "renew/live_view.h"
#include "renew/report_files.h"
#include "renew/solver.h"
#include "renew/spec.h"
#include "store/certificate_store.h"
#include "store/challenge_store.h"

namespace tlsguard::renew {

// The world outside, as tests replace it.
struct World {
  Clock now;
  std::function<void(std::chrono::milliseconds)> sleep;
  std::function<std::uint64_t()> random;
  std::function<bool()> stopping;
  // How the outside reaches us, and how DNS is asked; other than the usual only in tests.
  net::DnsSettings dns = {};
  OutsidePorts outside = {};
  Propagation propagation = {};
};

struct Workshop {
  const World& world;
  const Reachability& reach;
  const crypto::SealingKey& sealing;
  JobStore& jobs;
  store::CertificateStore& certificates;
  store::ChallengeStore& challenges;
  Accounts& accounts;
  Ledger& ledger;
  CaHealth& health;
  InternalIssuer& internal;
  LiveView& live;
  ReportFiles& reports;
  CaMetrics& metrics;
  EventSink& events;
  LogSink& log;
};

}  // namespace tlsguard::renew

#endif
