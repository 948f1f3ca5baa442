// SPDX-License-Identifier: Apache-2.0
#include "ctl/grade.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/dns_name.h"
#include "core/text.h"
#include "ctl/http_answer.h"
#include "ctl/suite_table.h"
#include "policy/names.h"
#include "policy/strength.h"
#include "policy/wording.h"

namespace tlsguard::ctl {
namespace {

using hello::Authentication;
using hello::KeyExchange;
using policy::Policy;
using policy::Strength;
using Kind = Finding::Kind;

constexpr int least_dh_bits = 2048;  // RFC 9325 4.1
constexpr int sha1_bits = 160;

std::string version_text(Protocol version) { return std::string(protocol_name(version)); }

// SP 800-57 part 1 table 2: security strength of a finite field.
int dh_strength(int bits) {
  if (bits >= 15360) return 256;
  if (bits >= 7680) return 192;
  if (bits >= 3072) return 128;
  if (bits >= 2048) return 112;
  return bits >= 1024 ? 80 : 0;
}

class Grader {
 public:
  Grader(const Facts& facts, const Policy& policy)
      : facts_(facts), policy_(policy), least_(policy::strength_of(policy)) {}

  std::vector<Finding> run() {
    protocols();
    ciphers();
    groups();
    signatures();
    handshake();
    for (const CertificateFacts& each : facts_.certificates) certificate(each);
    hsts();
    plain();
    for (const std::string& text : facts_.notes) add(Kind::note, "probe", {}, text);
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.kind < b.kind; });
    return std::move(findings_);
  }

 private:
  void protocols();
  void ciphers();
  [[nodiscard]] std::string weakness_of(const Suite& suite) const;
  void lacking_ciphers(const std::vector<std::string>& admitted, bool tls13);
  void groups();
  void group(std::uint16_t id);
  void signatures();
  void handshake();
  void certificate(const CertificateFacts& certificate);
  void certificate_key(const CertificateFacts& certificate, const std::string& name);
  void hsts();
  void plain();

  void add(Kind kind, std::string subject, std::vector<std::string> items, std::string text) {
    findings_.push_back({kind, std::move(subject), std::move(items), std::move(text)});
  }
  // One finding for all items with the same text.
  void collect(Kind kind, const std::string& subject, const std::string& item,
               const std::string& text) {
    for (Finding& finding : findings_) {
      if (finding.kind == kind && finding.subject == subject && finding.text == text) {
        finding.items.push_back(item);
        return;
      }
    }
    add(kind, subject, {item}, text);
  }
  [[nodiscard]] std::string not_in_policy() const {
    return fmt::format("not among those of {}", policy_.id());
  }

  const Facts& facts_;
  const Policy& policy_;
  Strength least_;
  std::vector<Finding> findings_;
};

void Grader::protocols() {
  bool any = false;
  for (const VersionFacts& version : facts_.versions) {
    std::vector<std::string> item{version_text(version.version)};
    bool admitted =
        version.version >= policy_.min_protocol && version.version <= policy_.max_protocol;
    if (version.suites.empty()) {
      if (admitted) add(Kind::lacks, "protocol", item, "not served");
      continue;
    }
    any = true;
    if (version.version < policy_.min_protocol) {
      add(Kind::weaker, "protocol", item,
          fmt::format("served, while {} begins at {}", policy_.id(),
                      protocol_name(policy_.min_protocol)));
    } else if (!admitted) {
      add(Kind::outside, "protocol", item,
          fmt::format("served, while {} ends at {}", policy_.id(),
                      protocol_name(policy_.max_protocol)));
    }
  }
  if (!any) add(Kind::expected, "protocol", {}, "no version could be negotiated");
}

