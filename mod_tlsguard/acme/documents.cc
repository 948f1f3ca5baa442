// SPDX-License-Identifier: Apache-2.0
#include "acme/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "acme/json_reader.h"
#include "acme/plain_text.h"
#include "acme/problem.h"
#include "core/parse_date.h"
#include "core/text.h"
#include "crypto/general_names.h"
#include "store/challenge_store.h"

namespace tlsguard::acme {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 1000;
constexpr std::size_t max_name = 255;
constexpr std::size_t max_list = 100;

struct StatusName {
  std::string_view name;
  Status status;
};
constexpr StatusName statuses[] = {
    {"pending", Status::pending},       {"ready", Status::ready},
    {"processing", Status::processing}, {"valid", Status::valid},
    {"invalid", Status::invalid},       {"deactivated", Status::deactivated},
    {"expired", Status::expired},       {"revoked", Status::revoked}};

Status read_status(JsonReader& reader, const json& object) {
  std::string name = reader.required(object, "status", 32);
  for (const StatusName& one : statuses) {
    if (one.name == name) return one.status;
  }
  reader.complain("'status' is none of ACME's: '" + plain_text(name, 32) + "'");
  return Status::pending;
}

std::optional<Problem> read_error(JsonReader& reader, const json& object) {
  const json* error = reader.object(object, "error");
  return error == nullptr ? std::nullopt : std::optional(read_problem(*error));
}

Identifier read_identifier(JsonReader& reader, const json& object) {
  std::string type = reader.required(object, "type", 16);
  std::string value = reader.required(object, "value", max_name);
  if (reader.error()) return {};
  if (type == "dns") return {Identifier::Type::dns, to_lower(value)};
  auto address = type == "ip" ? crypto::canonical_ip(value) : std::nullopt;
  if (!address) {
    reader.complain("an identifier is neither a DNS name nor an IP address: '" +
                    plain_text(value, max_name) + "'");
  }
  return {Identifier::Type::ip, address.value_or("")};
}

// Names in a list; nullopt: not all of them are.
std::optional<std::vector<std::string>> names(const json& list) {
  std::vector<std::string> read;
  for (const json& one : list) {
    if (!one.is_string()) return std::nullopt;
    const auto& name = one.get_ref<const std::string&>();
    if (name.empty() || name.size() > max_name) return std::nullopt;
    read.push_back(to_lower(plain_text(name, max_name)));
  }
  return read;
}

bool is_known(std::string_view type) {
  constexpr std::array types{"http-01", "tls-alpn-01", "dns-01", "dns-account-01",
                             "dns-persist-01"};
  return std::find(types.begin(), types.end(), type) != types.end();
}

// False: the challenge is to be left out.
bool read_issuers(const json& object, Challenge& challenge) {
  constexpr std::size_t most = 10;  // draft-ietf-acme-dns-persist 3
  auto found = object.find("issuer-domain-names");
  if (found == object.end() || !found->is_array()) return false;
  if (found->empty() || found->size() > most) return false;
  auto issuers = names(*found);
  if (!issuers) return false;
  challenge.issuer_domain_names = std::move(*issuers);
  return true;
}

// nullopt: of no use here.
std::optional<Challenge> read_challenge(JsonReader& reader, const json& object) {
  Challenge challenge;
  challenge.type = reader.required(object, "type", 64);
  if (!is_known(challenge.type)) return std::nullopt;
  challenge.url = reader.required_url(object, "url");
  challenge.status = read_status(reader, object);
  challenge.error = read_error(reader, object);
  if (challenge.type == "dns-persist-01") {
    if (!read_issuers(object, challenge)) return std::nullopt;
    return challenge;
  }
  challenge.token = reader.required(object, "token", 1024);
  if (!reader.error() && !store::is_token(challenge.token)) {
    reader.complain("the token of a challenge is none: '" + plain_text(challenge.token, 200) + "'");
  }
  return challenge;
}

void read_meta(JsonReader& reader, const json& meta, Directory& directory) {
  directory.terms_of_service = reader.text(meta, "termsOfService", max_text);
  directory.external_account_required = reader.flag(meta, "externalAccountRequired");
  if (const json* identities = reader.list(meta, "caaIdentities", max_list)) {
    auto read = names(*identities);
    if (!read) reader.complain("'caaIdentities' holds what is no name");
    directory.caa_identities = std::move(read).value_or(std::vector<std::string>());
  }
  const json* profiles = reader.object(meta, "profiles");
  if (profiles == nullptr) return;
  if (profiles->size() > max_list) reader.complain("'profiles' has too many members");
  for (const auto& [name, about] : profiles->items()) {
    if (reader.error()) return;
    if (name.empty() || name.size() > max_name) continue;
    directory.profiles[plain_text(name, max_name)] =
        about.is_string() ? plain_text(about.get_ref<const std::string&>(), max_text) : "";
  }
}

}  // namespace

