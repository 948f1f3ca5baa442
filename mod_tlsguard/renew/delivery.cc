// SPDX-License-Identifier: Apache-2.0
#include "renew/delivery.h"

#include <algorithm>
#include <limits>

#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr int format_version = 1;
constexpr JsonBounds delivery_bounds{max_delivery_file, 4};
constexpr JsonBounds letters_bounds{max_dead_letters_file, 4};
constexpr std::size_t longest_word = 255;
constexpr std::size_t longest_argument = 4096;
constexpr std::size_t most_arguments = 256;
constexpr std::int64_t most_number = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t most_tries = std::numeric_limits<std::uint32_t>::max();

void read_letter(Members& members, DeadLetter& letter) {
  members.text("id", letter.id, longest_word);
  members.text("event", letter.event, longest_word);
  members.text("domain", letter.domain, longest_word);
  members.time("at", letter.at);
  members.time("died_at", letter.died_at);
  members.text("to", letter.to, longest_argument);
  members.number("tries", letter.tries, 0, most_tries);
  members.text("error", letter.error, max_event_text);
  members.text("text", letter.text, max_event_text);
}

}  // namespace

std::string to_json(const Delivery& delivery) {
  return dump({{"version", format_version},
               {"number", delivery.number},
               {"id", delivery.id},
               {"event", delivery.event},
               {"domain", delivery.domain},
               {"at", delivery.at},
               {"text", delivery.text},
               {"kind", static_cast<int>(delivery.to.kind)},
               {"arguments", delivery.to.arguments},
               {"body", delivery.body},
               {"tries", delivery.tries},
               {"next_at", delivery.next_at},
               {"error", delivery.error},
               {"begun", delivery.begun}}) +
         "\n";
}

Result<Delivery> delivery_from_json(std::string_view text) {
  auto parsed = parse_object(text, delivery_bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  Delivery delivery;
  Members members(*parsed, "delivery");
  int version = 0;
  int kind = 0;
  members.number("version", version, format_version, format_version);
  members.number("number", delivery.number, 1, most_number);
  members.text("id", delivery.id, longest_word);
  members.text("event", delivery.event, longest_word);
  members.text("domain", delivery.domain, longest_word);
  members.time("at", delivery.at);
  members.text("text", delivery.text, max_event_text);
  members.number("kind", kind, 0, static_cast<int>(EventSpec::Kind::webhook));
  members.texts("arguments", delivery.to.arguments, most_arguments, longest_argument);
  members.text("body", delivery.body, max_delivery_file);
  members.number("tries", delivery.tries, 0, most_tries);
  members.time("next_at", delivery.next_at);
  members.text("error", delivery.error, max_event_text);
  members.flag("begun", delivery.begun);
  if (members.error()) return tl::unexpected(*members.error());
  if (delivery.to.arguments.empty()) return fail("delivery.arguments is empty");
  delivery.to.kind = static_cast<EventSpec::Kind>(kind);
  return delivery;
}

Json to_json(const DeadLetter& letter) {
  return {{"id", letter.id},       {"event", letter.event}, {"domain", letter.domain},
          {"at", letter.at},       {"to", letter.to},       {"died_at", letter.died_at},
          {"tries", letter.tries}, {"error", letter.error}, {"text", letter.text}};
}

std::string to_json(const std::vector<DeadLetter>& letters) {
  Json list = Json::array();
  for (const DeadLetter& letter : letters) list.push_back(to_json(letter));
  return dump({{"version", format_version}, {"letters", std::move(list)}}) + "\n";
}

Result<std::vector<DeadLetter>> dead_letters_from_json(std::string_view text) {
  auto parsed = parse_object(text, letters_bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  std::vector<DeadLetter> letters;
  Members members(*parsed, "dead letters");
  int version = 0;
  members.number("version", version, format_version, format_version);
  members.objects("letters", letters, most_dead_letters, read_letter);
  if (members.error()) return tl::unexpected(*members.error());
  return letters;
}

std::string receiver_of(const EventSpec& line) {
  if (line.arguments.empty()) return {};
  const std::string& first = line.arguments.front();
  if (line.kind == EventSpec::Kind::command) return first;
  std::size_t host = first.find("://");
  if (host == std::string::npos) return "webhook";
  host += 3;
  std::size_t end = std::min(first.find_first_of("/?#", host), first.size());
  // No user and password either.
  std::size_t at = first.rfind('@', end);
  std::size_t begin = at != std::string::npos && at >= host && at < end ? at + 1 : host;
  return first.substr(0, host) + first.substr(begin, end - begin);
}

}  // namespace tlsguard::renew