// In what a suite is weaker than the weakest the policy admits; empty: in nothing.
std::string Grader::weakness_of(const Suite& suite) const {
  std::vector<std::string> reasons;
  bool tls13 = suite.min == Protocol::tls1_3;
  if (suite.authentication == Authentication::none) reasons.emplace_back("no authentication");
  if (suite.bits == 0) reasons.emplace_back("no encryption");
  bool forward_secrecy =
      tls13 || suite.key_exchange == KeyExchange::ecdhe || suite.key_exchange == KeyExchange::dhe;
  if (least_.forward_secrecy && !forward_secrecy) reasons.emplace_back("no forward secrecy");
  if (least_.aead && !suite.aead && suite.bits > 0) reasons.emplace_back("no AEAD");
  if (suite.bits < least_.cipher_bits && suite.bits > 0) {
    reasons.push_back(fmt::format("{} bits", suite.bits));
  }
  return join(reasons, ", ");
}

// A version below the policy's is said once: its ciphers add nothing to that.
void Grader::ciphers() {
  std::vector<std::uint16_t> served;
  for (const VersionFacts& version : facts_.versions) {
    if (version.version < policy_.min_protocol) continue;
    for (std::uint16_t id : version.suites) {
      if (std::find(served.begin(), served.end(), id) == served.end()) served.push_back(id);
    }
    if (version.preference == Preference::client && policy_.server_preference.value_or(false)) {
      collect(Kind::note, "preference", version_text(version.version),
              fmt::format("the client chooses, while {} has the server choose", policy_.id()));
    }
  }
  auto admitted = [this](std::uint16_t id) {
    auto is_it = [id](const std::string& name) {
      const Suite* suite = find_suite(name);
      return suite != nullptr && suite->id == id;
    };
    return std::any_of(policy_.ciphers.begin(), policy_.ciphers.end(), is_it) ||
           std::any_of(policy_.suites.begin(), policy_.suites.end(), is_it);
  };
  for (std::uint16_t id : served) {
    if (admitted(id)) continue;
    const Suite* suite = find_suite(id);
    std::string weakness = suite != nullptr ? weakness_of(*suite) : "";
    if (weakness.empty()) {
      collect(Kind::outside, "cipher", suite_name(id), not_in_policy());
    } else {
      collect(Kind::weaker, "cipher", suite_name(id), weakness);
    }
  }
  lacking_ciphers(policy_.ciphers, false);
  lacking_ciphers(policy_.suites, true);
}

// Only for versions that are served; a cipher that no certificate here fits is not missed.
void Grader::lacking_ciphers(const std::vector<std::string>& admitted, bool tls13) {
  auto served = [&](std::uint16_t id) {
    return std::any_of(facts_.versions.begin(), facts_.versions.end(), [&](const auto& version) {
      return std::find(version.suites.begin(), version.suites.end(), id) != version.suites.end();
    });
  };
  auto has_key_for = [&](Authentication authentication) {
    return std::any_of(facts_.certificates.begin(), facts_.certificates.end(), [&](const auto& c) {
      bool rsa = c.type == hello::KeyType::rsa || c.type == hello::KeyType::rsa_pss;
      return authentication == (rsa ? Authentication::rsa : Authentication::ecdsa);
    });
  };
  bool older = std::any_of(facts_.versions.begin(), facts_.versions.end(), [](const auto& version) {
    return version.version < Protocol::tls1_3 && !version.suites.empty();
  });
  if (tls13 ? facts_.served(Protocol::tls1_3) == nullptr : !older) return;
  for (const std::string& name : admitted) {
    const Suite* suite = find_suite(name);
    if (suite == nullptr || served(suite->id)) continue;
    if (!tls13 && !has_key_for(suite->authentication)) continue;
    collect(Kind::lacks, "cipher", name, "not served");
  }
}

void Grader::group(std::uint16_t id) {
  const policy::Group* known = policy::find_group(id);
  for (const std::string& name : policy_.groups) {
    if (known != nullptr && policy::find_group(name) == known) return;
  }
  std::string name = policy::group_name(id);
  if (known != nullptr && known->bits < least_.group_bits) {
    collect(Kind::weaker, "group", name, fmt::format("less than {} bits", least_.group_bits));
  } else {
    collect(Kind::outside, "group", name, not_in_policy());
  }
}

