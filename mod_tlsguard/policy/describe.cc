// SPDX-License-Identifier: Apache-2.0
#include "policy/describe.h"

#include <algorithm>
#include <iterator>

#include "core/text.h"
#include "policy/wording.h"

namespace tlsguard::policy {
namespace {

using Names = std::vector<std::string>;

std::string versions_of(const Policy& policy) {
  return version_names(ProtocolSet::range(policy.min_protocol, policy.max_protocol));
}

std::string preference_of(const Policy& policy) {
  if (!policy.server_preference) return "as SSLHonorCipherOrder says";
  return *policy.server_preference ? "server" : "client";
}

Names key_types_of(const Policy& policy) {
  Names names;
  for (hello::KeyType type : policy.certificate_types) names.push_back(key_type_name(type));
  return names;
}

std::string text_of(const std::optional<int>& number, const char* none) {
  return number ? std::to_string(*number) : none;
}

std::string hsts_age_of(const Policy& policy) {
  return policy.min_hsts_age ? std::to_string(policy.min_hsts_age->count()) + "s" : "any";
}

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_rsa(const Policy& policy) {
  return policy.certificate_types.empty() || contains(key_types_of(policy), "RSA");
}

// The difference of two policies, a line a kind.
class Difference {
 public:
  void value(const std::string& kind, const std::string& before, const std::string& after) {
    if (before != after) text_ += kind + ": " + before + " -> " + after + "\n";
  }

  void list(const std::string& kind, const Names& before, const Names& after) {
    Names kept;
    std::copy_if(before.begin(), before.end(), std::back_inserter(kept),
                 [&](const std::string& name) { return contains(after, name); });
    Names gone;
    std::copy_if(before.begin(), before.end(), std::back_inserter(gone),
                 [&](const std::string& name) { return !contains(after, name); });
    Names kept_there;
    Names added;
    for (const std::string& name : after)
      (contains(before, name) ? kept_there : added).push_back(name);
    if (!gone.empty()) text_ += kind + " taken away: " + join(gone, ", ") + "\n";
    if (!added.empty()) text_ += kind + " added: " + join(added, ", ") + "\n";
    if (kept != kept_there) text_ += kind + " in another order: " + join(kept_there, ", ") + "\n";
  }

  void sentence(const std::string& text) { text_ += text + "\n"; }

  [[nodiscard]] std::string text() const { return text_.empty() ? "no difference\n" : text_; }

 private:
  std::string text_;
};

}  // namespace

std::string dump(const Policy& policy) {
  std::string text;
  auto line = [&](const std::string& key, const std::string& value) {
    text += key + ": " + value + "\n";
  };
  auto lines = [&](const std::string& key, const Names& values) {
    for (const std::string& value : values) line(key, value);
  };
  line("policy", policy.id());
  line("source", policy.source);
  if (!policy.date.empty()) line("date", policy.date);
  line("versions", versions_of(policy));
  lines("tls1.3-suite", policy.suites);
  lines("cipher", policy.ciphers);
  lines("group", policy.groups);
  if (policy.signature_algorithms) {
    lines("signature-algorithm", *policy.signature_algorithms);
  } else {
    line("signature-algorithm", "any");
  }
  line("preference", preference_of(policy));
  if (policy.security_level) line("security-level", std::to_string(*policy.security_level));
  line("min-rsa-bits", text_of(policy.min_rsa_bits, "any"));
  const Names types = key_types_of(policy);
  line("certificate-types", types.empty() ? "any" : join(types, " "));
  line("min-hsts-age", hsts_age_of(policy));
  if (!policy.note.empty()) line("note", policy.note);
  return text;
}

std::string dump(const hello::ServerSettings& settings, const std::string& indent) {
  std::string text;
  auto line = [&](const char* key, const Names& values, const char* separator) {
    text += indent + key + ": " + (values.empty() ? "none" : join(values, separator)) + "\n";
  };
  line("versions", {version_names(settings.protocols)}, "");
  line("TLS 1.3 suites", cipher_names(settings.suites), " ");
  line("ciphers", cipher_names(settings.ciphers), " ");
  line("groups", group_names(settings.groups), " ");
  line("signature algorithms", signature_algorithm_names(settings.signature_algorithms), " ");
  line("preference", {settings.server_preference ? "server" : "client"}, "");
  line("security level", {std::to_string(settings.security_level)}, "");
  Names keys;
  for (const hello::CertificateKey& key : settings.keys) keys.push_back(key_name(key));
  if (!keys.empty()) line("certificate keys", keys, ", ");
  return text;
}

std::string diff(const Policy& a, const Policy& b) {
  Difference difference;
  difference.value("versions", versions_of(a), versions_of(b));
  difference.list("TLS 1.3 suites", a.suites, b.suites);
  difference.list("ciphers", a.ciphers, b.ciphers);
  difference.list("groups", a.groups, b.groups);
  if (a.signature_algorithms && b.signature_algorithms) {
    difference.list("signature algorithms", *a.signature_algorithms, *b.signature_algorithms);
  } else {
    auto all = [](const Policy& p) {
      return p.signature_algorithms ? join(*p.signature_algorithms, ", ") : std::string("any");
    };
    difference.value("signature algorithms", all(a), all(b));
  }
  difference.value("preference", preference_of(a), preference_of(b));
  difference.value("security level", text_of(a.security_level, "OpenSSL's"),
                   text_of(b.security_level, "OpenSSL's"));
  // Where no RSA key is expected any more, how long one is to be would read as weaker.
  if (!has_rsa(a) || has_rsa(b)) {
    difference.value("least RSA key", text_of(a.min_rsa_bits, "any"),
                     text_of(b.min_rsa_bits, "any"));
  }
  difference.list("certificate types", key_types_of(a), key_types_of(b));
  difference.value("least HSTS age", hsts_age_of(a), hsts_age_of(b));
  for (const std::string& who : newly_cut_off(a, b)) difference.sentence(who);
  return difference.text();
}

}  // namespace tlsguard::policy
