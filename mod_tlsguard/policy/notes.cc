// SPDX-License-Identifier: Apache-2.0
#include "policy/notes.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "core/text.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using Kind = Note::Kind;
using Names = std::vector<std::string>;
using Ids = std::vector<std::uint16_t>;

template <typename T>
bool contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Which directive a setting of mod_ssl comes from.
class Sources {
 public:
  explicit Sources(const SslDirectives& directives) : directives_(directives) {}

  // The SSLOpenSSLConfCmd of one of these names that was written; empty: none.
  [[nodiscard]] std::string conf_cmd(std::initializer_list<std::string_view> names) const {
    for (const auto& [name, value] : directives_.conf_cmds) {
      for (std::string_view wanted : names) {
        if (equal_ignoring_case(name, wanted)) return "SSLOpenSSLConfCmd " + name;
      }
    }
    return {};
  }
  // What switches a version off, and what to write so that it does not.
  [[nodiscard]] std::pair<std::string, std::string> switch_of(Protocol protocol) const {
    const std::string_view name = protocol_name(protocol);
    const auto& protocols = directives_.protocols;
    if (protocols && !protocols->has(protocol)) {
      return {"SSLProtocol", fmt::format("SSLProtocol with +{}", name)};
    }
    for (const char* bound : {"MinProtocol", "MaxProtocol"}) {
      const std::string cmd = conf_cmd({bound});
      if (!cmd.empty()) return {cmd, fmt::format("{} {}", cmd, name)};
    }
    const std::string cmd = conf_cmd({"Protocol", "Options"});
    const bool by_gap = protocols && cmd.empty();
    return {
        by_gap        ? "a gap in SSLProtocol"
        : cmd.empty() ? "mod_ssl's configuration or openssl.cnf"
                      : cmd,
        by_gap ? "SSLProtocol without one" : fmt::format("SSLOpenSSLConfCmd Protocol +{}", name)};
  }
  [[nodiscard]] std::string ciphers() const {
    std::string cmd = conf_cmd({"CipherString"});
    if (!cmd.empty()) return cmd;
    return directives_.cipher_suite ? "SSLCipherSuite" : "mod_ssl's default cipher list";
  }
  [[nodiscard]] std::string suites() const {
    std::string cmd = conf_cmd({"Ciphersuites"});
    if (!cmd.empty()) return cmd;
    return directives_.tls13_cipher_suite ? "SSLCipherSuite TLSv1.3"
                                          : "OpenSSL's default list of TLS 1.3 suites";
  }
  [[nodiscard]] std::string groups() const {
    const std::string cmd = conf_cmd({"Groups", "Curves"});
    if (cmd.empty() && !directives_.certificate_curve.empty()) {
      return "the EC PARAMETERS block in SSLCertificateFile";
    }
    return cmd.empty() ? "OpenSSL's default list of groups (SSLOpenSSLConfCmd Groups sets another)"
                       : cmd;
  }
  [[nodiscard]] std::string signature_algorithms() const {
    const std::string cmd = conf_cmd({"SignatureAlgorithms"});
    return cmd.empty() ? "OpenSSL's default list of signature algorithms" : cmd;
  }
  // What to write so that TLS 1.0 and 1.1 can be reached.
  [[nodiscard]] std::string cipher_suite_at_level_0() const {
    std::string list = directives_.cipher_suite.value_or("DEFAULT");
    if (auto added = list.find(":!aNULL:!eNULL:!EXP"); added != std::string::npos) {
      list.erase(added);
    }
    return "SSLCipherSuite " + list + ":@SECLEVEL=0";
  }

 private:
  const SslDirectives& directives_;
};

// Collects the notes of one intersection.
class Notes {
 public:
  Notes(const Before& before, const Intersection& both, const Policy& policy,
        const SslDirectives& directives, const Capabilities& can)
      : before_(before),
        both_(both),
        policy_(policy),
        directives_(directives),
        can_(can),
        sources_(directives),
        allowed_(ProtocolSet::range(policy.min_protocol, policy.max_protocol)) {}

  std::vector<Note> all() {
    unreachable_versions();
    missing_ciphers();
    missing_suites();
    missing_groups();
    missing_signature_algorithms();
    taken_from_mod_ssl();
    return std::move(notes_);
  }

 private:
  void add(Kind kind, std::string text) { notes_.push_back({kind, std::move(text)}); }
  void add_names(Kind kind, const std::string& text, const Names& names) {
    if (!names.empty()) add(kind, text + ": " + join(names, ", "));
  }

