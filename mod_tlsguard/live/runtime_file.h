// SPDX-License-Identifier: Apache-2.0
// runtime.json: which TLS virtual hosts the running server has, and what is in force on each.
// httpd's parent writes it into the store when it starts or reloads; tlsguardctl reads it to know
// whom to check. Pure (text in, text out) and thread-safe; reading and writing the file itself is
// the caller's, through store/state_file.h. What is read is untrusted: bounded in size, depth and
// number, each value checked, no exception.
#ifndef TLSGUARD_LIVE_RUNTIME_FILE_H
#define TLSGUARD_LIVE_RUNTIME_FILE_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "hello/server_settings.h"
#include "policy/policy.h"

namespace tlsguard::live {

inline constexpr std::string_view runtime_file_name = "runtime.json";
inline constexpr std::size_t max_runtime_file = 64U * 1024 * 1024;  // bytes
inline constexpr std::size_t max_runtime_hosts = 65536;
inline constexpr std::size_t max_runtime_domains = 131072;

// What can be negotiated, by name: protocol_name(), OpenSSL's cipher names, policy/names.h.
struct RuntimeSettings {
  std::vector<std::string> protocols;
  std::vector<std::string> ciphers;  // TLS 1.2 and below
  std::vector<std::string> suites;   // TLS 1.3
  std::vector<std::string> groups;
  std::vector<std::string> signature_algorithms;
  bool operator==(const RuntimeSettings&) const = default;
};
[[nodiscard]] RuntimeSettings runtime_settings(const hello::ServerSettings& settings);

struct RuntimeHost {
  std::string name;                    // ServerName
  std::vector<std::string> addresses;  // "127.0.0.1:8443", "[::1]:8443", "*:443"
  std::string engine = "report";       // on, report or off
  std::string policy;                  // name@version, or the plain name of an own one
  // What that policy is, where it is not a built-in one: the administrator's own, or one with
  // settings replaced. The file keeps what a server can be held against, no source and no note.
  std::optional<policy::Policy> own_policy;
  std::optional<std::string> made_from;  // id of the built-in one that an own policy goes back to
  std::optional<std::string> report_policy;
  std::optional<std::string> floor;
  bool floor_exception = false;
  std::string file;  // of the configuration, and the line in it
  int line = 0;
  bool is_default = false;  // the default virtual host of one of its addresses
  RuntimeSettings settings;
  std::optional<std::string> hsts;  // the field as sent at the moment of writing
  bool operator==(const RuntimeHost&) const = default;
};

// One managed domain, as configured.
struct RuntimeDomain {
  std::vector<std::string> names;      // the identity first
  std::vector<std::string> key_types;  // crypto::key_type_name
  std::vector<std::string> cas;        // as written
  bool operator==(const RuntimeDomain&) const = default;
};

struct RuntimeFile {
  std::string written;   // RFC 3339, UTC: "2026-11-20T16:15:00Z"
  std::string httpd;     // "Apache/2.4.71"
  std::string openssl;   // "OpenSSL 3.0.22 …", the library httpd runs with; may be empty
  std::string tlsguard;  // version of the module; may be empty
  std::int64_t pid = 0;  // of httpd's parent
  std::vector<RuntimeHost> virtual_hosts;
  std::vector<RuntimeDomain> domains;  // files of older releases have none
  std::vector<std::string> lists;      // files of TLSGuardDomainList
  bool watching = false;               // certificate files, for TLSGuardEvent
  bool operator==(const RuntimeFile&) const = default;
};

// Whether tlsguardctl knows this policy by its id alone.
[[nodiscard]] bool is_built_in(const policy::Policy& policy);

// One JSON object and a line feed; bytes that are not UTF-8 (file names) become U+FFFD.
[[nodiscard]] std::string to_json(const RuntimeFile& file);
// Unknown members are skipped, so that a later release may add some; another "version" is an
// error, as is a missing or mistyped member: the text says which.
[[nodiscard]] Result<RuntimeFile> runtime_from_json(std::string_view text);

}  // namespace tlsguard::live

#endif
