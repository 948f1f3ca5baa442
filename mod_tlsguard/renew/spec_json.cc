// SPDX-License-Identifier: Apache-2.0
#include "renew/spec_json.h"

#include <limits>
#include <map>
#include <utility>

#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr int format_version = 1;
// live::DomainBoard has room for 2^17 domains and 2^18 names of lists.
constexpr JsonBounds bounds{std::size_t{256} << 20, 8};
constexpr std::size_t most_domains = std::size_t{1} << 17;
constexpr std::size_t most_lists = 4096;
constexpr std::size_t most_names = 1000;
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_text = 4096;
constexpr std::size_t most_items = 256;  // of any list in the settings
constexpr std::int64_t longest_window = std::int64_t{100} * 365 * 86400;

using SettingsPointer = std::shared_ptr<const DomainSettings>;

Json window_to_json(const std::optional<Window>& window) {
  if (!window) return nullptr;
  if (const auto* length = std::get_if<Seconds>(&*window)) return {{"seconds", length->count()}};
  return {{"percent", std::get<int>(*window)}};
}

Json settings_to_json(const DomainSettings& s) {
  Json cas = Json::array();
  for (const CaSpec& ca : s.cas) cas.push_back({{"name", ca.name}, {"url", ca.directory_url}});
  Json external = Json::array();
  for (const ExternalAccountSpec& account : s.external_accounts) {
    external.push_back({{"ca", account.ca}, {"kid", account.kid}, {"hmac", account.hmac}});
  }
  Json challenges = Json::array();
  for (ChallengeType type : s.challenges) challenges.push_back(static_cast<int>(type));
  Json key_types = Json::array();
  for (crypto::KeyType type : s.key_types) key_types.push_back(static_cast<int>(type));
  Json events = Json::array();
  for (const EventSpec& event : s.events) {
    events.push_back({{"kind", static_cast<int>(event.kind)}, {"arguments", event.arguments}});
  }
  return {{"cas", std::move(cas)},
          {"agreement", s.agreement},
          {"contacts", s.contacts},
          {"external_accounts", std::move(external)},
          {"challenges", std::move(challenges)},
          {"dns_command", s.dns_command},
          {"key_types", std::move(key_types)},
          {"profile", s.profile},
          {"profile_required", s.profile_required},
          {"preferred_chain", s.preferred_chain},
          {"renew_window", window_to_json(s.renew_window)},
          {"ari", s.ari},
          {"warn_window", window_to_json(s.warn_window)},
          {"automatic", s.automatic},
          {"ca_trust", s.ca_trust},
          {"http_proxy", s.http_proxy},
          {"events", std::move(events)}};
}

// Settings are written once each, however many domains share them.
class SettingsTable {
 public:
  std::size_t index_of(const SettingsPointer& settings) {
    auto [place, added] = indices_.try_emplace(settings.get(), json_.size());
    if (added) json_.push_back(settings_to_json(settings ? *settings : DomainSettings{}));
    return place->second;
  }
  [[nodiscard]] Json take() { return std::move(json_); }

 private:
  std::map<const DomainSettings*, std::size_t> indices_;
  Json json_ = Json::array();
};

void read_window(Members& members, const char* key, std::optional<Window>& out) {
  if (!members.has(key)) return;
  members.object(key, [&](Members& window) {
    if (window.has("percent")) {
      int percent = 0;
      window.number("percent", percent, 0, 100);
      out = percent;
    } else {
      std::int64_t seconds = 0;
      window.number("seconds", seconds, 0, longest_window);
      out = Seconds(seconds);
    }
  });
}

// A list of numbers of an enumeration that ends with `last`.
template <typename Enum>
void read_enums(Members& members, const char* key, std::vector<Enum>& out, Enum last) {
  const Json* list = members.find(key);
  if (list == nullptr) return;
  if (!list->is_array() || list->size() > most_items) {
    return members.note(members.where() + "." + key + " is not a short list");
  }
  for (const Json& element : *list) {
    bool fits = element.is_number_unsigned() &&
                element.get<std::uint64_t>() <= static_cast<std::uint64_t>(last);
    if (!fits) return members.note(members.where() + "." + key + " has an unknown value");
    out.push_back(static_cast<Enum>(element.get<std::uint64_t>()));
  }
}

void read_event(Members& members, EventSpec& event) {
  int kind = 0;
  members.number("kind", kind, 0, static_cast<int>(EventSpec::Kind::webhook));
  event.kind = static_cast<EventSpec::Kind>(kind);
  members.texts("arguments", event.arguments, most_items, longest_text);
}