  // Names of the policy that are not in force, by reason.
  struct Missing {
    Names lacking, hidden, unlisted;
  };
  void add_missing(const std::string& kind, const Missing& missing, const std::string& source) {
    add_names(
        Kind::left_out,
        std::string("this OpenSSL (") + OpenSSL_version(OPENSSL_VERSION_STRING) + ") lacks " + kind,
        missing.lacking);
    add_names(
        Kind::left_out,
        "security level " + std::to_string(before_.settings.security_level) + " rules out " + kind,
        missing.hidden);
    add_names(Kind::overridden, source + " does not have " + kind + " of policy " + policy_.id(),
              missing.unlisted);
  }

  void unreachable_versions();
  void missing_ciphers();
  void missing_suites();
  void missing_groups();
  void missing_signature_algorithms();
  void taken_from_mod_ssl();
  [[nodiscard]] std::string why_dropped(const Intersection::Dropped& dropped) const;

  const Before& before_;
  const Intersection& both_;
  const Policy& policy_;
  const SslDirectives& directives_;
  const Capabilities& can_;
  Sources sources_;
  ProtocolSet allowed_;
  std::vector<Note> notes_;
};

void Notes::unreachable_versions() {
  ProtocolSet by_level;
  for (Protocol protocol : all_protocols) {
    if (!allowed_.has(protocol) || before_.settings.protocols.has(protocol)) continue;
    if (before_.configured.has(protocol)) {
      by_level.add(protocol);
      continue;
    }
    const auto [source, remedy] = sources_.switch_of(protocol);
    add(Kind::warning,
        fmt::format("{}, which policy {} allows, is off by {}: if clients need it, write {}",
                    protocol_name(protocol), policy_.id(), source, remedy));
  }
  if (!by_level.empty()) {
    const int level = before_.settings.security_level;
    add(Kind::warning,
        fmt::format("{}, which policy {} allows, cannot be reached at security level {}: if "
                    "clients need it, {}",
                    version_names(by_level), policy_.id(), level,
                    policy_.security_level == level
                        ? fmt::format("take @SECLEVEL={} out of TLSGuardCipherSuite", level)
                        : "write " + sources_.cipher_suite_at_level_0()));
  }
  for (const Intersection::Dropped& dropped : both_.dropped) {
    add(Kind::warning,
        std::string(protocol_name(dropped.protocol)) + " is off: " + why_dropped(dropped));
  }
}

std::string Notes::why_dropped(const Intersection::Dropped& dropped) const {
  using Cause = Intersection::Dropped::Cause;
  const std::string policy = "policy " + policy_.id();
  if (dropped.cause == Cause::group) {
    return "none of the groups of " + policy + " that it could use is left";
  }
  if (dropped.cause == Cause::signature_algorithm) {
    return "none of the signature algorithms of " + policy + " that it could use is left";
  }
  const bool tls13 = dropped.protocol == Protocol::tls1_3;
  Names of_policy;
  Names unlisted;
  for (const std::string& name : tls13 ? policy_.suites : policy_.ciphers) {
    const hello::Cipher* cipher = can_.cipher(name);
    const bool usable =
        tls13 ? can_.has_suite(name) : cipher != nullptr && cipher->min <= dropped.protocol;
    if (!usable) continue;
    of_policy.push_back(name);
    if (!contains(before_.listed, name)) unlisted.push_back(name);
  }
  if (of_policy.empty()) return policy + " has no cipher for it that this OpenSSL has";
  const std::string source = tls13 ? sources_.suites() : sources_.ciphers();
  if (unlisted.empty()) return "the security level rules out every cipher of " + policy;
  return source + " has no cipher of " + policy + " for it: add one of " + enumerate(unlisted);
}

void Notes::missing_ciphers() {
  const ProtocolSet common = before_.settings.protocols & allowed_;
  if (common.empty() || common.lowest() > Protocol::tls1_2) return;
  const Names in_force = cipher_names(both_.settings.ciphers);
  Missing missing;
  for (const std::string& name : policy_.ciphers) {
    if (contains(in_force, name) || contains(both_.ciphers_without_group, name)) continue;
    const hello::Cipher* cipher = can_.cipher(name);
    if (cipher == nullptr) {
      missing.lacking.push_back(name);
    } else if ((ProtocolSet::range(cipher->min, cipher->max) & common).empty()) {
      continue;  // the note on its version says it
    } else if (contains(before_.listed, name)) {
      missing.hidden.push_back(name);
    } else {
      missing.unlisted.push_back(name);
    }
  }
  add_missing("ciphers", missing, sources_.ciphers());
  add_names(Kind::overridden, "no group is left for ciphers", both_.ciphers_without_group);
}

void Notes::missing_suites() {
  if (!(before_.settings.protocols & allowed_).has(Protocol::tls1_3)) return;
  const Names in_force = cipher_names(both_.settings.suites);
  Missing missing;
  for (const std::string& name : policy_.suites) {
    if (contains(in_force, name)) continue;
    if (!can_.has_suite(name)) {
      missing.lacking.push_back(name);
    } else if (!contains(before_.listed, name)) {
      missing.unlisted.push_back(name);
    } else if (!contains(cipher_names(before_.settings.suites), name)) {
      missing.hidden.push_back(name);
    }
  }
  add_missing("TLS 1.3 suites", missing, sources_.suites());
}

