// SPDX-License-Identifier: Apache-2.0
// What is wrong for a while, and what of it was said: once when it begins, again while it lasts,
// once when it is over. Whoever finds something wrong raises it, however often; the answer is
// whether to say it now. Moments that lie in the future are those of a clock that has jumped back:
// they count as now, so nothing is said twice, and nothing is silent for years.
// Kept over restarts as JSON by the caller. Pure; one thread at a time.
#ifndef TLSGUARD_RENEW_ALERTS_H
#define TLSGUARD_RENEW_ALERTS_H

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/unix_time.h"
#include "renew/events.h"
#include "renew/trouble_report.h"

namespace tlsguard::renew {

inline constexpr char alerts_file[] = "alerts.json";
inline constexpr std::size_t max_alerts_file = 64UL * 1024 * 1024;

enum class AlertKind : std::uint8_t {
  expiring,      // in the warn window
  failing,       // no certificate can be obtained
  unchecked,     // no successful check for a while: the dead-man rule
  ca_silent,     // a CA does not answer
  cannot_load,   // workers cannot load what is live
  awaits_reload  // a certificate file is newer than what httpd serves
};
[[nodiscard]] std::string_view alert_name(AlertKind kind);  // "cannot-load"
[[nodiscard]] Event event_of(AlertKind kind);

struct AlertKey {
  std::string subject;  // a managed domain's first name, "ca=<URL>", "file=<path> <server name>"
  AlertKind kind = AlertKind::expiring;
  auto operator<=>(const AlertKey&) const = default;
};

struct Alert {
  static constexpr std::size_t max_text = 1024;
  UnixSeconds raised_at = 0;
  UnixSeconds said_at = 0;
  std::uint32_t count = 0;   // how often it was said
  UnixSeconds ended_at = 0;  // 0: it lasts; else it is remembered only lest it flaps
  std::string text;
  bool operator==(const Alert&) const = default;
};

struct Said {
  UnixSeconds at = 0;
  std::string event;  // event_name()
  std::string domain;
  std::string text;
  bool operator==(const Said&) const = default;
};

// As it is kept and said: whole characters (a cut one would be written as more bytes than are
// read).
[[nodiscard]] std::string text_of_alert(std::string_view text);

class Alerts {
 public:
  static constexpr std::size_t most_said = 200;
  static constexpr std::size_t most = 150000;  // alerts, and subjects with a last check

  // true: say it now.
  [[nodiscard]] bool raise(const AlertKey& key, std::string_view text, UnixSeconds now);
  // true: it was said, and is over now; say so.
  [[nodiscard]] bool end(const AlertKey& key, UnixSeconds now);
  [[nodiscard]] std::set<AlertKey> open() const;  // what lasts

  // A check of this subject has just gone well.
  void checked(const std::string& subject, UnixSeconds now);
  // The last one, or when this was first asked: something new has not failed to be checked.
  [[nodiscard]] UnixSeconds last_check(const std::string& subject, UnixSeconds now);

  // One message, for who asks later: the last two hundred.
  void remember(Said said);
  [[nodiscard]] const std::deque<Said>& said() const { return said_; }

  // Whatever else there is, is forgotten without a word: nobody configures it any more.
  void keep_only(const std::function<bool(const std::string& subject)>& is_subject);

  [[nodiscard]] const std::map<AlertKey, Alert>& all() const { return alerts_; }
  // What is wrong now: how many of each kind, and the newest of them.
  void put_open(TroubleReport& report) const;
  [[nodiscard]] std::string to_json() const;
  // Replaces what is there.
  [[nodiscard]] Result<void> read_json(std::string_view text, UnixSeconds now);
  // Whether anything worth a write has changed since the last call: not a check that went well
  // like the one before.
  [[nodiscard]] bool take_changed();
  // What was taken could not be written.
  void not_kept();

 private:
  std::map<AlertKey, Alert> alerts_;
  struct Check {
    UnixSeconds at = 0;
    bool noted = false;  // `at` is on its way to the disk, and has not changed since
  };
  std::map<std::string, Check, std::less<>> checks_;
  std::deque<Said> said_;  // the oldest first
  bool changed_ = false;
};

}  // namespace tlsguard::renew

#endif
