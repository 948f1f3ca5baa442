// SPDX-License-Identifier: Apache-2.0
#include "live/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/date.h"

namespace tlsguard::live {
namespace {

constexpr std::size_t offers_shown = 5;  // of each virtual host

// Day and no more: that is what matters over a month.
std::string day_of(UnixSeconds seconds) {
  return seconds == 0 ? "never" : format_date(seconds).substr(0, 10);
}

// "www.example.org|192.0.2.1:443 [::1]:443": how the caller joined it is not for people.
std::string shown(const std::string& key) {
  std::string text = key;
  std::replace(text.begin(), text.end(), '|', ' ');
  return text;
}

std::string share_of(const CutOff& cut) {
  if (cut.refused == 0) return "0%";
  double share = 100.0 * static_cast<double>(cut.refused) / static_cast<double>(cut.handshakes);
  return share < 0.01 ? "<0.01%" : fmt::format("{:.2f}%", share);
}

std::string reasons_of(const Judged& judged) {
  std::string reasons;
  for (hello::Verdict verdict : hello::all_verdicts) {
    std::uint64_t count = judged.verdicts[static_cast<std::size_t>(verdict)].count;
    if (verdict == hello::Verdict::ok || count == 0) continue;
    reasons +=
        fmt::format("{}{} {}", reasons.empty() ? "" : ", ", hello::verdict_name(verdict), count);
  }
  return reasons.empty() ? "-" : reasons;
}

using Row = std::array<std::string, 6>;

std::string aligned(const std::vector<Row>& rows, const std::vector<std::string>& below) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    // Numbers to the right.
    text += fmt::format("{:<{}}  {:>{}}  {:>{}}  {:>{}}  {:<{}}  {}\n", row[0], widths[0], row[1],
                        widths[1], row[2], widths[2], row[3], widths[3], row[4], widths[4], row[5]);
    if (r > 0) text += below[r - 1];
  }
  return text;
}

std::string details(const CutOff& cut, Judge judge) {
  const Judged& judged = cut.host->by(judge);
  std::string text =
      fmt::format("    under {}, counted since {}\n", judged.policy, day_of(judged.began));
  if (!cut.host->floor_exception.empty()) {
    text += fmt::format("    an exception from the floor {}\n", cut.host->floor_exception);
  }
  for (std::size_t i = 0; i < std::min(cut.offers.size(), offers_shown); ++i) {
    const Offer& offer = *cut.offers[i];
    auto verdict = offer.verdicts.get(judge).value_or(hello::Verdict::ok);
    text += fmt::format("    {} {}: {}; last seen {}\n", hello::verdict_name(verdict), offer.count,
                        describe(offer.facts.value_or(OfferFacts{})), day_of(offer.last_seen));
  }
  if (cut.offers.size() > offers_shown) {
    text += fmt::format("    and {} other kinds of clients\n", cut.offers.size() - offers_shown);
  }
  return text;
}

}  // namespace

std::vector<CutOff> cut_offs(const Snapshot& snapshot, Judge judge) {
  std::vector<CutOff> all;
  for (const VirtualHostCounts& host : snapshot.virtual_hosts) {
    const Judged& judged = host.by(judge);
    if (judged.policy.empty()) continue;
    CutOff cut{&host, judged.total(), judged.refused(), 0, {}};
    for (hello::Verdict verdict : hello::all_verdicts) {
      if (verdict == hello::Verdict::ok) continue;
      const Count& count = judged.verdicts[static_cast<std::size_t>(verdict)];
      cut.last_refused = std::max(cut.last_refused, count.last_seen);
    }
    for (const Offer& offer : host.offers) {
      bool refused = offer.verdicts.get(judge).value_or(hello::Verdict::ok) != hello::Verdict::ok;
      if (offer.facts && refused) cut.offers.push_back(&offer);
    }
    all.push_back(std::move(cut));
  }
  return all;
}

std::string cut_off_table(const Snapshot& snapshot, Judge judge) {
  std::vector<Row> rows{
      {"virtual host", "handshakes", "would be refused", "share", "why", "last seen"}};
  std::vector<std::string> below;
  for (const CutOff& cut : cut_offs(snapshot, judge)) {
    if (!cut.host->configured) continue;
    rows.push_back({shown(cut.host->key), std::to_string(cut.handshakes),
                    std::to_string(cut.refused), share_of(cut), reasons_of(cut.host->by(judge)),
                    day_of(cut.last_refused)});
    below.push_back(details(cut, judge));
  }
  if (below.empty()) return fmt::format("No virtual host is judged by {}.\n", judge_name(judge));
  return aligned(rows, below);
}

}  // namespace tlsguard::live