void Grader::groups() {
  std::vector<std::uint16_t> served = facts_.groups13.groups;
  for (std::uint16_t id : facts_.groups12.groups) {
    if (std::find(served.begin(), served.end(), id) == served.end()) served.push_back(id);
  }
  if (policy_.groups.empty() || served.empty()) return;
  for (std::uint16_t id : served) group(id);
  for (const std::string& name : policy_.groups) {
    const policy::Group* known = policy::find_group(name);
    if (known == nullptr) continue;
    if (std::find(served.begin(), served.end(), known->id) == served.end()) {
      collect(Kind::lacks, "group", name, "not served");
    }
  }
}

void Grader::signatures() {
  std::vector<std::uint16_t> served = facts_.signatures13;
  for (std::uint16_t id : facts_.signatures12) {
    if (std::find(served.begin(), served.end(), id) == served.end()) served.push_back(id);
  }
  const auto& admitted = policy_.signature_algorithms;
  for (std::uint16_t id : served) {
    const auto* known = policy::find_signature_algorithm(id);
    std::string name = policy::signature_algorithm_name(id);
    int bits = known != nullptr ? known->hash_bits : 0;
    if (!admitted) {
      if (bits <= sha1_bits) collect(Kind::note, "signature", name, "SHA-1 or MD5 (RFC 9155)");
      continue;
    }
    bool in_policy = std::any_of(admitted->begin(), admitted->end(), [&](const auto& each) {
      return known != nullptr && policy::find_signature_algorithm(each) == known;
    });
    if (in_policy) continue;
    if (bits < least_.hash_bits) {
      collect(Kind::weaker, "signature", name, fmt::format("{} bits of hash", bits));
    } else {
      collect(Kind::outside, "signature", name, not_in_policy());
    }
  }
}

// What no policy names and every one relies on.
void Grader::handshake() {
  if (facts_.dh_bits && *facts_.dh_bits < least_dh_bits) {
    add(Kind::weaker, "group", {"DHE"},
        fmt::format("a prime of {} bits; RFC 9325 4.1 asks for {}", *facts_.dh_bits,
                    least_dh_bits));
  } else if (facts_.dh_bits && dh_strength(*facts_.dh_bits) < least_.group_bits) {
    add(Kind::weaker, "group", {"DHE"},
        fmt::format("a prime of {} bits, {} bits of strength, less than {}", *facts_.dh_bits,
                    dh_strength(*facts_.dh_bits), least_.group_bits));
  }
  if (facts_.compression.value_or(false)) {
    add(Kind::weaker, "handshake", {}, "TLS compression (RFC 3749; RFC 9325 3.3)");
  }
  if (!facts_.secure_renegotiation.value_or(true)) {
    add(Kind::weaker, "handshake", {}, "no secure renegotiation (RFC 5746)");
  }
  if (!facts_.extended_master_secret.value_or(true)) {
    add(Kind::note, "handshake", {}, "no extended master secret (RFC 7627)");
  }
  if (!facts_.fallback_scsv.value_or(true)) {
    add(Kind::note, "handshake", {}, "TLS_FALLBACK_SCSV is not heeded (RFC 7507)");
  }
}

void Grader::certificate_key(const CertificateFacts& certificate, const std::string& name) {
  using hello::KeyType;
  auto is_rsa = [](KeyType type) { return type == KeyType::rsa || type == KeyType::rsa_pss; };
  bool rsa = certificate.type && is_rsa(*certificate.type);
  if (rsa && certificate.bits < policy_.min_rsa_bits.value_or(0)) {
    add(Kind::weaker, "certificate", {name},
        fmt::format("{} expects an RSA key of {} bits or more", policy_.id(),
                    *policy_.min_rsa_bits));
  }
  const auto& types = policy_.certificate_types;
  bool admitted = types.empty() || std::any_of(types.begin(), types.end(), [&](KeyType type) {
                    return certificate.type && (type == *certificate.type || (is_rsa(type) && rsa));
                  });
  if (admitted) return;
  std::vector<std::string> names;
  std::transform(types.begin(), types.end(), std::back_inserter(names), policy::key_type_name);
  add(Kind::expected, "certificate", {name},
      fmt::format("{} expects a key of type {}", policy_.id(), join(names, " or ")));
}

