// SPDX-License-Identifier: Apache-2.0
// What a client or a proxy writes into a request in clear, and the redirect that comes of it.
// Input: one byte of choices, then host, target and two forwarding fields, separated by line feeds.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns_name.h"
#include "web/forwarded.h"
#include "web/require_https.h"

namespace {

using namespace tlsguard;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// A header is injected with a line break, another host with userinfo or a second authority.
void check_location(const std::string& location) {
  require(location.starts_with("https://"), "not an https URL");
  require(
      std::all_of(location.begin(), location.end(), [](char c) { return c > 0x20 && c < 0x7f; }),
      "not visible ASCII");
  auto authority = location.substr(8, location.find_first_of("/?", 8) - 8);
  require(authority.find_first_of("@\\#<>\"") == std::string::npos, "not a plain authority");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string text(data + 1, data + size);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  lines.resize(4);

  web::ClearRequest request;
  request.setting = static_cast<web::RequireHttps>(data[0] & 3);
  request.method = (data[0] & 4) != 0 ? "POST" : "GET";
  request.host = lines[0];
  request.target = lines[1];
  request.port = (data[0] & 8) != 0 ? 8443 : 443;
  request.tls_host_exists = (data[0] & 16) != 0;
  request.trusted_proxy = (data[0] & 32) != 0;
  auto decision = web::decide_clear(request);
  if (const auto* redirect = std::get_if<web::Redirect>(&decision)) {
    check_location(redirect->location);
    require(redirect->status == 301 || redirect->status == 302 || redirect->status == 307 ||
                redirect->status == 308,
            "not a redirect");
  }
  bool pass = std::holds_alternative<web::Pass>(decision);
  require(!pass || request.setting != web::RequireHttps::refuse, "refuse let something pass");

  auto scheme = web::forwarded_scheme(lines[2], lines[3]);
  require(scheme != web::ForwardedScheme::absent, "fields that are there are not absent");
  (void)web::forwarded_scheme(std::nullopt, lines[3]);
  (void)is_ip_literal(lines[0]);
  if (lines[0].size() < 256 && lines[1].size() < 64) {
    (void)matches_alias_pattern(lines[0], lines[1]);
  }
  return 0;
}
