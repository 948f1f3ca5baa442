// SPDX-License-Identifier: Apache-2.0
// What redirects of mod_rewrite and mod_alias say, as far as it is sure: whether one sends
// everything to https and changes nothing else. In doubt the answer is no. Pure; thread-safe.
#ifndef TLSGUARD_WEB_HTTPS_REDIRECT_H
#define TLSGUARD_WEB_HTTPS_REDIRECT_H

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tlsguard::web {

// Where a redirect leads: an https URL that ends after its host, or goes on with what was asked
// for.
struct HttpsTarget {
  std::string host;  // in lower case; empty: %{HTTP_HOST} or %{SERVER_NAME}, whatever was asked for
  std::optional<std::uint16_t> port;
  bool keeps_path = false;  // by %{REQUEST_URI}, $0 or $1
  bool operator==(const HttpsTarget&) const = default;
};
// nullopt: another scheme, a path of its own, or a host that is put together.
[[nodiscard]] std::optional<HttpsTarget> https_target(std::string_view url);

// A regular expression for the paths of ACME's challenges, in one of the forms it is written in.
[[nodiscard]] bool matches_challenges(std::string_view pattern);
// One that every path matches, or every one but those of ACME's challenges.
[[nodiscard]] bool matches_every_path(std::string_view pattern);

enum class ConditionKind {
  in_clear,      // the request came without TLS
  proxy_says,    // the same, by X-Forwarded-Proto
  no_challenge,  // all but ACME's paths
  own_name,      // asked for by a name of the virtual host
  other,
};
// A RewriteCond in a virtual host without TLS. is_own: whether a name is one of its names.
[[nodiscard]] ConditionKind condition_kind(std::string_view tested, std::string_view pattern,
                                           const std::function<bool(std::string_view)>& is_own);

// What an expression of httpd (<If>, expr=) asks for, where it asks for nothing else.
enum class Transport { tls, clear, unsure };
[[nodiscard]] Transport transport_asked(std::string_view expression);

// By a status as Redirect takes it, or the R of a RewriteRule's flags: 301 or 308, else for now.
// nullopt: no redirect (gone, see-other, [P], [F] …).
[[nodiscard]] std::optional<bool> redirect_is_permanent(std::string_view status);
[[nodiscard]] std::optional<bool> rewrite_is_permanent(std::string_view flags);

}  // namespace tlsguard::web

#endif
