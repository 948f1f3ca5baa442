// SPDX-License-Identifier: Apache-2.0
// TLSGuardEvent: commands run, webhooks called. Nobody waits for it but an order for the answer to
// `renewing`. Each line of the configuration gets every event of a domain, in order; domains and
// lines do not wait for each other. What is told waits in the Outbox, which outlives the agent.
//
// A command gets event and domain appended to its arguments, and is run once. A webhook gets a POST
// with JSON: {"id", "event", "domain", "names", "text", "time", "server", "version"}; where a key
// file is named, the field TLSGuard-Signature is "sha256=" and the HMAC-SHA256 of the body under
// the file's content, in hexadecimal. It is tried again for a day; the id stays the same.
// docs/events.md is the contract.
#ifndef TLSGUARD_RENEW_EVENT_RUNNER_H
#define TLSGUARD_RENEW_EVENT_RUNNER_H

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "core/log_sink.h"
#include "core/unix_time.h"
#include "net/http_client.h"
#include "renew/events.h"
#include "renew/outbox.h"
#include "renew/worker_pool.h"

namespace tlsguard::renew {

class EventRunner : public EventSink {
 public:
  struct Pace {
    std::chrono::milliseconds command{std::chrono::minutes(2)};
    // Seconds between the tries of a webhook; after the last one it is a dead letter.
    std::vector<std::int64_t> again{10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600};
  };
  struct Setup {
    net::HttpClientFactory webhooks;
    Clock now;
    std::string server = {};  // who tells, in the body
    Pace pace = {};
  };
  // log must outlive this.
  EventRunner(Setup setup, LogSink& log);

  // The agent's directory is ours: see Outbox::open.
  void open(const std::string& agent, const std::function<bool(const EventSpec&)>& is_known);

  [[nodiscard]] bool allows(const DomainSpec& domain) override;
  void tell(Event event, const DomainSpec& domain, const std::string& text) override;

  // Begins what is due; returns when something is due again.
  UnixSeconds deliver_due();
  // Does that for ever.
  void run();
  // Until all that is due has been done.
  void settle() { pool_.wait_idle(); }
  [[nodiscard]] const Outbox& outbox() const { return outbox_; }

 private:
  // What is wrong; empty: it ended well. started: whether it ran at all.
  std::string run_line(const EventSpec& line, const std::string& event, const std::string& domain,
                       bool& started);
  void deliver(Delivery delivery, HttpClients& clients);
  void run_command_of(Delivery& delivery);
  void call(Delivery& delivery, net::HttpClient& http);
  [[nodiscard]] std::string post(const Delivery& delivery, net::HttpClient& http);
  void not_delivered(Delivery& delivery);
  void wake();

  HttpFactories factories_;
  LogSink& log_;
  Clock now_;
  std::string server_;
  Pace pace_;
  Outbox outbox_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  WorkerPool pool_;  // last: its threads use all of the above
};

}  // namespace tlsguard::renew

#endif
