// SPDX-License-Identifier: Apache-2.0
#include "httpd/domain_directives.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "core/text.h"
#include "httpd/external_account.h"
#include "renew/spec_ca.h"
#include "renew/spec_names.h"
#include "web/trusted_proxy.h"

namespace tlsguard::httpd {

namespace {

// The conf may be shared: a new one with this setting takes its place.
template <typename T>
void set(Use& use, Setting<T> DomainConf::*member, T value) {
  auto conf = use.conf.domain_conf != nullptr ? std::make_shared<DomainConf>(*use.conf.domain_conf)
                                              : std::make_shared<DomainConf>();
  (*conf).*member = Written<T>{std::move(value), use.place};
  use.conf.domain_conf = std::move(conf);
}

// What the same directive has brought before it in the same section; empty: nothing.
template <typename T>
std::vector<T> so_far(const Use& use, Setting<std::vector<T>> DomainConf::*member) {
  if (use.conf.domain_conf == nullptr) return {};
  const auto& setting = (*use.conf.domain_conf).*member;
  return setting ? setting->value : std::vector<T>{};
}

// One word of a few.
template <typename T>
Result<void> take_word(Use& use, Setting<T> DomainConf::*member,
                       std::initializer_list<std::pair<const char*, T>> values) {
  std::vector<std::string> names;
  std::string word = join(use.words, " ");
  for (const auto& [name, value] : values) {
    names.emplace_back(name);
    if (!equal_ignoring_case(word, name)) continue;
    set(use, member, value);
    return {};
  }
  return fail(fmt::format("unknown value '{}': valid {} {}", word, names.size() == 1 ? "is" : "are",
                          join(names, " and ")));
}

// An address a CA would take: something@name.tld, no space, no second '@'.
Result<std::string> email(std::string_view text) {
  constexpr std::string_view scheme = "mailto:";
  std::string_view address = text;
  if (equal_ignoring_case(address.substr(0, scheme.size()), scheme)) {
    address.remove_prefix(scheme.size());
  }
  auto at = address.find('@');
  bool good =
      at != std::string_view::npos && at > 0 &&
      std::none_of(address.begin(), address.end(), [](char c) {
        return c <= ' ' || c == 0x7f || c == ',' || c == ';' || c == '?' || c == '<' || c == '>';
      });
  if (good) {
    std::string_view host = address.substr(at + 1);
    good = host.find('.') != std::string_view::npos && renew::certificate_name(host);
  }
  if (!good) {
    return fail(fmt::format("'{}' is no e-mail address: valid is name@domain, one or more", text));
  }
  return std::string(address);
}

Result<renew::Window> window(const std::string& text) {
  if (!text.ends_with('%')) {
    auto duration = parse_duration(text, PlainNumber::days);
    if (!duration) {
      return fail(duration.error().text + ", or a share of the lifetime as in 33%");
    }
    if (duration->count() == 0) return fail("a window of 0 would be over before it begins");
    return renew::Window(*duration);
  }
  int percent = 0;
  const char* end = text.data() + text.size() - 1;
  auto [stop, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc() || stop != end || percent < 1 || percent > 99) {
    return fail(
        fmt::format("'{}' is no share of a lifetime: valid are 1% to 99%, or a duration as "
                    "30d",
                    text));
  }
  return renew::Window(percent);
}

Result<void> take_window(Use& use, Setting<renew::Window> DomainConf::*member) {
  if (auto wrong = need_words(use, 1, 1, "a duration (30d) or a share of the lifetime (33%)");
      !wrong) {
    return wrong;
  }
  auto value = window(use.words[0]);
  if (!value) return tl::unexpected(value.error());
  set(use, member, *value);
  return {};
}

constexpr std::pair<const char*, renew::ChallengeType> challenge_types[] = {
    {"tls-alpn-01", renew::ChallengeType::tls_alpn_01},
    {"http-01", renew::ChallengeType::http_01},
    {"dns-01", renew::ChallengeType::dns_01},
    {"dns-account-01", renew::ChallengeType::dns_account_01},
    {"dns-persist-01", renew::ChallengeType::dns_persist_01}};

bool has_scheme(std::string_view text, std::string_view scheme) {
  return text.size() > scheme.size() && equal_ignoring_case(text.substr(0, scheme.size()), scheme);
}

}  // namespace

Result<std::vector<std::string>> domain_names(const std::vector<std::string>& words) {
  return renew::certificate_names(words);
}

Result<void> take_domain(Use& use) {
  DeclaredDomain domain;
  domain.place = use.place;
  if (!use.words.empty()) {
    auto names = domain_names(use.words);
    if (!names) return tl::unexpected(names.error());
    domain.names = std::move(*names);
  }
  use.conf.domains.push_back(std::move(domain));
  return {};
}

Result<void> take_domain_list(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one file"); !wrong) return wrong;
  std::string path = use.resolve(use.words[0]);
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(fmt::format("file '{}' does not exist, or is no plain file", path));
  }
  use.conf.domain_lists.push_back({std::move(path), use.place});
  return {};
}