Identifier identifier_of(const std::string& name) {
  if (auto address = crypto::canonical_ip(name)) return {Identifier::Type::ip, *address};
  return {Identifier::Type::dns, to_lower(name)};
}

Result<Directory> parse_directory(std::string_view body) {
  auto document = parse_object(body, "directory");
  if (!document) return tl::unexpected(document.error());
  JsonReader reader("directory");
  Directory directory;
  directory.new_nonce = reader.required_url(*document, "newNonce");
  directory.new_account = reader.required_url(*document, "newAccount");
  directory.new_order = reader.required_url(*document, "newOrder");
  directory.revoke_cert = reader.url(*document, "revokeCert");
  directory.key_change = reader.url(*document, "keyChange");
  directory.renewal_info = reader.url(*document, "renewalInfo");
  if (const json* meta = reader.object(*document, "meta")) read_meta(reader, *meta, directory);
  return reader.result(std::move(directory));
}

Result<OrderDocument> parse_order(std::string_view body) {
  auto document = parse_object(body, "order");
  if (!document) return tl::unexpected(document.error());
  JsonReader reader("order");
  OrderDocument read;
  Order& order = read.order;
  order.status = read_status(reader, *document);
  order.finalize = reader.required_url(*document, "finalize");
  order.certificate = reader.url(*document, "certificate");
  order.error = read_error(reader, *document);
  if (const json* list = reader.list(*document, "identifiers", max_identifiers)) {
    for (const json& one : *list) read.identifiers.push_back(read_identifier(reader, one));
  }
  if (const json* list = reader.list(*document, "authorizations", max_identifiers)) {
    for (const json& one : *list) {
      order.authorizations.push_back(reader.url_of(one, "authorizations"));
    }
  }
  if (order.status == Status::pending && order.authorizations.empty()) {
    reader.complain("it is pending, but 'authorizations' is missing");
  }
  if (order.status == Status::valid && order.certificate.empty()) {
    reader.complain("it is valid, but 'certificate' is missing");
  }
  return reader.result(std::move(read));
}

Result<Authorization> parse_authorization(std::string_view body) {
  auto document = parse_object(body, "authorization");
  if (!document) return tl::unexpected(document.error());
  JsonReader reader("authorization");
  Authorization authorization;
  authorization.status = read_status(reader, *document);
  authorization.wildcard = reader.flag(*document, "wildcard");
  if (const json* identifier = reader.object(*document, "identifier")) {
    authorization.identifier = read_identifier(reader, *identifier);
  } else {
    reader.complain("'identifier' is missing");
  }
  if (const json* challenges = reader.list(*document, "challenges", max_list)) {
    for (const json& one : *challenges) {
      if (auto read = read_challenge(reader, one)) {
        authorization.challenges.push_back(std::move(*read));
      }
    }
  }
  return reader.result(std::move(authorization));
}

Result<Challenge> parse_challenge(std::string_view body) {
  auto document = parse_object(body, "challenge");
  if (!document) return tl::unexpected(document.error());
  JsonReader reader("challenge");
  auto read = read_challenge(reader, *document);
  if (!read) reader.complain("it is of a type that is not known");
  return reader.result(std::move(read).value_or(Challenge()));
}

Result<RenewalInfo> parse_renewal_info(std::string_view body) {
  auto document = parse_object(body, "renewal information");
  if (!document) return tl::unexpected(document.error());
  JsonReader reader("renewal information");
  RenewalInfo info;
  info.explanation_url = reader.text(*document, "explanationURL", max_text);
  const json* window = reader.object(*document, "suggestedWindow");
  if (window == nullptr) {
    reader.complain("'suggestedWindow' is missing");
    return reader.result(std::move(info));
  }
  auto start = parse_rfc3339(reader.required(*window, "start", 64));
  auto end = parse_rfc3339(reader.required(*window, "end", 64));
  if (!start || !end) reader.complain("'start' or 'end' of 'suggestedWindow' is no date");
  if (start && end && *end <= *start) reader.complain("'suggestedWindow' ends before it begins");
  info.start = start.value_or(0);
  info.end = end.value_or(0);
  return reader.result(std::move(info));
}

}  // namespace tlsguard::acme
