// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/protocol.h"
#include "live/report.h"
#include "policy/cipher_ids.h"
#include "policy/names.h"
#include "status/chart.h"
#include "status/html.h"
#include "status/markup.h"

namespace tlsguard::status {
namespace {

using hello::Verdict;
using live::Judge;

constexpr std::size_t offers_shown = 5;

std::string_view engine_color(std::string_view engine) {
  if (engine == "on") return "good";
  return engine == "report" ? "warn" : "idle";
}

std::string_view engine_words(std::string_view engine) {
  if (engine == "on") return "enforced";
  return engine == "report" ? "report only" : "off";
}

std::string_view judge_words(Judge judge) {
  switch (judge) {
    case Judge::in_force:
      return "in force";
    case Judge::report:
      return "report policy";
    default:
      return live::judge_name(judge);
  }
}

std::string reasons(const live::Judged& judged) {
  std::string text;
  for (Verdict verdict : hello::all_verdicts) {
    std::uint64_t count = judged.verdicts.at(static_cast<std::size_t>(verdict)).count;
    if (verdict == Verdict::ok || count == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", hello::verdict_name(verdict),
                        grouped(count));
  }
  return text;
}

// Shades say how good it is: what should go stands out.
std::string versions_chart(const live::Traffic& traffic) {
  constexpr std::array<const char*, 4> colors{"worst", "worse", "c2", "c1"};
  std::vector<Slice> slices;
  for (std::size_t i = all_protocols.size(); i-- > 0;) {
    slices.push_back({std::string(protocol_name(all_protocols.at(i))), traffic.versions.at(i).count,
                      colors.at(i)});
  }
  return stacked_bar("Versions", std::move(slices));
}

std::string ciphers_chart(const live::Traffic& traffic, const policy::CipherNames& name) {
  std::vector<Slice> slices;
  for (const live::IdCount& one : traffic.ciphers) {
    slices.push_back({name(one.id), one.count.count, ""});
  }
  slices.push_back({"other", traffic.other_ciphers.count, ""});
  return stacked_bar("Ciphers", std::move(slices));
}

std::string groups_chart(const live::Traffic& traffic) {
  std::vector<Slice> slices;
  for (const live::IdCount& one : traffic.groups) {
    slices.push_back({policy::group_name(one.id), one.count.count, ""});
  }
  slices.push_back({"other", traffic.other_groups.count, ""});
  return stacked_bar("Key exchange", std::move(slices));
}

std::string handshakes_chart(const live::Traffic& traffic) {
  return stacked_bar(
      "Handshakes", {{"full", traffic.full.count, "c1"}, {"resumed", traffic.resumed.count, "c3"}});
}

std::string judge_row(const Model& model, const live::VirtualHostCounts& counts, Judge judge,
                      Judge shown) {
  const live::Judged& judged = counts.by(judge);
  if (judged.policy.empty()) return "";
  Query other = model.query;
  other.judge = judge;
  const std::uint64_t refused = judged.refused();
  return fmt::format(
      R"(<tr{}><th scope="row"><a href="{}#hosts">{}</a><small class="muted">{}</small></th>)"
      R"(<td class="bar">{}</td><td>{}</td><td>{}</td><td class="why">{}</td></tr>)",
      judge == shown ? R"( class="shown")" : "", escaped(address_of(other)), judge_words(judge),
      escaped(judged.policy),
      share_bar(refused, judged.total(), judge == Judge::in_force ? "bad" : "warn"),
      grouped(refused), share(refused, judged.total()), reasons(judged));
}

std::string offers(const live::VirtualHostCounts& counts, Judge judge) {
  std::string rows;
  std::size_t shown = 0;
  std::size_t more = 0;
  for (const live::Offer& offer : counts.offers) {
    Verdict verdict = offer.verdicts.get(judge).value_or(Verdict::ok);
    if (verdict == Verdict::ok || !offer.facts) continue;
    if (shown == offers_shown) {
      ++more;
      continue;
    }
    ++shown;
    rows += fmt::format(
        R"(<li><b>{}</b> <span class="tag">{}</span> {} <small class="muted">last {}</small></li>)",
        grouped(offer.count), hello::verdict_name(verdict), escaped(live::describe(*offer.facts)),
        day(offer.last_seen));
  }
  if (rows.empty()) return "";
  if (more > 0) rows += fmt::format("<li class=\"muted\">and {} more kinds of clients</li>", more);
  return fmt::format("<h4>Clients that {} turns away</h4><ul class=\"offers\">{}</ul>",
                     judge == Judge::in_force ? "the policy in force" : judge_words(judge), rows);
}

std::string judged_table(const Model& model, const live::VirtualHostCounts& counts) {
  const Judge shown = model.query.judge.value_or(Judge::modern);
  std::string rows;
  for (Judge judge : live::all_judges) rows += judge_row(model, counts, judge, shown);
  if (rows.empty()) return "";
  return fmt::format(
      R"(<table class="judges"><thead><tr><th>under</th><th class="bar"></th><th>cut off</th>)"
      R"(<th>share</th><th class="why">reasons</th></tr></thead><tbody>{}</tbody></table>{})",
      rows, offers(counts, shown));
}

std::string ramp(const HstsRamp& ramp) {
  std::string steps;
  for (Seconds step : ramp.steps) {
    std::string_view state = step < ramp.reached ? "done" : step == ramp.reached ? "now" : "later";
    steps += fmt::format(R"(<li class="{}">{}</li>)", state, format_duration(step));
  }
  return fmt::format(R"(<ol class="ramp" aria-label="HSTS ramp">{}</ol>)", steps);
}

std::string settings(const Host& host) {
  std::string text = fmt::format("<div><dt>Policy</dt><dd>{}</dd></div>", escaped(host.policy));
  auto add = [&](std::string_view label, const std::string& value) {
    text += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", label, value);
  };
  if (!host.report_policy.empty()) add("Report policy", escaped(host.report_policy));
  if (!host.floor.empty()) {
    add("Floor", escaped(host.floor) + (host.floor_exception ? " (an exception)" : ""));
  }
  if (host.strict_sni) add("Strict SNI", "on");
  std::string hsts = host.hsts.empty() ? R"(<span class="muted">off</span>)"
                                       : fmt::format("<code>{}</code>", escaped(host.hsts));
  if (host.ramp) hsts += ramp(*host.ramp);
  add("HSTS", hsts);
  return fmt::format(R"(<dl class="facts">{}</dl>)", text);
}

std::string names_words(const live::VirtualHostCounts& counts) {
  std::string text;
  if (counts.name_missing.count > 0) {
    text = fmt::format("{} without a server name", grouped(counts.name_missing.count));
  }
  if (counts.name_unknown.count > 0) {
    text += fmt::format("{}{} with one that no virtual host has", text.empty() ? "" : ", ",
                        grouped(counts.name_unknown.count));
  }
  return text;
}

std::string counted_part(const Model& model, const live::VirtualHostCounts& counts,
                         const policy::CipherNames& cipher_name) {
  const live::Traffic& traffic = counts.traffic;
  std::string charts = versions_chart(traffic) + groups_chart(traffic) +
                       ciphers_chart(traffic, cipher_name) + handshakes_chart(traffic);
  bool any = std::any_of(counts.judged.begin(), counts.judged.end(),
                         [](const live::Judged& judged) { return judged.total() > 0; });
  if (!any && charts.empty()) return R"(<p class="muted">No handshake yet.</p>)";
  std::string names = names_words(counts);
  if (!names.empty()) names = fmt::format(R"(<p class="muted">ClientHellos: {}.</p>)", names);
  if (!charts.empty()) charts = fmt::format(R"(<div class="charts">{}</div>)", charts);
  return fmt::format("{}{}{}", charts, judged_table(model, counts), names);
}

std::string card(const Model& model, const Host& host, const policy::CipherNames& cipher_name) {
  std::string counts;
  std::string since;
  if (host.counted_before) {
    since =
        R"(<small class="muted">counted with the other virtual host of this name and address</small>)";
  } else if (host.counts != nullptr) {
    counts = counted_part(model, *host.counts, cipher_name);
    since =
        fmt::format(R"(<small class="muted">counted since {}</small>)", day(host.counts->began));
  }
  return fmt::format(
      R"(<article class="card"><div class="head"><div><h3>{}</h3>)"
      R"(<small class="muted">{}</small></div><span class="badge {}">{}</span></div>{}{}{}</article>)",
      escaped(host.name), escaped(host.addresses), engine_color(host.engine),
      engine_words(host.engine), settings(host), counts, since);
}

}  // namespace

std::string hosts_section(Model& model) {
  std::vector<std::size_t> chosen = choose_hosts(model);
  const policy::CipherNames cipher_name;
  std::string cards;
  for (std::size_t i : chosen) cards += card(model, model.hosts[i], cipher_name);
  const Page& page = model.host_page;
  std::string shown;
  if (page.matched == 0) {
    shown = model.hosts.empty() ? "No virtual host speaks TLS." : "No virtual host matches.";
  } else if (page.pages() > 1) {
    shown = fmt::format("{} to {} of {}", grouped(page.begin() + 1), grouped(page.end()),
                        counted(page.matched, "virtual host"));
  }
  return fmt::format(R"(<section id="hosts"><h2>Virtual hosts</h2><div class="cards">{}</div>)"
                     "{}</section>",
                     cards, foot(shown, pager(model.query, page, true)));
}

}  // namespace tlsguard::status
