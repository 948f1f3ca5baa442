// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/text.h"
#include "status/chart.h"
#include "status/html.h"
#include "status/markup.h"
#include "status/words.h"

namespace tlsguard::status {
namespace {

constexpr std::size_t names_shown = 12;
constexpr std::size_t events_shown = 6;

std::string chip(const Model& model, std::string_view state, std::string_view label,
                 std::size_t count) {
  Query other = model.query;
  other.state = state;
  other.page = 1;
  return fmt::format(R"(<a class="chip"{} href="{}#domains">{} <b>{}</b></a>)",
                     model.query.state == state ? R"( aria-current="true")" : "",
                     escaped(address_of(other)), label, grouped(count));
}

std::string filters(const Model& model) {
  const DomainTally& tally = model.tally;
  std::string chips = chip(model, "", "All", tally.total);
  if (tally.attention() > 0) {
    chips += chip(model, "attention", "Needs attention", tally.attention());
  }
  auto add = [&](Health health, std::string_view label) {
    if (tally.of(health) > 0) chips += chip(model, health_name(health), label, tally.of(health));
  };
  add(Health::expired, "Expired");
  add(Health::failing, "Failing");
  add(Health::missing, "No certificate");
  add(Health::expiring, "Expiring");
  add(Health::paused, "Paused");
  add(Health::good, "Good");
  std::string hidden;
  if (!model.query.state.empty()) {
    hidden =
        fmt::format(R"(<input type="hidden" name="state" value="{}">)", escaped(model.query.state));
  }
  return fmt::format(
      R"(<form class="search" method="get" role="search">{}<input type="search" name="q" )"
      R"(value="{}" placeholder="Name, or a part of it" aria-label="Search names" maxlength="255">)"
      R"(<button>Search</button></form><p class="chips">{}</p>)",
      hidden, escaped(model.query.search), chips);
}

// "Common name=…" is for machines: the last part of a distinguished name that people know.
std::string issuer_words(const std::string& issuer) {
  auto begin = issuer.find("CN=");
  if (begin == std::string::npos) begin = issuer.find("CN = ");
  if (begin == std::string::npos) return issuer;
  std::string name = issuer.substr(issuer.find('=', begin) + 1);
  return std::string(trim(name.substr(0, name.find(','))));
}

std::string fact(std::string_view label, std::string_view value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", label, value);
}

std::string names_words(const Domain& domain) {
  const auto& names = domain.facts ? domain.facts->names : domain.names;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < names_shown; ++i) {
    text += fmt::format("{}<code>{}</code>", text.empty() ? "" : " ", escaped(names[i]));
  }
  if (names.size() > names_shown) {
    text += fmt::format(" and {} more", names.size() - names_shown);
  }
  return text;
}

std::string certificates_words(const DomainFacts& facts) {
  std::string text;
  for (const Certificate& one : facts.certificates) {
    text += fmt::format("<p>{} by {}, {} to {}<br><code>{}</code></p>", escaped(one.key_type),
                        escaped(issuer_words(one.issuer)), day(one.not_before), day(one.not_after),
                        escaped(one.serial));
  }
  return text;
}

std::string copy_words(const Domain& domain, const Copy& copy) {
  if (copy.generation == 0) {
    return copy.failed ? R"(<span class="bad-text">could not load any</span>)"
                       : R"(<span class="muted">not asked for it yet</span>)";
  }
  std::string serial = domain.facts ? domain.facts->serial_of(copy.generation) : "";
  std::string text = serial.empty() ? fmt::format("generation {}", copy.generation)
                                    : fmt::format("<code>{}</code>", escaped(serial));
  if (copy.failed) return text + R"( <span class="bad-text">could not load what is live</span>)";
  if (copy.generation != domain.generation) {
    text += R"( <span class="warn-text">before; the next handshake loads what is live</span>)";
  }
  return text;
}

std::string workers_words(const Domain& domain) {
  std::string rows;
  for (const Copy& copy : domain.copies) {
    rows += fmt::format("<tr><th scope=\"row\">{}{}</th><td>{}</td></tr>", copy.worker.pid,
                        copy.worker.draining ? " <small>draining</small>" : "",
                        copy_words(domain, copy));
  }
  return rows.empty() ? "" : fmt::format("<table class=\"copies\">{}</table>", rows);
}

std::string history_words(const DomainFacts& facts) {
  std::string rows;
  for (std::size_t i = 0; i < facts.history.size() && i < events_shown; ++i) {
    const PastEvent& event = facts.history[i];
    rows += fmt::format("<li>{} <b>{}</b> {}</li>", time_tag(event.at, minute(event.at)),
                        escaped(event.what), escaped(event.text));
  }
  return rows.empty() ? "" : fmt::format("<ul class=\"history\">{}</ul>", rows);
}

std::string details(const Domain& domain) {
  std::string text;
  std::string names = names_words(domain);
  if (!names.empty()) text += fact("Names", names);
  if (domain.facts) {
    const DomainFacts& facts = *domain.facts;
    if (!facts.certificates.empty()) text += fact("Certificate", certificates_words(facts));
    if (!facts.ca.empty()) {
      text +=
          fact("From", escaped(facts.ca) +
                           (facts.profile.empty() ? "" : ", profile " + escaped(facts.profile)));
    }
    if (facts.ari.end > 0) {
      std::string window = fmt::format("{} to {}", minute(facts.ari.start), minute(facts.ari.end));
      if (!facts.ari.explanation.empty()) {
        window +=
            fmt::format("<br>the CA explains: <code>{}</code>", escaped(facts.ari.explanation));
      }
      text += fact("CA suggests", window);
    }
    if (facts.version > 0) {
      text += fact("Live", fmt::format("version {} since {}", facts.version, minute(facts.since)));
    }
  }
  if (std::string workers = workers_words(domain); !workers.empty()) {
    text += fact("Workers serve", workers);
  }
  if (domain.facts) {
    if (std::string past = history_words(*domain.facts); !past.empty())
      text += fact("Lately", past);
  }
  if (text.empty()) return "";
  return fmt::format(R"(<details><summary>Details</summary><dl class="facts">{}</dl></details>)",
                     text);
}

std::string trouble(const Domain& domain) {
  std::string words;
  if (domain.facts && domain.health <= Health::missing) {
    words = !domain.facts->error.empty() ? domain.facts->error : domain.facts->reason;
  }
  std::string text;
  if (!words.empty()) text += fmt::format(R"(<p class="error">{}</p>)", escaped(words));
  if (std::string what = advice(domain); !what.empty()) {
    text += fmt::format(R"(<p class="advice">{}</p>)", escaped(what));
  }
  if (!domain.trouble.empty()) {
    text += fmt::format(R"(<p class="advice">No report of the agent: {}.</p>)",
                        escaped(domain.trouble));
  }
  return text.empty() ? "" : fmt::format(R"(<div class="trouble">{}</div>)", text);
}

std::string life(const Domain& domain, UnixSeconds now) {
  if (domain.generation == 0) return R"(<p class="muted">no certificate yet</p>)";
  UnixSeconds renew_at = domain.facts ? domain.facts->next.renew_at : 0;
  UnixSeconds begin = domain.not_before > 0 ? domain.not_before : now;
  return expiry({begin, domain.not_after, now, renew_at}, color_of(domain.health));
}

std::string row(const Domain& domain, UnixSeconds now) {
  const auto& names = domain.facts ? domain.facts->names : domain.names;
  std::string more;
  if (names.size() > 1) {
    more = fmt::format(R"(<small class="muted">and {}</small>)",
                       counted(names.size() - 1, "more name"));
  }
  std::string why = next_reason(domain, now);
  return fmt::format(
      R"(<li class="domain {}"><div class="name"><h3>{}</h3>{}</div>)"
      R"(<div class="state"><span class="badge {}">{}</span></div>)"
      R"(<div class="expiry">{}</div><div class="next"><p>{}</p><small class="muted">{}</small>)"
      "</div>{}{}</li>",
      color_of(domain.health), escaped(domain.identity), more, color_of(domain.health),
      state_words(domain), life(domain, now), escaped(next_step(domain, now)), escaped(why),
      trouble(domain), details(domain));
}

}  // namespace

std::string_view color_of(Health health) {
  switch (health) {
    case Health::expired:
    case Health::failing:
      return "bad";
    case Health::missing:
    case Health::expiring:
      return "warn";
    case Health::paused:
      return "idle";
    case Health::good:
      break;
  }
  return "good";
}

std::string domains_section(const Model& model) {
  std::string rows;
  for (const Domain& domain : model.domains) rows += row(domain, model.now);
  const Page& page = model.domain_page;
  std::string shown;
  if (page.matched == 0) {
    shown = model.tally.total == 0 ? "No domain is managed yet." : "No domain matches.";
  } else if (page.pages() > 1) {
    shown = fmt::format("{} to {} of {}", grouped(page.begin() + 1), grouped(page.end()),
                        counted(page.matched, "domain"));
  }
  return fmt::format(
      R"(<section id="domains"><h2>Managed domains</h2>{}<ul class="domains">{}</ul>)"
      "{}</section>",
      filters(model), rows, foot(shown, pager(model.query, page, false)));
}

}  // namespace tlsguard::status