Result<void> take_ca(Use& use) {
  if (use.words.empty()) return fail("takes one CA at least, by name or by URL");
  std::vector<renew::CaSpec> cas;
  for (const std::string& word : use.words) {
    auto ca = renew::parse_ca(word);
    if (!ca) return tl::unexpected(ca.error());
    if (std::find(cas.begin(), cas.end(), *ca) != cas.end()) {
      return fail(fmt::format("'{}' stands there twice", word));
    }
    cas.push_back(std::move(*ca));
  }
  set(use, &DomainConf::cas, std::move(cas));
  return {};
}

Result<void> take_agreement(Use& use) {
  return take_word(use, &DomainConf::agreement, {{"accepted", true}});
}

Result<void> take_contact(Use& use) {
  if (use.words.empty()) return fail("takes one e-mail address at least");
  std::vector<std::string> contacts;
  for (const std::string& word : use.words) {
    auto address = email(word);
    if (!address) return tl::unexpected(address.error());
    contacts.push_back(std::move(*address));
  }
  set(use, &DomainConf::contacts, std::move(contacts));
  return {};
}

Result<void> take_external_account(Use& use) {
  auto account =
      parse_external_account(use.words, [&](const std::string& path) { return use.resolve(path); });
  if (!account) return tl::unexpected(account.error());
  auto accounts = so_far(use, &DomainConf::external_accounts);
  auto same = std::find_if(accounts.begin(), accounts.end(),
                           [&](const auto& known) { return known.ca == account->ca; });
  if (same != accounts.end()) {
    return fail(account->ca.empty()
                    ? "an account without a CA stands here already: name the CA before the kid"
                    : fmt::format("an account of '{}' stands here already", account->ca));
  }
  accounts.push_back(std::move(*account));
  set(use, &DomainConf::external_accounts, std::move(accounts));
  return {};
}

Result<void> take_challenges(Use& use) {
  std::vector<std::string> names;
  for (const auto& [name, type] : challenge_types) names.emplace_back(name);
  if (use.words.empty()) return fail("takes one type at least: " + join(names, ", "));
  std::vector<renew::ChallengeType> types;
  for (const std::string& word : use.words) {
    const auto* found =
        std::find_if(std::begin(challenge_types), std::end(challenge_types),
                     [&](const auto& each) { return equal_ignoring_case(each.first, word); });
    if (found == std::end(challenge_types)) {
      return fail(
          fmt::format("unknown challenge type '{}': valid are {}", word, join(names, ", ")));
    }
    if (std::find(types.begin(), types.end(), found->second) == types.end()) {
      types.push_back(found->second);
    }
  }
  set(use, &DomainConf::challenges, std::move(types));
  return {};
}

Result<void> take_dns_command(Use& use) {
  if (use.words.empty()) return fail("takes a program, then perhaps arguments");
  auto words = use.words;
  words[0] = use.resolve(words[0]);
  set(use, &DomainConf::dns_command, std::move(words));
  return {};
}

Result<void> take_key_types(Use& use) {
  if (use.words.empty()) {
    return fail("takes one key type at least: P-256, P-384, rsa2048, rsa3072, rsa4096");
  }
  std::vector<crypto::KeyType> types;
  for (const std::string& word : use.words) {
    auto type = crypto::parse_key_type(word);
    if (!type) return tl::unexpected(type.error());
    if (std::find(types.begin(), types.end(), *type) == types.end()) types.push_back(*type);
  }
  set(use, &DomainConf::key_types, std::move(types));
  return {};
}

Result<void> take_ca_profile(Use& use) {
  if (auto wrong = need_words(use, 1, 2, "a profile's name, then perhaps 'required'"); !wrong) {
    return wrong;
  }
  bool required = use.words.size() == 2;
  if (required && !equal_ignoring_case(use.words[1], "required")) {
    return fail(
        fmt::format("unexpected '{}': after the profile only 'required' may follow", use.words[1]));
  }
  if (use.words[0].empty()) return fail("takes a profile's name");
  set(use, &DomainConf::profile, CaProfile{use.words[0], required});
  return {};
}

Result<void> take_preferred_chain(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one name: the CN of the chain's last issuer, in quotes");
      !wrong) {
    return wrong;
  }
  if (use.words[0].empty()) return fail("takes one name");
  set(use, &DomainConf::preferred_chain, use.words[0]);
  return {};
}

