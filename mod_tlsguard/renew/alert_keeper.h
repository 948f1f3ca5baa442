// SPDX-License-Identifier: Apache-2.0
// Between those who find something wrong and those who tell it: what jobs say passes through here,
// and what the watch (watch.h) finds, so that each trouble is said once, again while it lasts, and
// once when it is over. Kept in agent/alerts.json; a torn one is set aside, which costs a repeated
// message at most. Thread-safe; writes a file, without waiting for the disk.
#ifndef TLSGUARD_RENEW_ALERT_KEEPER_H
#define TLSGUARD_RENEW_ALERT_KEEPER_H

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/log_sink.h"
#include "renew/alerts.h"
#include "renew/events.h"
#include "store/state_file.h"

namespace tlsguard::renew {

// What one look at a subject has found about one kind of trouble.
struct Observation {
  enum class State : std::uint8_t { fine, wrong };
  AlertKey key;
  State state = State::fine;
  std::string text;  // what is wrong, or why it is over
  // Whom it concerns: each gets a message of its own.
  std::vector<std::shared_ptr<const DomainSpec>> to;
};

class AlertKeeper : public EventSink {
 public:
  // Both outlive this.
  AlertKeeper(EventSink& inner, LogSink& log, Clock now)
      : inner_(inner), log_(log), now_(std::move(now)) {}

  // agent: the agent's directory, from now on ours.
  void open(const std::string& agent);

  [[nodiscard]] bool allows(const DomainSpec& domain) override { return inner_.allows(domain); }
  void tell(Event event, const DomainSpec& domain, const std::string& text) override;

  // What nothing is found about stays as it is; what is no subject any more is forgotten.
  // seen_at: when what the findings are about was looked at. What has begun since is not over.
  void judge(const std::vector<Observation>& findings, UnixSeconds seen_at,
             const std::function<bool(const std::string& subject)>& is_subject);
  // A check of this subject went well; and how long ago the last one was.
  void checked(const std::string& subject);
  [[nodiscard]] UnixSeconds last_check(const std::string& subject);
  [[nodiscard]] std::set<AlertKey> open_alerts() const;
  void put_open(TroubleReport& report) const;
  // Writes what has changed, if it can be written now. Call it again later.
  void flush();

 private:
  struct Message {
    Event event;
    std::shared_ptr<const DomainSpec> to;
    std::string text;
  };
  void settle(const Observation& finding, UnixSeconds seen_at, std::vector<Message>& messages,
              std::map<std::string, Message>& over);
  [[nodiscard]] bool passes(Event event, const std::string& domain, const std::string& text);
  [[nodiscard]] bool ends_anything(const std::string& domain, UnixSeconds now);
  static std::vector<Message> gathered(std::vector<Message> messages);

  EventSink& inner_;
  LogSink& log_;
  Clock now_;
  mutable std::mutex mutex_;
  std::mutex writing_;  // of the file
  std::optional<store::Directory> directory_;
  Alerts alerts_;
  // Messages that alerts_ has as said and inner_ has not been told of yet: nothing is written then.
  int on_the_way_ = 0;
  std::chrono::steady_clock::time_point write_again_at_;  // a large file is not written at each
  bool complained_ = false;
};

}  // namespace tlsguard::renew

#endif
