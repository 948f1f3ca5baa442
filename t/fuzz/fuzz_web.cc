// SPDX-License-Identifier: Apache-2.0
// What web/ reads: request fields, directive arguments, the ramp file. The first byte of the input
// says which of them the rest is; see `readers`.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns_name.h"
#include "core/text.h"
#include "web/forwarded.h"
#include "web/hsts.h"
#include "web/hsts_ramp.h"
#include "web/port_map.h"
#include "web/require_https.h"
#include "web/trusted_proxy.h"

namespace {

using namespace tlsguard;
using std::chrono::sys_seconds;

void require(bool condition) {
  if (!condition) std::abort();
}

bool visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// Splits at blanks only: the words may hold any other byte, as httpd's do.
std::vector<std::string> words_of(std::string_view text) { return split(text, " "); }

std::vector<std::string_view> views(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

void x_forwarded_proto(std::string_view text) {
  auto scheme = web::forwarded_scheme(text, std::nullopt);
  require(scheme != web::ForwardedScheme::absent);
  if (scheme == web::ForwardedScheme::clear) return;
  auto elements = split(text, ", \t");
  require(!elements.empty());
  for (const std::string& element : elements) require(to_lower(element) == "https");
}

void forwarded(std::string_view text) {
  auto scheme = web::forwarded_scheme(std::nullopt, text);
  require(scheme != web::ForwardedScheme::absent);
  if (scheme == web::ForwardedScheme::clear) return;
  require(to_lower(text).find("proto=") != std::string::npos);
  // One more element in clear, and the list is no longer https.
  std::string mixed = std::string(text) + ",proto=http";
  require(web::forwarded_scheme(std::nullopt, mixed) == web::ForwardedScheme::clear);
}

void hsts(std::string_view text) {
  auto words = words_of(text);
  auto setting = web::parse_hsts(views(words));
  if (!setting) {
    require(setting.error().text.starts_with("TLSGuardHSTS"));
    return;
  }
  if (!setting->enabled) return;
  require(!setting->preload ||
          (setting->max_age >= web::hsts_preload_min_age && setting->include_sub_domains));
  web::HstsValues values(*setting);
  std::string value = values.at(setting->max_age);
  require(value.starts_with("max-age=" + std::to_string(setting->max_age.count())));
  require((value.find("; includeSubDomains") != std::string::npos) == setting->include_sub_domains);
  require(value.ends_with("; preload") == setting->preload);
  require(visible_ascii(join(split(value, " "), "")));
}

void hsts_ramp(std::string_view text) {
  auto words = words_of(text);
  auto steps = web::parse_hsts_ramp(views(words));
  if (!steps) {
    require(steps.error().text.starts_with("TLSGuardHSTSRamp"));
    return;
  }
  require(steps->size() == words.size());
  require(std::adjacent_find(steps->begin(), steps->end(), std::greater_equal<>()) == steps->end());
}

void ramp_file(std::string_view text) {
  auto states = web::read_ramp_states(text);
  if (!states) return;
  auto again = web::read_ramp_states(web::write_ramp_states(*states));
  require(again && *again == *states);
  const web::HstsSetting setting{true, Seconds(63072000), true, true};
  const web::RampSteps steps{Seconds(300), Seconds(604800), Seconds(2592000)};
  for (const auto& [name, state] : *states) {
    auto next = web::advance(state, setting, steps, sys_seconds(std::chrono::seconds(1795176000)),
                             state.good);
    require(next && next->age > Seconds(0) && next->age <= setting.max_age);
    require(next->kept >= Seconds(0) && next->kept <= next->age);
    require(!state.include_sub_domains || next->age >= std::min(state.age, setting.max_age));
    web::HstsValues values(setting, web::partial_ages(setting, steps, next));
    require(std::string_view(values.at(next->age))
                .starts_with("max-age=" + std::to_string(next->age.count()) + ";"));
  }
}

// host, 0x01, target
void location(std::string_view text) {
  auto cut = std::min(text.find('\x01'), text.size());
  std::string_view host = text.substr(0, cut);
  std::string_view target = text.substr(std::min(cut + 1, text.size()));
  for (int port : {443, 8443}) {
    auto made = web::https_location(host, static_cast<std::uint16_t>(port), target);
    if (!made) continue;
    require(made->starts_with("https://") && visible_ascii(*made));
    require(made->find('#') == std::string::npos && made->find('\\') == std::string::npos);
    // The authority is the host, and nothing but it.
    std::string bare = to_lower(host);
    if (host.find(':') != std::string_view::npos && host.front() != '[') bare = "[" + bare + "]";
    std::string authority = "https://" + bare + (port == 443 ? "" : ":8443");
    require(made->starts_with(authority));
    require(made->size() == authority.size() || (*made)[authority.size()] == '/');
    require(host.find_first_of("@/?%, ") == std::string_view::npos);
  }
  (void)is_ip_literal(host);
  (void)matches_alias_pattern(host, target);
}

void trusted_proxy(std::string_view text) {
  auto words = words_of(text);
  auto blocks = web::parse_trusted_proxies(views(words));
  if (!blocks) {
    require(blocks.error().text.starts_with("TLSGuardTrustedProxy"));
    return;
  }
  for (const std::string& word : words) {
    auto address = web::IpAddress::parse(std::string_view(word).substr(0, word.find('/')));
    require(address.has_value());
    // Written as IPv4-mapped with fewer than 96 bits it is a block of IPv6.
    if (!address->is_ipv4() || word.find(':') == std::string::npos) {
      require(web::contains(*blocks, *address));
    }
  }
}

void port_map(std::string_view text) {
  auto words = words_of(text);
  auto map = web::parse_port_map(views(words));
  if (!map) {
    require(map.error().text.starts_with("TLSGuardPortMap"));
    return;
  }
  require(words.size() <= 2 && map->http != 0 && map->https != 0);
}

struct Reader {
  char name;
  void (*read)(std::string_view);
};
constexpr Reader readers[] = {{'x', x_forwarded_proto}, {'f', forwarded}, {'h', hsts},
                              {'r', hsts_ramp},         {'j', ramp_file}, {'l', location},
                              {'p', trusted_proxy},     {'m', port_map}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Reader& reader : readers) {
    if (reader.name == text.front()) reader.read(text.substr(1));
  }
  return 0;
}
