// SPDX-License-Identifier: Apache-2.0
// Events that are on their way: kept in the agent's directory, one file each, so that a restart
// loses none, and bounded in number and bytes. Of one line of TLSGuardEvent and one domain only the
// oldest is ever taken, so a receiver gets them in order; of one line at most four are under way,
// so one that hangs holds up nobody else. What was given up is kept, too: the dead letters, the
// last hundred. Thread-safe; writes files, without waiting for the disk.
#ifndef TLSGUARD_RENEW_OUTBOX_H
#define TLSGUARD_RENEW_OUTBOX_H

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/log_sink.h"
#include "renew/delivery.h"
#include "renew/schedule.h"
#include "renew/trouble_report.h"
#include "store/state_file.h"

namespace tlsguard::renew {

inline constexpr char outbox_directory[] = "outbox";

class Outbox {
 public:
  static constexpr std::size_t most_waiting = 1000;
  static constexpr std::size_t most_bytes = 8UL * 1024 * 1024;

  explicit Outbox(LogSink& log) : log_(log) {}  // which outlives this
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // agent: the agent's directory, from now on ours. What an agent before us left is taken up, if
  // `is_known` says that its line is still configured; else it is a dead letter. Without this call
  // all is in memory only.
  void open(const std::string& agent, const std::function<bool(const EventSpec&)>& is_known,
            UnixSeconds now);

  void add(Delivery delivery, UnixSeconds now);
  // One that is due, now under way. Followed by delivered(), again() or give_up().
  [[nodiscard]] std::optional<Delivery> take(UnixSeconds now);
  // A command is about to be run: not by the next agent again, for it may be what ends this one.
  // To that one it is a dead letter.
  void begun(Delivery delivery);
  // The receiver is there: what else waits for it is due at once.
  void delivered(const Delivery& delivery);
  void again(const Delivery& delivery);  // at its next_at
  void give_up(const Delivery& delivery, UnixSeconds now);

  // When something is due, or was when this was called; never: nothing waits.
  [[nodiscard]] UnixSeconds next() const;
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::vector<DeadLetter> dead_letters() const;  // the oldest first
  // What waits, since when, and the dead letters.
  void put_undelivered(TroubleReport& report) const;

 private:
  struct Item {
    Delivery delivery;
    std::string line;  // what tells lines apart
    bool running = false;
  };
  using Items = std::map<std::uint64_t, Item>;

  // Under the mutex:
  void put(Delivery delivery);
  void make_room(UnixSeconds now);
  void bury(const Delivery& delivery, UnixSeconds now);
  void write(const Delivery& delivery);
  void write_letters();
  void forget_file(const Delivery& delivery);
  void complain(const Error& error);
  void read_waiting(const std::function<bool(const EventSpec&)>& is_known, UnixSeconds now);
  void take_up(Delivery delivery, bool is_known, UnixSeconds now);
  void read_letters();

  LogSink& log_;
  mutable std::mutex mutex_;
  std::optional<store::Directory> directory_;
  Items items_;
  std::size_t bytes_ = 0;
  std::uint64_t last_number_ = 0;
  std::vector<DeadLetter> letters_;
  bool complained_ = false;
  bool overflowed_ = false;
};

// What the agent's directory has of dead letters: for who is not the agent.
[[nodiscard]] Result<std::vector<DeadLetter>> read_dead_letters(const store::Directory& agent);

}  // namespace tlsguard::renew

#endif
