// SPDX-License-Identifier: Apache-2.0
// A TLS policy: what a virtual host may negotiate at most. A value; immutable once resolved.
#ifndef TLSGUARD_POLICY_POLICY_H
#define TLSGUARD_POLICY_POLICY_H

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/duration.h"
#include "core/error.h"
#include "core/protocol.h"
#include "hello/server_settings.h"

namespace tlsguard::policy {

struct Policy {
  std::string name;     // "mozilla-modern"
  std::string version;  // "6.0"; empty: the administrator's own
  std::string source;   // document and section; own policies: file and line
  std::string date;     // of the source, ISO 8601
  Protocol min_protocol = Protocol::tls1_2;
  Protocol max_protocol = Protocol::tls1_3;
  std::vector<std::string> ciphers;  // TLS 1.2 and below, OpenSSL names, in order
  std::vector<std::string> suites;   // TLS 1.3, in order
  std::vector<std::string> groups;   // names of policy/names.h, in order
  std::optional<std::vector<std::string>> signature_algorithms;  // none: not restricted
  std::optional<bool> server_preference;  // none: as SSLHonorCipherOrder says
  std::optional<int> security_level;      // at least this one (an own cipher spec's @SECLEVEL=n)
  // What is served is checked against these and reported; they refuse nothing.
  std::optional<int> min_rsa_bits;
  std::vector<hello::KeyType> certificate_types;  // empty: any
  std::optional<Seconds> min_hsts_age;
  std::string note;  // one paragraph for policy explain
  bool operator==(const Policy&) const = default;

  // "name@version", or the plain name of an own policy.
  [[nodiscard]] std::string id() const;
};

// The five settings as written, each replacing that part of a policy.
struct Settings {
  std::optional<Protocol> min_protocol;
  std::optional<Protocol> max_protocol;
  std::optional<std::string> cipher_suite;         // OpenSSL cipher string, TLS 1.2 and below
  std::optional<std::string> tls13_cipher_suite;   // colon list
  std::optional<std::vector<std::string>> groups;  // as written: spaces and colons already split
  std::optional<std::vector<std::string>> signature_algorithms;
  bool operator==(const Settings&) const = default;
  [[nodiscard]] bool empty() const { return *this == Settings{}; }
};

// Each setting judged by itself, for an error at the directive's own line. Unknown names are
// errors that say which name and what would be valid; '!NAME', '-NAME' of unknown names are not.
// "@SECLEVEL=n" is an error where n is lower than the library's default level. Names that are
// known but that this OpenSSL lacks are no error, not even where nothing else is named: tighten()
// reports them as left out, and has the error where nothing is left.
[[nodiscard]] Result<void> check_cipher_suite(const std::string& spec);
[[nodiscard]] Result<void> check_tls13_cipher_suite(const std::string& list);
[[nodiscard]] Result<void> check_groups(const std::vector<std::string>& names);
[[nodiscard]] Result<void> check_signature_algorithms(const std::vector<std::string>& names);

// The policy with those parts replaced; its cipher spec expanded to names by OpenSSL (in the
// order OpenSSL gives). min above max is an error. Its id() gets "+" appended where a setting
// was replaced (unless it was unchanged by that) so that logs do not claim the plain policy.
[[nodiscard]] Result<Policy> with_settings(const Policy& base, const Settings& settings);

// The built-in policies, each dated and never changed after release (presets.cc).
[[nodiscard]] const std::vector<Policy>& presets();

// Built-in policies and the administrator's own. name, name@version or an alias (modern,
// intermediate, old; a plain name is the newest version). Case-insensitive.
class Catalogue {
 public:
  // Adds an own policy: its name may not be that of a preset or alias, nor be added twice.
  // from: resolved when all are added, so order does not matter; a cycle is an error of resolve().
  [[nodiscard]] Result<void> define(const std::string& name, const std::string& from,
                                    const Settings& settings, const std::string& where);
  // An unknown name is an error that lists the valid ones (and the nearest, where one is near).
  [[nodiscard]] Result<Policy> find(const std::string& name) const;
  // The built-in policy that an own one goes back to, as 'from' names it; nullopt: no own policy
  // has this name.
  [[nodiscard]] std::optional<std::string> origin(const std::string& name) const;
  // Resolves every own policy; the first error names its 'where'.
  [[nodiscard]] Result<void> resolve_all() const;
  [[nodiscard]] std::vector<std::string> names() const;  // all that find() takes, without aliases

 private:
  struct Own {
    std::string name;
    std::string from;  // empty: baseline
    Settings settings;
    std::string where;
  };
  [[nodiscard]] const Own* own(const std::string& name) const;
  [[nodiscard]] Result<Policy> find(const std::string& name, std::vector<std::string>& via) const;
  [[nodiscard]] tl::unexpected<Error> unknown(const std::string& name) const;
  std::vector<Own> own_;
};

// "modern" -> "mozilla-modern@6.0" and so on: plain name to the id it stands for in this release.
[[nodiscard]] const std::map<std::string, std::string>& aliases();

}  // namespace tlsguard::policy

#endif
