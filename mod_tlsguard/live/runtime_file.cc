// SPDX-License-Identifier: Apache-2.0
#include "live/runtime_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/json_depth.h"
#include "policy/names.h"
#include "policy/wording.h"

namespace tlsguard::live {
namespace {

using nlohmann::json;

constexpr int format_version = 1;
constexpr int max_depth = 6;  // file, virtual_hosts, host, settings, list, and one to spare
constexpr std::array all_key_types{hello::KeyType::rsa,     hello::KeyType::rsa_pss,
                                   hello::KeyType::ecdsa,   hello::KeyType::ed25519,
                                   hello::KeyType::ed448,   hello::KeyType::mldsa44,
                                   hello::KeyType::mldsa65, hello::KeyType::mldsa87};

template <typename T>
json nullable(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json policy_to_json(const std::optional<policy::Policy>& policy) {
  if (!policy) return nullptr;
  json types = json::array();
  for (hello::KeyType type : policy->certificate_types)
    types.push_back(policy::key_type_name(type));
  return {{"min_protocol", protocol_name(policy->min_protocol)},
          {"max_protocol", protocol_name(policy->max_protocol)},
          {"ciphers", policy->ciphers},
          {"suites", policy->suites},
          {"groups", policy->groups},
          {"signature_algorithms", nullable(policy->signature_algorithms)},
          {"server_preference", nullable(policy->server_preference)},
          {"min_rsa_bits", nullable(policy->min_rsa_bits)},
          {"certificate_types", types},
          {"min_hsts_age", policy->min_hsts_age ? json(policy->min_hsts_age->count()) : json()}};
}

json host_to_json(const RuntimeHost& host) {
  return {{"name", host.name},
          {"addresses", host.addresses},
          {"engine", host.engine},
          {"policy", host.policy},
          {"own_policy", policy_to_json(host.own_policy)},
          {"made_from", nullable(host.made_from)},
          {"report_policy", nullable(host.report_policy)},
          {"floor", nullable(host.floor)},
          {"floor_exception", host.floor_exception},
          {"file", host.file},
          {"line", host.line},
          {"default", host.is_default},
          {"settings",
           {{"protocols", host.settings.protocols},
            {"ciphers", host.settings.ciphers},
            {"suites", host.settings.suites},
            {"groups", host.settings.groups},
            {"signature_algorithms", host.settings.signature_algorithms}}},
          {"hsts", nullable(host.hsts)}};
}

// Reads the members of one object and keeps the first error, so that a reader below is a plain
// list of members.
class Members {
 public:
  Members(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) note(where_ + " is not an object");
  }

  void text(const char* key, std::string& out) {
    if (const json* value = find(key, &json::is_string)) out = value->get_ref<const std::string&>();
  }
  void optional_text(const char* key, std::string& out) {
    if (has(key)) text(key, out);
  }
  void text_or_null(const char* key, std::optional<std::string>& out) {
    if (has(key)) text(key, out.emplace());
  }
  // Present, and not null.
  [[nodiscard]] bool has(const char* key) const {
    return object_.is_object() && object_.contains(key) && !object_[key].is_null();
  }
  void flag(const char* key, bool& out) {
    if (const json* value = find(key, &json::is_boolean)) out = value->get<bool>();
  }
  template <typename Int>
  void number(const char* key, Int& out) {
    const json* value = find(key, &json::is_number_unsigned);
    if (value == nullptr) return;
    auto wide = value->get<std::uint64_t>();
    if (wide > static_cast<std::uint64_t>(std::numeric_limits<Int>::max())) {
      note(fmt::format("{}.{} is too large", where_, key));
      return;
    }
    out = static_cast<Int>(wide);
  }
  void texts(const char* key, std::vector<std::string>& out) {
    const json* list = find(key, &json::is_array);
    if (list == nullptr) return;
    for (const json& value : *list) {
      if (!value.is_string()) {
        note(fmt::format("{}.{} is not a list of strings", where_, key));
        return;
      }
      out.push_back(value.get_ref<const std::string&>());
    }
  }
  // nullptr: noted as an error.
  const json* find(const char* key, bool (json::*has_type)() const noexcept) {
    if (!object_.is_object()) return nullptr;
    auto member = object_.find(key);
    if (member == object_.end()) {
      note(fmt::format("{}.{} is missing", where_, key));
      return nullptr;
    }
    if (!((*member).*has_type)()) {
      note(fmt::format("{}.{} has the wrong type ({})", where_, key, member->type_name()));
      return nullptr;
    }
    return &*member;
  }
  void note(std::string text) {
    if (!error_) error_ = Error{std::move(text)};
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  const json& object_;
  std::string where_;
  std::optional<Error> error_;
};

Result<RuntimeSettings> settings_from_json(const json& object, const std::string& where) {
  RuntimeSettings settings;
  Members members(object, where);
  members.texts("protocols", settings.protocols);
  members.texts("ciphers", settings.ciphers);
  members.texts("suites", settings.suites);
  members.texts("groups", settings.groups);
  members.texts("signature_algorithms", settings.signature_algorithms);
  if (members.error()) return tl::unexpected(*members.error());
  return settings;
}

Protocol protocol_in(Members& members, const char* key) {
  std::string text;
  members.text(key, text);
  auto protocol = parse_protocol(text);
  if (!protocol) members.note(protocol.error().text);
  return protocol.value_or(Protocol::tls1_3);
}

std::vector<hello::KeyType> key_types_in(Members& members, const char* key) {
  using hello::KeyType;
  std::vector<std::string> names;
  members.texts(key, names);
  std::vector<KeyType> types;
  for (const std::string& name : names) {
    auto type = std::find_if(all_key_types.begin(), all_key_types.end(),
                             [&](KeyType each) { return policy::key_type_name(each) == name; });
    if (type == all_key_types.end()) {
      members.note(fmt::format("'{}' is no key type", name));
      break;
    }
    types.push_back(*type);
  }
  return types;
}

// id: "name" or "name@version".
Result<policy::Policy> policy_from_json(const json& object, const std::string& where,
                                        const std::string& id) {
  policy::Policy policy;
  auto at = id.rfind('@');
  policy.name = id.substr(0, at);
  if (at != std::string::npos) policy.version = id.substr(at + 1);
  Members members(object, where);
  policy.min_protocol = protocol_in(members, "min_protocol");
  policy.max_protocol = protocol_in(members, "max_protocol");
  members.texts("ciphers", policy.ciphers);
  members.texts("suites", policy.suites);
  members.texts("groups", policy.groups);
  if (members.has("signature_algorithms")) {
    members.texts("signature_algorithms", policy.signature_algorithms.emplace());
  }
  if (members.has("server_preference")) {
    members.flag("server_preference", policy.server_preference.emplace());
  }
  if (members.has("min_rsa_bits")) members.number("min_rsa_bits", policy.min_rsa_bits.emplace());
  policy.certificate_types = key_types_in(members, "certificate_types");
  if (members.has("min_hsts_age")) {
    std::int64_t seconds = 0;
    members.number("min_hsts_age", seconds);
    policy.min_hsts_age = Seconds(seconds);
  }
  if (members.error()) return tl::unexpected(*members.error());
  return policy;
}

Result<RuntimeHost> host_from_json(const json& object, std::size_t index) {
  RuntimeHost host;
  std::string where = fmt::format("virtual_hosts[{}]", index);
  Members members(object, where);
  members.text("name", host.name);
  members.texts("addresses", host.addresses);
  members.text("engine", host.engine);
  members.text("policy", host.policy);
  members.text_or_null("made_from", host.made_from);
  members.text_or_null("report_policy", host.report_policy);
  members.text_or_null("floor", host.floor);
  members.flag("floor_exception", host.floor_exception);
  members.text("file", host.file);
  members.number("line", host.line);
  members.flag("default", host.is_default);
  members.text_or_null("hsts", host.hsts);
  if (host.engine != "on" && host.engine != "report" && host.engine != "off") {
    members.note(where + ".engine is none of on, report, off");
  }
  const json* settings = members.find("settings", &json::is_object);
  if (members.error()) return tl::unexpected(*members.error());
  auto read = settings_from_json(*settings, where + ".settings");
  if (!read) return tl::unexpected(read.error());
  host.settings = std::move(*read);
  if (members.has("own_policy")) {
    auto own = policy_from_json(object["own_policy"], where + ".own_policy", host.policy);
    if (!own) return tl::unexpected(own.error());
    host.own_policy = std::move(*own);
  }
  return host;
}

Result<RuntimeDomain> domain_from_json(const json& object, std::size_t index) {
  RuntimeDomain domain;
  Members members(object, fmt::format("domains[{}]", index));
  members.texts("names", domain.names);
  members.texts("key_types", domain.key_types);
  members.texts("cas", domain.cas);
  if (members.error()) return tl::unexpected(*members.error());
  return domain;
}

// Of files written since there are managed domains.
Result<void> domains_from_json(const json& object, RuntimeFile& file) {
  Members members(object, "file");
  if (members.has("lists")) members.texts("lists", file.lists);
  if (members.has("watching")) members.flag("watching", file.watching);
  const json* domains = members.has("domains") ? members.find("domains", &json::is_array) : nullptr;
  if (members.error()) return tl::unexpected(*members.error());
  if (domains == nullptr) return {};
  if (domains->size() > max_runtime_domains) {
    return fail(fmt::format("more than {} domains", max_runtime_domains));
  }
  for (const json& each : *domains) {
    auto domain = domain_from_json(each, file.domains.size());
    if (!domain) return tl::unexpected(domain.error());
    file.domains.push_back(std::move(*domain));
  }
  return {};
}

// nullopt: not JSON, or nested deeper than anything written here.
std::optional<json> parse(std::string_view text) {
  if (nested_deeper_than(max_depth, text)) return std::nullopt;
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return std::nullopt;
  return parsed;
}

}  // namespace

RuntimeSettings runtime_settings(const hello::ServerSettings& settings) {
  RuntimeSettings named;
  for (Protocol p : all_protocols) {
    if (settings.protocols.has(p)) named.protocols.emplace_back(protocol_name(p));
  }
  for (const hello::Cipher& cipher : settings.ciphers) named.ciphers.push_back(cipher.name);
  for (const hello::Cipher& suite : settings.suites) named.suites.push_back(suite.name);
  for (std::uint16_t id : settings.groups) named.groups.push_back(policy::group_name(id));
  for (std::uint16_t id : settings.signature_algorithms) {
    named.signature_algorithms.push_back(policy::signature_algorithm_name(id));
  }
  return named;
}

bool is_built_in(const policy::Policy& policy) {
  const auto& presets = policy::presets();
  return std::any_of(presets.begin(), presets.end(),
                     [id = policy.id()](const auto& preset) { return preset.id() == id; });
}

std::string to_json(const RuntimeFile& file) {
  json hosts = json::array();
  for (const RuntimeHost& host : file.virtual_hosts) hosts.push_back(host_to_json(host));
  json domains = json::array();
  for (const RuntimeDomain& domain : file.domains) {
    domains.push_back(
        {{"names", domain.names}, {"key_types", domain.key_types}, {"cas", domain.cas}});
  }
  json object{{"version", format_version}, {"written", file.written},   {"httpd", file.httpd},
              {"openssl", file.openssl},   {"tlsguard", file.tlsguard}, {"pid", file.pid},
              {"virtual_hosts", hosts},    {"domains", domains},        {"lists", file.lists},
              {"watching", file.watching}};
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<RuntimeFile> runtime_from_json(std::string_view text) {
  if (text.size() > max_runtime_file) {
    return fail(fmt::format("{} bytes are more than {}", text.size(), max_runtime_file));
  }
  auto parsed = parse(text);
  if (!parsed) return fail("this is not JSON as httpd's parent writes it");
  RuntimeFile file;
  int version = 0;
  Members members(*parsed, "file");
  members.number("version", version);
  if (!members.error() && version != format_version) {
    return fail(
        fmt::format("version {} of the file is not known here, only {}", version, format_version));
  }
  members.text("written", file.written);
  members.text("httpd", file.httpd);
  members.optional_text("openssl", file.openssl);
  members.optional_text("tlsguard", file.tlsguard);
  members.number("pid", file.pid);
  const json* hosts = members.find("virtual_hosts", &json::is_array);
  if (members.error()) return tl::unexpected(*members.error());
  if (hosts->size() > max_runtime_hosts) {
    return fail(fmt::format("more than {} virtual hosts", max_runtime_hosts));
  }
  file.virtual_hosts.reserve(hosts->size());
  for (const json& object : *hosts) {
    auto host = host_from_json(object, file.virtual_hosts.size());
    if (!host) return tl::unexpected(host.error());
    file.virtual_hosts.push_back(std::move(*host));
  }
  if (auto read = domains_from_json(*parsed, file); !read) return tl::unexpected(read.error());
  return file;
}

}  // namespace tlsguard::live
