// SPDX-License-Identifier: Apache-2.0
#include "status/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "status/markup.h"

namespace tlsguard::status {
namespace {

struct Tile {
  std::string label;
  std::string value;
  std::string below;
  std::string_view color;  // a class; empty: plain
};

std::string tile(const Tile& tile) {
  return fmt::format(R"(<div class="tile {}"><dt>{}</dt><dd>{}</dd><p>{}</p></div>)", tile.color,
                     tile.label, tile.value, tile.below);
}

std::uint64_t alerts_of(const Model& model) {
  std::uint64_t sum = 0;
  if (!model.troubles) return sum;
  for (const auto& [kind, count] : model.troubles->counts) sum += count;
  return sum;
}

// For who watches certificate files alone, or whose domains do well but for an alert.
Tile alerts_tile(std::uint64_t alerts) {
  return {"Needs attention", fmt::format(R"(<a href="#wrong">{}</a>)", grouped(alerts)),
          "wrong now, below", "warn"};
}

Tile health_tile(const DomainTally& tally) {
  std::size_t attention = tally.attention();
  if (attention == 0) return {"Needs attention", "0", "all domains do well", "good"};
  std::string what;
  auto add = [&](Health health, std::string_view word) {
    if (tally.of(health) == 0) return;
    what += fmt::format("{}{} {}", what.empty() ? "" : ", ", grouped(tally.of(health)), word);
  };
  add(Health::expired, "expired");
  add(Health::failing, "failing");
  add(Health::missing, "without a certificate");
  bool bad = tally.of(Health::expired) + tally.of(Health::failing) > 0;
  return {"Needs attention",
          fmt::format(R"(<a href="?state=attention#domains">{}</a>)", grouped(attention)), what,
          bad ? "bad" : "warn"};
}

// The earlier of two that are known.
UnixSeconds first_of(UnixSeconds a, UnixSeconds b) {
  return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

std::string tiles(const Model& model) {
  std::string text;
  const std::uint64_t alerts = alerts_of(model);
  const DomainTally& tally = model.tally;
  if (model.managing) {
    text += tile({"Managed domains", grouped(tally.total),
                  tally.of(Health::expiring) > 0 ? grouped(tally.of(Health::expiring)) + " expiring"
                                                 : "certificates kept by this server",
                  ""});
  }
  if (alerts > 0 && tally.attention() == 0) {
    text += tile(alerts_tile(alerts));
  } else if (model.managing) {
    text += tile(health_tile(tally));
  }
  if (UnixSeconds first = first_of(tally.first_expiry, model.first_file_expiry); first > 0) {
    text += tile({"First to expire", time_tag(first, distance(first, model.now)), day(first),
                  first <= model.now ? "bad" : ""});
  }
  Handshakes sum = handshakes_of(model.census);
  text += tile({"Handshakes", brief(sum.full + sum.resumed),
                fmt::format("{} resumed", share(sum.resumed, sum.full + sum.resumed)), ""});
  text += tile({"Not fitting", brief(sum.refused),
                fmt::format("{} of all, by the policies in force", share(sum.refused, sum.judged)),
                ""});
  return fmt::format(R"(<dl class="tiles">{}</dl>)", text);
}

std::string cas_section(const Model& model) {
  if (!model.cas || model.cas->requests.empty()) return "";
  std::string rows;
  for (const auto& [host, latency] : model.cas->requests) {
    std::uint64_t count = latency.count();
    rows += fmt::format(
        R"(<tr><th scope="row">{}</th><td>{}</td><td>{} ms</td><td class="{}">{}</td>)"
        "<td>{}</td></tr>",
        escaped(host), grouped(count), count == 0 ? "0" : grouped(latency.milliseconds / count),
        latency.unanswered > 0 ? "warn-text" : "", grouped(latency.unanswered),
        time_tag(latency.last_at, distance(latency.last_at, model.now)));
  }
  std::string errors;
  for (const auto& [type, count] : model.cas->errors) {
    errors += fmt::format("<li><code>{}</code> {}</li>", escaped(type), grouped(count));
  }
  if (!errors.empty()) {
    errors = fmt::format(
        R"(<p class="muted">Attempts that failed, by type</p><ul class="types">{}</ul>)", errors);
  }
  return fmt::format(
      R"(<section id="cas"><h2>Certificate authorities</h2><div class="card wide"><table>)"
      "<thead><tr><th>asked at</th><th>requests</th><th>mean time</th><th>no answer</th>"
      "<th>last</th></tr></thead><tbody>{}</tbody></table>{}</div></section>",
      rows, errors);
}

std::string header(const Model& model) {
  return fmt::format(
      R"(<header><div><h1>TLS on {}</h1><p class="muted">{} · {} · {}</p></div>)"
      R"(<nav><a href="?json">JSON</a><a href="?metrics">Metrics</a><a href="?text">Text</a></nav>)"
      "</header>",
      escaped(model.server_name), escaped("mod_tlsguard " + model.version), escaped(model.httpd),
      escaped(model.openssl));
}

std::string agent_banner(const Model& model) {
  if (model.passive) {
    return R"(<p class="banner">Another server uses this store, and renews: what it has is served )"
           "here, too, and this server's own certificate files are watched by nobody.</p>";
  }
  if (!agent_is_missing(model)) return "";
  std::string since = model.agent_seen > 0 ? " since " + minute(model.agent_seen) : "";
  return fmt::format(
      R"(<p class="banner bad">tlsguard-agent has not been at work{}: what is live is served on, )"
      "nothing is renewed. httpd starts it again and again; its error log says what is in the "
      "way.</p>",
      since);
}

std::string footer(const Model& model) {
  std::string started;
  if (model.started > 0) {
    started = fmt::format(" · configuration read {}",
                          time_tag(model.started, distance(model.started, model.now)));
  }
  return fmt::format("<footer>As of {}{}. Counts go on over reloads and restarts.</footer>",
                     minute(model.now), started);
}

}  // namespace

std::string pager(const Query& query, const Page& page, bool hosts) {
  if (page.pages() < 2) return "";
  auto link = [&](std::size_t number, std::string_view text, std::string_view label) {
    Query other = query;
    (hosts ? other.host_page : other.page) = number;
    return fmt::format(R"(<a href="{}#{}"{}>{}</a>)", escaped(address_of(other)),
                       hosts ? "hosts" : "domains",
                       label.empty() ? "" : fmt::format(R"( rel="{}")", label), text);
  };
  std::string text = page.number > 1 ? link(page.number - 1, "‹ Back", "prev") : "";
  std::size_t last = 0;
  for (std::size_t number = 1; number <= page.pages(); ++number) {
    bool near = number + 2 >= page.number && number <= page.number + 2;
    if (number != 1 && number != page.pages() && !near) continue;
    if (last + 1 != number) text += "<span>…</span>";
    text += number == page.number ? fmt::format(R"(<b aria-current="page">{}</b>)", number)
                                  : link(number, std::to_string(number), "");
    last = number;
  }
  if (page.number < page.pages()) text += link(page.number + 1, "Next ›", "next");
  return fmt::format(R"(<nav class="pager" aria-label="Pages">{}</nav>)", text);
}

std::string foot(std::string_view shown, std::string_view pages) {
  if (shown.empty() && pages.empty()) return "";
  return fmt::format(R"(<div class="foot"><p class="muted">{}</p>{}</div>)", shown, pages);
}

std::string to_html(Model& model) {
  std::string body =
      header(model) + "<main>" + agent_banner(model) + tiles(model) + troubles_section(model);
  if (model.managing) body += domains_section(model);
  body += files_section(model) + hosts_section(model) + cas_section(model) + advice_section(model);
  body += "</main>" + footer(model);
  return fmt::format(
      R"(<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">)"
      R"(<meta name="viewport" content="width=device-width, initial-scale=1">)"
      R"(<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">)"
      "<title>TLS on {}</title><style>{}</style></head><body>{}</body></html>\n",
      escaped(model.server_name), style_sheet(), body);
}

}  // namespace tlsguard::status