Result<void> take_renew_window(Use& use) { return take_window(use, &DomainConf::renew_window); }
Result<void> take_warn_window(Use& use) { return take_window(use, &DomainConf::warn_window); }

Result<void> take_ari(Use& use) {
  return take_word(use, &DomainConf::ari, {{"on", true}, {"off", false}});
}
Result<void> take_renew(Use& use) {
  return take_word(use, &DomainConf::automatic, {{"auto", true}, {"manual", false}});
}

Result<void> take_ca_trust(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "a file of certificates, or a directory of them");
      !wrong) {
    return wrong;
  }
  std::string path = use.resolve(use.words[0]);
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 || !(S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode))) {
    return fail(fmt::format("'{}' is neither a file nor a directory", path));
  }
  set(use, &DomainConf::ca_trust, std::move(path));
  return {};
}

Result<void> take_http_proxy(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one URL: http://host:port"); !wrong) return wrong;
  const std::string& url = use.words[0];
  if (!has_scheme(url, "http://") && !has_scheme(url, "https://")) {
    return fail(
        fmt::format("'{}' is no proxy: valid are http://host:port and https://host:port", url));
  }
  set(use, &DomainConf::http_proxy, url);
  return {};
}

// Lines of one section add up.
Result<void> take_event(Use& use) {
  constexpr const char* syntax = "command path [arg ...], webhook url [keyfile], or none";
  if (use.words.empty()) return fail(fmt::format("takes {}", syntax));
  const std::string& kind = use.words[0];
  if (equal_ignoring_case(kind, "none")) {
    if (use.words.size() != 1) return fail("after 'none' nothing may follow");
    set(use, &DomainConf::events, std::vector<renew::EventSpec>{});
    return {};
  }
  renew::EventSpec event;
  event.arguments.assign(use.words.begin() + 1, use.words.end());
  if (equal_ignoring_case(kind, "command")) {
    event.kind = renew::EventSpec::Kind::command;
    if (event.arguments.empty()) return fail("'command' without a program");
    event.arguments[0] = use.resolve(event.arguments[0]);
  } else if (equal_ignoring_case(kind, "webhook")) {
    event.kind = renew::EventSpec::Kind::webhook;
    if (event.arguments.empty() || event.arguments.size() > 2) {
      return fail("'webhook' takes a URL, then perhaps the file of a key");
    }
    if (!has_scheme(event.arguments[0], "http://") && !has_scheme(event.arguments[0], "https://")) {
      return fail(fmt::format("'{}' is no URL for a webhook: valid are https:// and http://",
                              event.arguments[0]));
    }
    if (event.arguments.size() == 2) event.arguments[1] = use.resolve(event.arguments[1]);
  } else {
    return fail(fmt::format("unknown kind '{}': valid are {}", kind, syntax));
  }
  auto events = so_far(use, &DomainConf::events);
  events.push_back(std::move(event));
  set(use, &DomainConf::events, std::move(events));
  return {};
}

// A block of addresses is written as for TLSGuardTrustedProxy.
Result<void> take_internal_ca_names(Use& use) {
  if (use.words.empty()) return fail("takes names, addresses and networks");
  std::vector<std::string> names;
  for (const std::string& word : use.words) {
    if (word.find('/') != std::string::npos) {
      const std::string_view block = word;
      if (auto parsed = web::parse_trusted_proxies({&block, 1}); !parsed) {
        return tl::unexpected(parsed.error());
      }
      names.push_back(word);
      continue;
    }
    auto name = renew::certificate_name(word);
    if (!name) return tl::unexpected(name.error());
    names.push_back(*name);
  }
  use.conf.internal_ca_names = Written<std::vector<std::string>>{std::move(names), use.place};
  return {};
}

Result<void> take_agent_user(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one user's name"); !wrong) return wrong;
  if (::getpwnam(use.words[0].c_str()) == nullptr) {
    return fail(
        fmt::format("there is no user '{}': valid is one that this system knows", use.words[0]));
  }
  use.conf.agent_user = Written<std::string>{use.words[0], use.place};
  return {};
}

Result<void> take_agent_program(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one path"); !wrong) return wrong;
  std::string path = use.resolve(use.words[0]);
  struct stat facts {};
  constexpr mode_t any_execute = S_IXUSR | S_IXGRP | S_IXOTH;
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode) ||
      (facts.st_mode & any_execute) == 0) {
    return fail(fmt::format("'{}' is no program: valid is the path of tlsguard-agent", path));
  }
  use.conf.agent_program = Written<std::string>{std::move(path), use.place};
  return {};
}

}  // namespace tlsguard::httpd
