// SPDX-License-Identifier: Apache-2.0
// The files that the status page is made from: torn, foreign or written by somebody else. Whatever
// is taken is shown, and stays in its place on the page.
// Input: one byte that chooses the file, then its content.
#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "renew/ca_counts.h"
#include "renew/trouble_report.h"
#include "round_trip.h"
#include "status/html.h"
#include "status/json.h"
#include "status/open_metrics.h"

namespace {

using namespace tlsguard;
using fuzz::round_trip;
using fuzz::wrong;

constexpr UnixSeconds now = 1800000000;

// Tags are closed, and their quotes: no text has left its place.
void tags_hold(std::string_view html) {
  html.remove_prefix(html.find("</style>"));
  while (!html.empty()) {
    std::string_view text = html.substr(0, html.find('<'));
    if (text.find('>') != std::string_view::npos) wrong("a '>' in a text");
    html.remove_prefix(text.size());
    if (html.empty()) return;
    std::size_t end = html.find('>');
    if (end == std::string_view::npos) wrong("a tag without an end");
    std::string_view tag = html.substr(1, end - 1);
    if (tag.find('<') != std::string_view::npos) wrong("a '<' in a tag");
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) wrong("a quote in an attribute");
    html.remove_prefix(end + 1);
  }
}

void show(status::Model model) {
  std::string html = status::to_html(model);
  if (html.find("<script") != std::string::npos) wrong("a script");
  tags_hold(html);
  if (!nlohmann::json::accept(status::to_json(model))) wrong("no JSON");
  std::string metrics = status::to_metrics(model, status::Dialect::open_metrics);
  if (metrics.find("\n# EOF\n") != metrics.size() - 7) wrong("no metrics");
}

status::Model page() {
  status::Model model;
  model.now = now;
  model.managing = true;
  return model;
}

status::Domain domain_with(status::DomainFacts facts) {
  status::Domain domain;
  domain.identity = "a.example";
  domain.phase = renew::Phase::ca_error;
  domain.generation = 3;
  domain.not_before = now - 86400;
  domain.not_after = now + 86400;
  domain.errors = 1;
  domain.health = health_of(domain, now);
  domain.facts = std::move(facts);
  domain.copies = {{{17, false}, 3, false}, {{18, true}, 2, true}};
  return domain;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  status::Model model = page();
  switch (data[0] % 3) {
    case 0: {
      auto facts = status::read_domain_facts(text);
      if (!facts) return 0;
      model.domains = {domain_with(std::move(*facts))};
      break;
    }
    case 1: {
      auto counts = round_trip(text, renew::ca_counts_from_json);
      if (!counts) return 0;
      model.cas = std::move(*counts);
      break;
    }
    default: {
      auto report = round_trip(text, renew::trouble_report_from_json);
      if (!report) return 0;
      model.troubles = std::move(*report);
      choose_files(model, {{"/etc/x.pem", {"x.example"}, "01", "CA", now - 86400, now, {"x"}}}, 9);
    }
  }
  show(std::move(model));
  return 0;
}