void Notes::missing_groups() {
  const ProtocolSet& versions = before_.settings.protocols;
  const bool tls13 = versions.has(Protocol::tls1_3);
  const bool older = !versions.empty() && versions.lowest() < Protocol::tls1_3;
  Missing missing;
  for (const std::string& name : policy_.groups) {
    const Group* group = find_group(name);
    if (group == nullptr || contains(before_.settings.groups, group->id)) continue;
    if (!can_.has(*group)) {
      missing.lacking.push_back(name);
    } else if (!(tls13 && contains(can_.groups_tls13, group->id)) &&
               !(older && contains(can_.groups_tls12, group->id))) {
      continue;  // for a version that is off, which has a note of its own
    } else if (group->bits < bits_of_level(before_.settings.security_level)) {
      missing.hidden.push_back(name);
    } else {
      missing.unlisted.push_back(name);
    }
  }
  add_missing("groups", missing, sources_.groups());
}

void Notes::missing_signature_algorithms() {
  if (!policy_.signature_algorithms) return;
  Missing missing;
  const bool only_tls13 = before_.settings.protocols.lowest() == Protocol::tls1_3;
  for (const std::string& name : *policy_.signature_algorithms) {
    const SignatureAlgorithm* algorithm = find_signature_algorithm(name);
    if (algorithm == nullptr || contains(before_.settings.signature_algorithms, algorithm->id) ||
        (only_tls13 && !signs_in_tls13(algorithm->id))) {
      continue;
    }
    if (!can_.has(*algorithm)) {
      missing.lacking.push_back(name);
    } else if (algorithm->hash_bits / 2 < bits_of_level(before_.settings.security_level)) {
      missing.hidden.push_back(name);
    } else {
      missing.unlisted.push_back(name);
    }
  }
  add_missing("signature algorithms", missing, sources_.signature_algorithms());
}

// What somebody wrote for mod_ssl and the policy does not let through. Defaults of mod_ssl and
// OpenSSL are nobody's wish and not worth a note.
void Notes::taken_from_mod_ssl() {
  const hello::ServerSettings& ours = before_.settings;
  const std::string takes = "policy " + policy_.id() + " takes away from ";
  ProtocolSet lost;
  for (Protocol protocol : all_protocols) {
    if (ours.protocols.has(protocol) && !allowed_.has(protocol)) lost.add(protocol);
  }
  if (directives_.protocols && !lost.empty()) {
    add(Kind::overridden, takes + "SSLProtocol: " + version_names(lost));
  }
  auto without = [](const Names& all, const Names& kept) {
    Names gone;
    for (const std::string& name : all) {
      if (!contains(kept, name)) gone.push_back(name);
    }
    return gone;
  };
  auto note = [&](bool written, const std::string& source, const Names& all, const Names& kept) {
    const Names gone = without(all, kept);
    if (written && !gone.empty()) add(Kind::overridden, takes + source + ": " + enumerate(gone));
  };
  // A list for versions that the policy does not allow goes with them.
  const bool older = allowed_.lowest() < Protocol::tls1_3;
  const bool tls13 = allowed_.has(Protocol::tls1_3);
  note(older && (directives_.cipher_suite || !sources_.conf_cmd({"CipherString"}).empty()),
       sources_.ciphers(), cipher_names(ours.ciphers), policy_.ciphers);
  note(tls13 && (directives_.tls13_cipher_suite || !sources_.conf_cmd({"Ciphersuites"}).empty()),
       sources_.suites(), cipher_names(ours.suites), policy_.suites);
  note(!sources_.conf_cmd({"Groups", "Curves"}).empty(), sources_.groups(),
       group_names(ours.groups), policy_.groups);
  if (policy_.signature_algorithms) {
    note(!sources_.conf_cmd({"SignatureAlgorithms"}).empty(), sources_.signature_algorithms(),
         signature_algorithm_names(ours.signature_algorithms), *policy_.signature_algorithms);
  }
  if (ours.server_preference && policy_.server_preference == false) {
    add(Kind::overridden, "SSLHonorCipherOrder on gives way to policy " + policy_.id() +
                              ", which leaves the choice to the client");
  }
}

}  // namespace

int bits_of_level(int level) {
  constexpr std::array bits{0, 80, 112, 128, 192, 256};
  return bits.at(static_cast<std::size_t>(std::clamp(level, 0, 5)));
}

std::vector<Note> notes_on(const Before& before, const Intersection& both, const Policy& policy,
                           const SslDirectives& directives, const Capabilities& can) {
  return Notes(before, both, policy, directives, can).all();
}

}  // namespace tlsguard::policy
