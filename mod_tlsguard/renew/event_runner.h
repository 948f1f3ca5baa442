// SPDX-License-Identifier: Apache-2.0
// TLSGuardEvent: commands run, webhooks called. Nobody waits for it but an order for the answer to
// `renewing`. Each line of the configuration gets every event of a domain, in order; domains do not
// wait for each other.
//
// A command gets event and domain appended to its arguments. A webhook gets a POST with JSON:
// {"event", "domain", "names", "text", "time"}; where a key file is named, the field
// TLSGuard-Signature is "sha256=" and the HMAC-SHA256 of the body under the file's content, in
// hexadecimal. It is tried three times.
#ifndef TLSGUARD_RENEW_EVENT_RUNNER_H
#define TLSGUARD_RENEW_EVENT_RUNNER_H

#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "core/log_sink.h"
#include "core/unix_time.h"
#include "net/http_client.h"
#include "renew/events.h"
#include "renew/worker_pool.h"

namespace tlsguard::renew {

class EventRunner : public EventSink {
 public:
  struct Pace {
    std::chrono::milliseconds command{std::chrono::minutes(2)};
    std::chrono::milliseconds again{std::chrono::seconds(10)};  // a webhook, and six times that
    std::int64_t failed_every = 3600;  // seconds between two events `failed` of one domain
  };
  // log must outlive this.
  EventRunner(net::HttpClientFactory webhooks, LogSink& log, Clock now)
      : EventRunner(std::move(webhooks), log, std::move(now), Pace()) {}
  EventRunner(net::HttpClientFactory webhooks, LogSink& log, Clock now, Pace pace);

  [[nodiscard]] bool allows(const DomainSpec& domain) override;
  void tell(Event event, const DomainSpec& domain, const std::string& text) override;
  // Until all that was told has been done.
  void settle() { pool_.wait_idle(); }

 private:
  bool run(const EventSpec& line, Event event, const std::string& identity);
  void call(const EventSpec& line, Event event, const std::string& identity,
            const std::string& body, net::HttpClient& http);
  [[nodiscard]] std::string body_of(Event event, const DomainSpec& domain,
                                    const std::string& text) const;
  void drain(const std::string& identity, HttpClients& clients);
  [[nodiscard]] bool too_soon(Event event, const std::string& identity);

  HttpFactories factories_;
  LogSink& log_;
  Clock now_;
  Pace pace_;
  std::mutex mutex_;
  std::map<std::string, UnixSeconds> failed_at_;              // by identity
  std::map<std::string, std::deque<WorkerPool::Task>> told_;  // of domains that one works on
  WorkerPool pool_;
};

}  // namespace tlsguard::renew

#endif