void Grader::certificate(const CertificateFacts& certificate) {
  std::string name = certificate.key;
  if (certificate.curve == 0 && certificate.bits > 0) name += fmt::format(" {}", certificate.bits);
  certificate_key(certificate, name);
  if (certificate.expired) {
    add(Kind::weaker, "certificate", {name}, "expired on " + certificate.not_after);
  }
  if (certificate.not_yet_valid) {
    add(Kind::weaker, "certificate", {name}, "not valid before " + certificate.not_before);
  }
  std::string signature = to_lower(certificate.signature);
  bool weak =
      signature.find("sha1") != std::string::npos || signature.find("md5") != std::string::npos;
  if (weak && !certificate.self_signed) {
    add(Kind::weaker, "certificate", {name}, "signed with " + certificate.signature);
  }
  if (!certificate.name_fits.value_or(true)) {
    add(Kind::note, "certificate", {name}, "not for the name asked for");
  }
  if (!certificate.trust.empty() && !certificate.expired && !certificate.not_yet_valid) {
    add(Kind::note, "certificate", {name}, "not trusted by this system: " + certificate.trust);
  }
}

void Grader::hsts() {
  if (!facts_.http) return;  // a note of the probe says why
  if (is_ip_literal(facts_.http_host)) {
    add(Kind::note, "hsts", {}, "not judged: an IP address is never an HSTS host (RFC 6797 8.1.1)");
    return;
  }
  const auto& fields = facts_.http->hsts;
  const bool wanted = policy_.min_hsts_age.has_value();
  const Kind kind = wanted ? Kind::expected : Kind::note;
  const auto least = wanted ? policy_.min_hsts_age->count() : 0;
  std::string demand =
      wanted ? fmt::format("; {} expects max-age={} or more", policy_.id(), least) : "";
  if (fields.empty()) {
    if (wanted) add(kind, "hsts", {}, "no Strict-Transport-Security field" + demand);
    return;
  }
  if (fields.size() > 1) {
    add(kind, "hsts", fields,
        fmt::format("{} Strict-Transport-Security fields; RFC 6797 7.1 allows one", fields.size()));
  }
  auto field = parse_hsts_field(fields.front());
  if (!field) {
    add(kind, "hsts", {fields.front()}, "browsers ignore it: " + field.error().text);
  } else if (wanted && field->max_age < static_cast<std::uint64_t>(least)) {
    add(kind, "hsts", {fields.front()}, "too short" + demand);
  }
}

void Grader::plain() {
  if (!facts_.plain) return;
  const HttpFacts& plain = *facts_.plain;
  bool redirects =
      plain.status >= 300 && plain.status < 400 && to_lower(plain.location).starts_with("https://");
  if (!plain.hsts.empty()) {
    add(Kind::weaker, "hsts", plain.hsts, "sent in clear, which RFC 6797 7.2 forbids");
  }
  if (redirects) {
    add(Kind::note, "redirect", {plain.location}, fmt::format("{} in clear", plain.status));
  } else if (plain.status < 400) {
    add(Kind::weaker, "redirect", {},
        fmt::format("answers {} in clear, with no redirect to https", plain.status));
  }
}

}  // namespace

std::string_view kind_name(Finding::Kind kind) {
  switch (kind) {
    case Kind::weaker:
      return "weaker";
    case Kind::outside:
      return "outside";
    case Kind::expected:
      return "expected";
    case Kind::lacks:
      return "lacks";
    case Kind::note:
      return "note";
  }
  return "note";
}

bool Grade::fits() const {
  return std::all_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.fits(); });
}

Grade grade(const Facts& facts, const Policy& policy) {
  return {policy.id(), Grader(facts, policy).run()};
}

}  // namespace tlsguard::ctl
