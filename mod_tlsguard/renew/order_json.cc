// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>

#include "renew/json_members.h"
#include "renew/order_record.h"

namespace tlsguard::renew {
namespace {

constexpr int format_version = 1;
constexpr JsonBounds bounds{max_order_file, 8};
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_url = 4096;
constexpr std::size_t longest_key = 16UL * 1024;
constexpr std::size_t longest_chain = 256UL * 1024;
constexpr std::size_t most_names = 1000;
constexpr std::size_t most_parts = 16;
constexpr std::array causes{Cause::none, Cause::first,   Cause::window,
                            Cause::ari,  Cause::changed, Cause::forced};

Json to_json(const OrderPart& part) {
  return {{"type", crypto::key_type_name(part.type)},
          {"replaces", part.replaces},
          {"url", part.url},
          {"key", part.sealed_key},
          {"finalized", part.finalized},
          {"certificate_url", part.certificate_url},
          {"chain", part.chain_pem}};
}

Json to_json(const PlacedChallenge& placed) {
  return {{"authorization", placed.authorization.url},
          {"is_ip", placed.authorization.identifier.type == acme::Identifier::Type::ip},
          {"name", placed.authorization.identifier.value},
          {"wildcard", placed.authorization.wildcard},
          {"type", placed.challenge.type},
          {"url", placed.challenge.url},
          {"token", placed.challenge.token},
          {"issuers", placed.challenge.issuer_domain_names}};
}

void read_part(Members& members, OrderPart& part) {
  std::string type;
  members.text("type", type, longest_name);
  if (auto known = crypto::parse_key_type(type)) {
    part.type = *known;
  } else {
    members.note(members.where() + ": " + known.error().text);
  }
  members.text("replaces", part.replaces, longest_url);
  members.text("url", part.url, longest_url);
  members.text("key", part.sealed_key, longest_key);
  members.flag("finalized", part.finalized);
  members.text("certificate_url", part.certificate_url, longest_url);
  members.text("chain", part.chain_pem, longest_chain);
}

void read_placed(Members& members, PlacedChallenge& placed) {
  bool is_ip = false;
  members.text("authorization", placed.authorization.url, longest_url);
  members.flag("is_ip", is_ip);
  placed.authorization.identifier.type =
      is_ip ? acme::Identifier::Type::ip : acme::Identifier::Type::dns;
  members.text("name", placed.authorization.identifier.value, longest_name);
  members.flag("wildcard", placed.authorization.wildcard);
  members.text("type", placed.challenge.type, longest_name);
  members.text("url", placed.challenge.url, longest_url);
  members.text("token", placed.challenge.token, longest_url);
  members.texts("issuers", placed.challenge.issuer_domain_names, 64, longest_name);
}

void read_cause(Members& members, Cause& cause) {
  std::string text;
  members.text("cause", text, longest_name);
  const auto* found = std::find_if(causes.begin(), causes.end(),
                                   [&](Cause each) { return cause_name(each) == text; });
  if (found == causes.end()) return members.note(members.where() + ".cause is unknown");
  cause = *found;
}

}  // namespace

std::string to_json(const OrderRecord& order) {
  Json parts = Json::array();
  for (const OrderPart& part : order.parts) parts.push_back(to_json(part));
  Json placed = Json::array();
  for (const PlacedChallenge& each : order.placed) placed.push_back(to_json(each));
  return dump({{"version", format_version},
               {"identity", order.identity},
               {"names", order.names},
               {"ca", order.ca},
               {"ca_url", order.ca_url},
               {"account_url", order.account_url},
               {"profile", order.profile},
               {"preferred_chain", order.preferred_chain},
               {"cause", cause_name(order.cause)},
               {"begun_at", order.begun_at},
               {"parts", std::move(parts)},
               {"placed", std::move(placed)}}) +
         "\n";
}

Result<OrderRecord> order_record_from_json(std::string_view text) {
  auto parsed = parse_object(text, bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  OrderRecord order;
  Members members(*parsed, "order");
  int version = 0;
  members.number("version", version, format_version, format_version);
  members.text("identity", order.identity, longest_name);
  members.texts("names", order.names, most_names, longest_name);
  members.text("ca", order.ca, longest_url);
  members.text("ca_url", order.ca_url, longest_url);
  members.text("account_url", order.account_url, longest_url);
  members.text("profile", order.profile, longest_url);
  members.text("preferred_chain", order.preferred_chain, longest_url);
  read_cause(members, order.cause);
  members.number("begun_at", order.begun_at, 0, std::numeric_limits<std::int64_t>::max());
  members.objects("parts", order.parts, most_parts, read_part);
  members.objects("placed", order.placed, 4 * most_names, read_placed);
  if (members.error()) return tl::unexpected(*members.error());
  return order;
}

}  // namespace tlsguard::renew
