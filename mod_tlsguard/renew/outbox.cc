// SPDX-License-Identifier: Apache-2.0
#include "renew/outbox.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/text.h"

namespace tlsguard::renew {
namespace {

constexpr mode_t private_file = 0600;
constexpr mode_t private_directory = 0700;
constexpr std::size_t at_once = 4;        // of one line
constexpr std::size_t most_files = 4096;  // that an agent before us may have left
constexpr std::int64_t longest_wait = 7 * 86400;

std::string file_of(std::uint64_t number) { return std::to_string(number) + ".json"; }

// What else there may be is not ours to read or to set aside.
bool is_ours(std::string_view name) {
  std::size_t digits = name.find_first_not_of("0123456789");
  return digits > 0 && digits != std::string_view::npos && name.substr(digits) == ".json";
}

std::string key_of(const EventSpec& line) {
  return std::to_string(static_cast<int>(line.kind)) + '\n' + join(line.arguments, "\n");
}

std::size_t size_of(const Delivery& delivery) {
  return delivery.body.size() + delivery.text.size() + 256;
}

bool is_due(const Delivery& delivery, UnixSeconds now) {
  // A wait that no retry has is that of a clock which has jumped back.
  return delivery.next_at <= now || delivery.next_at - now > longest_wait;
}

DeadLetter letter_of(const Delivery& delivery, UnixSeconds now) {
  return {delivery.id,  delivery.event,           delivery.domain, delivery.at,
          now,          receiver_of(delivery.to), delivery.tries,  delivery.error,
          delivery.text};
}

}  // namespace

void Outbox::open(const std::string& agent, const std::function<bool(const EventSpec&)>& is_known,
                  UnixSeconds now) {
  std::lock_guard lock(mutex_);
  auto directory =
      store::Directory::open_or_create(agent + "/" + outbox_directory, private_directory);
  if (!directory) return complain(directory.error());
  directory_.emplace(std::move(*directory));
  read_letters();
  Items early = std::exchange(items_, {});
  bytes_ = 0;
  read_waiting(is_known, now);
  for (auto& [number, item] : early) {
    item.delivery.number = ++last_number_;
    put(std::move(item.delivery));
  }
}

void Outbox::read_letters() {
  auto text = directory_->read(dead_letters_file, max_dead_letters_file);
  if (!text || !*text) return;
  auto letters = dead_letters_from_json(**text);
  if (letters) {
    letters_ = std::move(*letters);
    return;
  }
  complain(letters.error().within(dead_letters_file));
  static_cast<void>(directory_->set_aside(dead_letters_file));
}

void Outbox::read_waiting(const std::function<bool(const EventSpec&)>& is_known, UnixSeconds now) {
  auto names = directory_->names(most_files);
  if (!names) return complain(names.error());
  for (const std::string& name : *names) {
    if (!is_ours(name)) continue;
    auto text = directory_->read(name, max_delivery_file);
    if (!text || !*text) continue;
    auto delivery = delivery_from_json(**text);
    if (!delivery || file_of(delivery->number) != name) {
      complain(delivery ? Error{"'" + name + "' is not what its name says"}
                        : delivery.error().within(name));
      static_cast<void>(directory_->set_aside(name));
      continue;
    }
    bool known = is_known(delivery->to);
    take_up(std::move(*delivery), known, now);
  }
}

void Outbox::take_up(Delivery delivery, bool is_known, UnixSeconds now) {
  last_number_ = std::max(last_number_, delivery.number);
  if (is_known && !delivery.begun) {
    bytes_ += size_of(delivery);
    std::string line = key_of(delivery.to);
    std::uint64_t number = delivery.number;
    items_.emplace(number, Item{std::move(delivery), std::move(line), false});
    return;
  }
  delivery.error = delivery.begun ? "the agent ended while it ran: how it ended is not known"
                                  : "its line of TLSGuardEvent is no longer in the configuration";
  bury(delivery, now);
  forget_file(delivery);
}

void Outbox::put(Delivery delivery) {
  bytes_ += size_of(delivery);
  write(delivery);
  std::string line = key_of(delivery.to);
  std::uint64_t number = delivery.number;
  items_.emplace(number, Item{std::move(delivery), std::move(line), false});
}

void Outbox::add(Delivery delivery, UnixSeconds now) {
  std::lock_guard lock(mutex_);
  delivery.number = ++last_number_;
  put(std::move(delivery));
  make_room(now);
}

void Outbox::make_room(UnixSeconds now) {
  while (items_.size() > most_waiting || bytes_ > most_bytes) {
    auto oldest = std::find_if(items_.begin(), items_.end(),
                               [](const auto& each) { return !each.second.running; });
    if (oldest == items_.end()) return;
    Delivery given_up = std::move(oldest->second.delivery);
    bytes_ -= size_of(given_up);
    items_.erase(oldest);
    forget_file(given_up);
    given_up.error = "too many events wait for receivers that do not answer";
    bury(given_up, now);
    if (std::exchange(overflowed_, true)) continue;
    log_.write(Severity::warning, "TG0142",
               "events: more wait than are kept, and the oldest are given up; 'tlsguardctl events' "
               "lists them");
  }
}

std::optional<Delivery> Outbox::take(UnixSeconds now) {
  std::lock_guard lock(mutex_);
  std::map<std::string_view, std::size_t> running;
  for (const auto& [number, item] : items_) running[item.line] += item.running ? 1 : 0;
  std::set<std::pair<std::string_view, std::string_view>> earlier;
  for (auto& [number, item] : items_) {
    bool first = earlier.emplace(item.line, item.delivery.domain).second;
    if (!first || item.running || running[item.line] >= at_once) continue;
    if (!is_due(item.delivery, now)) continue;
    item.running = true;
    return item.delivery;
  }
  return std::nullopt;
}

void Outbox::begun(Delivery delivery) {
  std::lock_guard lock(mutex_);
  delivery.begun = true;
  write(delivery);
}

void Outbox::delivered(const Delivery& delivery) {
  std::lock_guard lock(mutex_);
  auto found = items_.find(delivery.number);
  if (found == items_.end()) return;
  bool was_away = std::any_of(items_.begin(), items_.end(), [&](const auto& each) {
    return each.second.line == found->second.line && each.second.delivery.tries > 0;
  });
  for (auto& [number, item] : items_) {
    if (was_away && item.line == found->second.line && !item.running) item.delivery.next_at = 0;
  }
  bytes_ -= size_of(found->second.delivery);
  items_.erase(found);
  forget_file(delivery);
  if (items_.size() < most_waiting / 2) overflowed_ = false;
}

void Outbox::again(const Delivery& delivery) {
  std::lock_guard lock(mutex_);
  auto found = items_.find(delivery.number);
  if (found == items_.end()) return;
  found->second.delivery = delivery;
  found->second.running = false;
  write(delivery);
}

void Outbox::give_up(const Delivery& delivery, UnixSeconds now) {
  std::lock_guard lock(mutex_);
  auto found = items_.find(delivery.number);
  if (found != items_.end()) {
    bytes_ -= size_of(found->second.delivery);
    items_.erase(found);
  }
  // The letter first: rather twice than not at all.
  bury(delivery, now);
  forget_file(delivery);
}

void Outbox::bury(const Delivery& delivery, UnixSeconds now) {
  letters_.push_back(letter_of(delivery, now));
  if (letters_.size() > most_dead_letters) {
    letters_.erase(letters_.begin(), letters_.end() - most_dead_letters);
  }
  write_letters();
}

void Outbox::write(const Delivery& delivery) {
  if (!directory_) return;
  auto written = directory_->write(file_of(delivery.number), to_json(delivery), private_file,
                                   store::Durability::quick);
  if (!written) complain(written.error());
}

void Outbox::write_letters() {
  if (!directory_) return;
  auto written = directory_->write(dead_letters_file, to_json(letters_), private_file,
                                   store::Durability::quick);
  if (!written) complain(written.error());
}

void Outbox::forget_file(const Delivery& delivery) {
  if (!directory_) return;
  if (auto removed = directory_->remove(file_of(delivery.number)); !removed) {
    complain(removed.error());
  }
}

// Once: a full disk is not worth a line an event.
void Outbox::complain(const Error& error) {
  if (std::exchange(complained_, true)) return;
  log_.write(Severity::warning, "TG0143",
             "events: what waits for its receivers is not kept over a restart: " + error.text);
}

UnixSeconds Outbox::next() const {
  std::lock_guard lock(mutex_);
  UnixSeconds next = never;
  std::set<std::pair<std::string_view, std::string_view>> earlier;
  for (const auto& [number, item] : items_) {
    bool first = earlier.emplace(item.line, item.delivery.domain).second;
    if (first && !item.running) next = std::min(next, item.delivery.next_at);
  }
  return next;
}

std::size_t Outbox::waiting() const {
  std::lock_guard lock(mutex_);
  return items_.size();
}

std::vector<DeadLetter> Outbox::dead_letters() const {
  std::lock_guard lock(mutex_);
  return letters_;
}

void Outbox::put_undelivered(TroubleReport& report) const {
  std::lock_guard lock(mutex_);
  report.waiting = items_.size();
  report.waiting_since = 0;
  for (const auto& [number, item] : items_) {
    UnixSeconds at = item.delivery.at;
    if (report.waiting_since == 0 || at < report.waiting_since) report.waiting_since = at;
  }
  for (auto letter = letters_.rbegin(); letter != letters_.rend(); ++letter) {
    report.dead_letters.push_back({letter->at, letter->died_at, letter->event, letter->domain,
                                   letter->to, letter->error, letter->tries});
  }
}

Result<std::vector<DeadLetter>> read_dead_letters(const store::Directory& agent) {
  auto directory = agent.below(outbox_directory);
  if (!directory) return tl::unexpected(directory.error());
  if (!*directory) return std::vector<DeadLetter>();
  auto text = (*directory)->read(dead_letters_file, max_dead_letters_file);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::vector<DeadLetter>();
  return dead_letters_from_json(**text);
}

}  // namespace tlsguard::renew
