// SPDX-License-Identifier: Apache-2.0
#include "web/require_https.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/dns_name.h"
#include "core/text.h"

namespace tlsguard::web {
namespace {

constexpr std::array<std::pair<RequireHttps, std::string_view>, 4> names{
    {{RequireHttps::off, "off"},
     {RequireHttps::temporary, "temporary"},
     {RequireHttps::permanent, "permanent"},
     {RequireHttps::refuse, "refuse"}}};

bool is_alnum(char c) {
  char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

// A host name as found in the DNS (RFC 1035 2.3.4 for the lengths), '_' included: it is in use.
bool is_host_name(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.empty() || host.size() > 253) return false;
  std::size_t label = 0;
  for (char c : host) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if ((!is_alnum(c) && c != '-' && c != '_') || ++label > 63) {
      return false;
    }
  }
  return label > 0;
}

// The host as it stands in a URL, or nothing.
std::optional<std::string> url_host(std::string_view host) {
  if (is_host_name(host)) return to_lower(host);
  // No zone: it means nothing to anyone but the client's own machine (RFC 6874 4).
  if (!is_ip_literal(host) || host.find('%') != std::string_view::npos) return std::nullopt;
  return host.front() == '[' ? to_lower(host) : fmt::format("[{}]", to_lower(host));
}

// Bytes that RFC 3986 allows in path and query, '%' of what is already encoded included. The others
// are encoded; '\' above all, which browsers take for '/'.
bool stands_in_url(char c) {
  return is_alnum(c) || (c != '\0' && std::string_view("-._~:/?[]@!$&'()*+,;=%").find(c) !=
                                          std::string_view::npos);
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  encoded.reserve(text.size());
  for (char c : text) {
    if (stands_in_url(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// RFC 9112 3.2.2: what follows scheme and authority of an absolute-form target; nothing if it is
// not one.
std::optional<std::string_view> after_authority(std::string_view target) {
  auto colon = target.find("://");
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view scheme = target.substr(0, colon);
  if (!std::all_of(scheme.begin(), scheme.end(),
                   [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; })) {
    return std::nullopt;
  }
  std::string_view rest = target.substr(colon + 3);
  return rest.substr(std::min(rest.find_first_of("/?"), rest.size()));
}

// The path and query to put behind the authority; nothing if the target is none.
std::optional<std::string> url_path(std::string_view target) {
  target = target.substr(0, target.find('#'));
  if (target == "*") return "";
  if (target.empty() || target.front() != '/') {
    auto rest = after_authority(target);
    if (!rest) return std::nullopt;
    target = *rest;
  }
  bool has_path = !target.empty() && target.front() == '/';
  return (has_path ? "" : "/") + percent_encode(target);
}

int redirect_status(bool permanent, std::string_view method) {
  bool may_become_get = method == "GET" || method == "HEAD";
  if (permanent) return may_become_get ? 301 : 308;
  return may_become_get ? 302 : 307;
}

}  // namespace

Result<RequireHttps> parse_require_https(std::string_view argument) {
  for (const auto& [setting, name] : names) {
    if (equal_ignoring_case(argument, name)) return setting;
  }
  return fail(fmt::format(
      "TLSGuardRequireHTTPS: '{}' is not known: valid are off, temporary, permanent and refuse",
      argument));
}

std::string_view require_https_name(RequireHttps setting) {
  return names[static_cast<std::size_t>(setting)].second;
}

ClearDecision decide_clear(const ClearRequest& request) {
  if (request.setting == RequireHttps::off) return Pass{};
  if (request.pending_challenge || request.plain_wanted) return Pass{};
  if (request.setting == RequireHttps::refuse) return Refuse{};
  if (request.placeholder) return Pass{};
  // Where TLS ends in front of us, our own virtual hosts do not tell which hosts have it.
  if (!request.tls_host_exists && !request.trusted_proxy) return Pass{};
  if (request.method == "CONNECT") return Pass{};
  auto location = https_location(request.host, request.port, request.target);
  if (!location) return Refuse{};
  bool permanent = request.setting == RequireHttps::permanent;
  return Redirect{redirect_status(permanent, request.method), std::move(*location)};
}

std::optional<std::string> https_location(std::string_view host, std::uint16_t port,
                                          std::string_view target) {
  auto authority = url_host(host);
  auto path = url_path(target);
  if (!authority || !path) return std::nullopt;
  if (port != 443) *authority += fmt::format(":{}", port);
  return "https://" + *authority + *path;
}

}  // namespace tlsguard::web
