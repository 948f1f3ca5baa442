// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "status/html.h"
#include "status/markup.h"

namespace tlsguard::status {
namespace {

using renew::TroubleReport;

constexpr std::size_t alerts_shown = 5;  // of a kind
constexpr std::size_t letters_shown = 5;
// What is older is nobody's concern any more; the agent keeps the last hundred for ever.
constexpr UnixSeconds letters_last = 30LL * 86400;

struct Kind {
  std::string_view name;  // renew::alert_name()
  std::string_view words;
  std::string_view color;
};
// The worst first.
constexpr std::array<Kind, 6> kinds{{{"cannot-load", "not loaded", "bad"},
                                     {"failing", "fails", "bad"},
                                     {"expiring", "expires", "warn"},
                                     {"unchecked", "not checked", "warn"},
                                     {"ca-silent", "CA silent", "warn"},
                                     {"awaits-reload", "awaits reload", "warn"}}};

// "ca=<URL>", "file=<path> <server name>", or a domain.
std::string subject_words(const std::string& subject) {
  if (subject.starts_with("ca=")) return escaped(subject.substr(3));
  if (subject.starts_with("file=")) return escaped(subject.substr(subject.rfind(' ') + 1));
  Query query;
  query.search = subject;
  return fmt::format(R"(<a href="{}#domains">{}</a>)", escaped(address_of(query)),
                     escaped(subject));
}

// What it says is of the time when it was said last.
std::string ages(const TroubleReport::OpenAlert& alert, UnixSeconds now) {
  std::string text = time_tag(alert.since, distance(alert.since, now));
  if (alert.said_at - alert.since < 60) return text;
  return text + "<br>as said " + time_tag(alert.said_at, distance(alert.said_at, now));
}

std::string more_words(std::size_t more) {
  return fmt::format(R"(<li class="muted">and {} more: see <code>tlsguardctl events</code></li>)",
                     grouped(more));
}

std::string alerts_of(const Model& model, const Kind& kind) {
  const TroubleReport& report = *model.troubles;
  std::string rows;
  std::size_t shown = 0;
  for (const TroubleReport::OpenAlert& alert : report.alerts) {
    if (alert.kind != kind.name) continue;
    if (shown++ == alerts_shown) break;
    rows += fmt::format(
        R"(<li class="notice {}"><span class="badge {}">{}</span><div><h3>{}</h3><p>{}</p></div>)"
        R"(<small class="muted">{}</small></li>)",
        kind.color, kind.color, kind.words, subject_words(alert.subject), escaped(alert.text),
        ages(alert, model.now));
  }
  auto all = report.counts.find(std::string(kind.name));
  std::size_t in_all = all != report.counts.end() ? all->second : 0;
  shown = std::min(shown, alerts_shown);
  return in_all > shown && shown > 0 ? rows + more_words(in_all - shown) : rows;
}

std::string wrong_now(const Model& model) {
  std::string rows;
  for (const Kind& kind : kinds) rows += alerts_of(model, kind);
  if (rows.empty()) return "";
  return fmt::format(
      R"(<section id="wrong"><h2>Wrong now</h2><ul class="domains notices">{}</ul></section>)",
      rows);
}

std::string letter_row(const TroubleReport::Letter& letter, UnixSeconds now) {
  return fmt::format(R"(<li class="notice"><span class="badge">{}</span><div><h3>{}</h3><p>{}</p>)"
                     R"(<small class="muted">to <code>{}</code>, {}</small></div>)"
                     R"(<small class="muted">{}</small></li>)",
                     escaped(letter.event), escaped(letter.domain), escaped(letter.error),
                     escaped(letter.to),
                     letter.tries == 1 ? "tried once" : fmt::format("tried {} times", letter.tries),
                     time_tag(letter.at, distance(letter.at, now)));
}

std::string not_delivered(const Model& model) {
  const TroubleReport& report = *model.troubles;
  std::string text;
  if (report.waiting > 0) {
    text = fmt::format(R"(<p class="muted lead">{} on the way, the oldest from {}.</p>)",
                       counted(report.waiting, "event"),
                       time_tag(report.waiting_since, distance(report.waiting_since, model.now)));
  }
  std::string rows;
  std::size_t lately = 0;
  for (const TroubleReport::Letter& letter : report.dead_letters) {
    if (model.now - letter.died_at > letters_last) continue;
    if (++lately <= letters_shown) rows += letter_row(letter, model.now);
  }
  if (lately > letters_shown) rows += more_words(lately - letters_shown);
  if (!rows.empty()) text += fmt::format(R"(<ul class="domains notices">{}</ul>)", rows);
  if (text.empty()) return "";
  return fmt::format(R"(<section id="undelivered"><h2>{}</h2>{}</section>)",
                     rows.empty() ? "Events" : "Not delivered", text);
}

}  // namespace

std::string troubles_section(const Model& model) {
  if (!model.no_troubles.empty()) {
    return fmt::format(
        R"(<section id="wrong"><p class="note">What is wrong now is not known: no report of the )"
        R"(agent: {}. See <code>tlsguardctl events</code>.</p></section>)",
        escaped(model.no_troubles));
  }
  return model.troubles ? wrong_now(model) + not_delivered(model) : "";
}

}  // namespace tlsguard::status