void read_settings(Members& members, DomainSettings& s) {
  members.objects("cas", s.cas, most_items, [](Members& ca, CaSpec& out) {
    ca.text("name", out.name, longest_text);
    ca.text("url", out.directory_url, longest_text);
  });
  members.flag("agreement", s.agreement);
  members.texts("contacts", s.contacts, most_items, longest_text);
  members.objects("external_accounts", s.external_accounts, most_items,
                  [](Members& account, ExternalAccountSpec& out) {
                    account.text("ca", out.ca, longest_text);
                    account.text("kid", out.kid, longest_text);
                    account.text("hmac", out.hmac, longest_text);
                  });
  read_enums(members, "challenges", s.challenges, ChallengeType::dns_persist_01);
  members.texts("dns_command", s.dns_command, most_items, longest_text);
  s.key_types.clear();
  read_enums(members, "key_types", s.key_types, crypto::KeyType::rsa4096);
  members.text("profile", s.profile, longest_text);
  members.flag("profile_required", s.profile_required);
  members.text("preferred_chain", s.preferred_chain, longest_text);
  read_window(members, "renew_window", s.renew_window);
  members.flag("ari", s.ari);
  read_window(members, "warn_window", s.warn_window);
  members.flag("automatic", s.automatic);
  members.text("ca_trust", s.ca_trust, longest_text);
  members.text("http_proxy", s.http_proxy, longest_text);
  members.objects("events", s.events, most_items, read_event);
  if (s.cas.empty()) members.note(members.where() + ".cas is empty");
  if (s.key_types.empty()) members.note(members.where() + ".key_types is empty");
}

class SettingsByIndex {
 public:
  void read(Members& members) {
    std::vector<DomainSettings> read;
    members.objects("settings", read, most_domains, read_settings);
    for (DomainSettings& each : read) {
      settings_.push_back(std::make_shared<const DomainSettings>(std::move(each)));
    }
  }
  void pick(Members& members, SettingsPointer& out) const {
    std::size_t index = 0;
    if (settings_.empty()) return members.note("there are no settings");
    members.number("settings", index, 0, static_cast<std::int64_t>(settings_.size()) - 1);
    out = settings_[index];
  }

 private:
  std::vector<SettingsPointer> settings_;
};

Json static_to_json(const StaticCertificateSpec& certificate, std::size_t settings) {
  return {{"file", certificate.file},
          {"server_name", certificate.server_name},
          {"names", certificate.names},
          {"not_before", certificate.not_before},
          {"not_after", certificate.not_after},
          {"serial", certificate.serial},
          {"settings", settings}};
}

void read_static(Members& members, StaticCertificateSpec& out) {
  constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();
  members.text("file", out.file, longest_text);
  members.text("server_name", out.server_name, longest_name);
  members.texts("names", out.names, most_names, longest_name);
  members.number("not_before", out.not_before, -any, any);
  members.number("not_after", out.not_after, -any, any);
  members.text("serial", out.serial, longest_name);
}

void read_reach(Members& members, Reachability& reach) {
  members.object("reach", [&](Members& object) {
    if (object.has("http")) object.number("http", reach.http.emplace(), 1, 65535);
    if (object.has("https")) object.number("https", reach.https.emplace(), 1, 65535);
    object.texts("addresses", reach.addresses, most_domains, longest_name);
  });
}

}  // namespace

std::string to_json(const AgentSpec& spec) {
  SettingsTable settings;
  Json domains = Json::array();
  for (const DomainSpec& domain : spec.domains) {
    domains.push_back({{"identity", domain.identity},
                       {"names", domain.names},
                       {"settings", settings.index_of(domain.settings)}});
  }
  Json lists = Json::array();
  for (const ListSpec& list : spec.lists) {
    lists.push_back(
        {{"path", list.path}, {"id", list.id}, {"settings", settings.index_of(list.settings)}});
  }
  Json files = Json::array();
  for (const StaticCertificateSpec& each : spec.static_certificates) {
    files.push_back(static_to_json(each, settings.index_of(each.settings)));
  }
  Json reach{{"addresses", spec.reach.addresses}};
  if (spec.reach.http) reach["http"] = *spec.reach.http;
  if (spec.reach.https) reach["https"] = *spec.reach.https;
  return dump({{"version", format_version},
               {"store_path", spec.store_path},
               {"settings", settings.take()},
               {"domains", std::move(domains)},
               {"lists", std::move(lists)},
               {"static_certificates", std::move(files)},
               {"server_name", spec.server_name},
               {"reach", std::move(reach)},
               {"permitted_internal_names", spec.permitted_internal_names}});
}

Result<AgentSpec> agent_spec_from_json(std::string_view text) {
  auto parsed = parse_object(text, bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  AgentSpec spec;
  Members members(*parsed, "spec");
  int version = 0;
  members.number("version", version, format_version, format_version);
  members.text("store_path", spec.store_path, longest_text);
  SettingsByIndex settings;
  settings.read(members);
  members.objects("domains", spec.domains, most_domains, [&](Members& domain, DomainSpec& out) {
    domain.text("identity", out.identity, longest_name);
    domain.texts("names", out.names, most_names, longest_name);
    settings.pick(domain, out.settings);
    if (out.names.empty() || out.names.front() != out.identity) {
      domain.note(domain.where() + ".names does not begin with its identity");
    }
  });
  members.objects("lists", spec.lists, most_lists, [&](Members& list, ListSpec& out) {
    list.text("path", out.path, longest_text);
    list.number("id", out.id, 0, std::numeric_limits<std::uint32_t>::max());
    settings.pick(list, out.settings);
  });
  members.objects("static_certificates", spec.static_certificates, most_domains,
                  [&](Members& file, StaticCertificateSpec& out) {
                    read_static(file, out);
                    settings.pick(file, out.settings);
                  });
  members.text("server_name", spec.server_name, longest_name);
  read_reach(members, spec.reach);
  members.texts("permitted_internal_names", spec.permitted_internal_names, most_domains,
                longest_name);
  if (members.error()) return tl::unexpected(*members.error());
  return spec;
}

}  // namespace tlsguard::renew
