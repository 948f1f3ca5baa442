// SPDX-License-Identifier: Apache-2.0
// What tlsguardctl reads from a server, besides the TLS records: certificates, the header of an
// HTTP answer, Strict-Transport-Security; and its argument host:port. Whatever it was, the report
// is fit for a terminal.
// Input: one byte that chooses the reader, then what it reads.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/certificate_facts.h"
#include "ctl/check_report.h"
#include "ctl/connection.h"
#include "ctl/http_answer.h"

namespace {

using namespace tlsguard;

void complain_of(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void report(ctl::Facts facts) {
  ctl::CheckRun run;
  ctl::Check check;
  facts.http_host = "www.example.org";
  check.grade = ctl::grade(facts, policy::presets().front());
  check.facts = std::move(facts);
  run.checks.push_back(std::move(check));
  std::string text = ctl::to_text(run);
  auto is_control = [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; };
  if (std::any_of(text.begin(), text.end(), is_control)) complain_of("a control character");
  (void)ctl::to_json(run).dump(2, ' ', true, nlohmann::json::error_handler_t::replace);
}

void report_on(const std::vector<ctl::Der>& chain) {
  auto facts = ctl::certificate_facts(chain, "www.example.org", 0);
  if (!facts) return;
  ctl::Facts all;
  all.certificates.push_back(std::move(*facts));
  report(std::move(all));
}

// A chain: each certificate has a byte in front, of sixteenths of its size.
void certificates(std::string_view input) {
  std::vector<ctl::Der> chain;
  while (!input.empty()) {
    auto size = static_cast<std::size_t>(static_cast<unsigned char>(input[0])) * 16 + 1;
    input.remove_prefix(1);
    size = std::min(size, input.size());
    chain.emplace_back(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
    input.remove_prefix(size);
  }
  report_on(chain);
}

void http(std::string_view input) {
  (void)ctl::http_header_ends(input);
  ctl::Facts all;
  all.http = ctl::parse_http_answer(input);
  all.plain = all.http;
  report(std::move(all));
}

void hsts(std::string_view input) {
  auto field = ctl::parse_hsts_field(input);
  if (!field) return;
  std::string again = "max-age=" + std::to_string(field->max_age);
  if (field->include_sub_domains) again += "; includeSubDomains";
  if (field->preload) again += "; preload";
  auto same = ctl::parse_hsts_field(again);
  if (!same || !(*same == *field)) complain_of("another field after writing");
}

void endpoint(std::string_view input) {
  auto read = ctl::parse_endpoint(input);
  if (!read) return;
  auto again = ctl::parse_endpoint(ctl::to_text(*read));
  if (!again || !(*again == *read)) complain_of("another endpoint after writing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      certificates(input);
      break;
    case 1:
      report_on({{input.begin(), input.end()}});
      break;
    case 2:
      http(input);
      break;
    case 3:
      hsts(input);
      break;
    default:
      endpoint(input);
  }
  return 0;
}
