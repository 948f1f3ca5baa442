// SPDX-License-Identifier: Apache-2.0
#include "renew/trouble_report.h"

#include <algorithm>
#include <limits>

#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr JsonBounds bounds{max_trouble_report, 4};
constexpr std::size_t longest_word = 255;
constexpr std::size_t longest_text = 1024;
constexpr std::size_t longest_path = 4096;
constexpr std::int64_t most_counted = std::int64_t{1} << 53;

// Bytes that are no UTF-8 are replaced by three each.
constexpr std::size_t widened = 3;

std::string cut(const std::string& text, std::size_t longest) {
  std::size_t size = std::min(text.size(), longest);
  auto in_character = [&] { return (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80; };
  while (size > 0 && size < text.size() && in_character()) --size;
  return text.substr(0, size);
}

Json alerts_json(const TroubleReport& report) {
  Json list = Json::array();
  for (const TroubleReport::OpenAlert& alert : report.alerts) {
    list.push_back({{"kind", cut(alert.kind, longest_word)},
                    {"subject", cut(alert.subject, longest_text)},
                    {"since", alert.since},
                    {"text", cut(alert.text, longest_text)},
                    {"said_at", alert.said_at}});
  }
  return list;
}

Json letters_json(const TroubleReport& report) {
  Json list = Json::array();
  for (const TroubleReport::Letter& letter : report.dead_letters) {
    list.push_back({{"at", letter.at},
                    {"died_at", letter.died_at},
                    {"event", cut(letter.event, longest_word)},
                    {"domain", cut(letter.domain, longest_word)},
                    {"to", cut(letter.to, longest_text)},
                    {"error", cut(letter.error, longest_text)},
                    {"tries", letter.tries}});
  }
  return list;
}

Json files_json(const TroubleReport& report) {
  Json list = Json::array();
  for (const TroubleReport::File& file : report.files) {
    // One that is cut would be another's.
    if (file.file.size() > longest_path) continue;
    list.push_back({{"file", file.file},
                    {"serial", cut(file.serial, longest_word)},
                    {"readable", file.readable},
                    {"newer_since", file.newer_since},
                    {"newer_until", file.newer_until}});
  }
  return list;
}

std::string written(const TroubleReport& report) {
  return dump({{"counts", report.counts},
               {"alerts", alerts_json(report)},
               {"dead_letters", letters_json(report)},
               {"waiting", report.waiting},
               {"waiting_since", report.waiting_since},
               {"files", files_json(report)}});
}

template <typename T>
void keep(std::vector<T>& list, std::size_t most) {
  list.resize(std::min(list.size(), most));
}

void read_alert(Members& m, TroubleReport::OpenAlert& alert) {
  m.text("kind", alert.kind, longest_word);
  m.text("subject", alert.subject, widened * longest_text);
  m.time("since", alert.since);
  m.text("text", alert.text, widened * longest_text);
  m.time("said_at", alert.said_at);
}

void read_letter(Members& m, TroubleReport::Letter& letter) {
  m.time("at", letter.at);
  m.time("died_at", letter.died_at);
  m.text("event", letter.event, longest_word);
  m.text("domain", letter.domain, widened * longest_word);
  m.text("to", letter.to, widened * longest_text);
  m.text("error", letter.error, widened * longest_text);
  m.number("tries", letter.tries, 0, std::numeric_limits<std::uint32_t>::max());
}

void read_file(Members& m, TroubleReport::File& file) {
  m.text("file", file.file, widened * longest_path);
  m.text("serial", file.serial, longest_word);
  m.flag("readable", file.readable);
  m.time("newer_since", file.newer_since);
  m.time("newer_until", file.newer_until);
}

// By names that are data.
void read_counts(Members& m, std::map<std::string, std::uint64_t>& counts) {
  const Json* object = m.find("counts");
  if (object == nullptr) return;
  if (!object->is_object() || object->size() > TroubleReport::most_kinds) {
    return m.note("counts is not an object of bounded size");
  }
  m.object("counts", [&](Members& members) {
    for (const auto& [kind, count] : object->items()) {
      if (kind.size() > longest_word) return members.note("counts has a name that is too long");
      members.number(kind.c_str(), counts[kind], 0, most_counted);
    }
  });
}

}  // namespace

std::string to_json(TroubleReport report) {
  keep(report.alerts, TroubleReport::most_kinds * TroubleReport::most_alerts_of_kind);
  keep(report.dead_letters, TroubleReport::most_letters);
  keep(report.files, TroubleReport::most_files);
  for (;;) {
    std::string text = written(report);
    bool empty = report.alerts.empty() && report.dead_letters.empty() && report.files.empty();
    if (text.size() <= max_trouble_report || empty) return text;
    keep(report.alerts, report.alerts.size() / 2);
    keep(report.dead_letters, report.dead_letters.size() / 2);
    keep(report.files, report.files.size() / 2);
  }
}

Result<TroubleReport> trouble_report_from_json(std::string_view text) {
  auto object = parse_object(text, bounds);
  if (!object) return tl::unexpected(object.error());
  TroubleReport report;
  Members m(*object, "report");
  read_counts(m, report.counts);
  m.objects("alerts", report.alerts, TroubleReport::most_kinds * TroubleReport::most_alerts_of_kind,
            read_alert);
  m.objects("dead_letters", report.dead_letters, TroubleReport::most_letters, read_letter);
  m.number("waiting", report.waiting, 0, most_counted);
  m.time("waiting_since", report.waiting_since);
  m.objects("files", report.files, TroubleReport::most_files, read_file);
  if (m.error()) return tl::unexpected(*m.error());
  return report;
}

}  // namespace tlsguard::renew
