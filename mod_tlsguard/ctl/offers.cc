// SPDX-License-Identifier: Apache-2.0
#include "ctl/offers.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>

#include "core/dns_name.h"
#include "ctl/suite_table.h"
#include "policy/names.h"

namespace tlsguard::ctl {
namespace {

// RFC 8446 4.2.7: code points up to here are elliptic curves; those of ffdhe begin at 0x0100.
constexpr std::uint16_t last_curve = 0x00ff;

// Not a secret: it only has to differ from hello to hello.
void fill_random(std::span<std::uint8_t> bytes) {
  (void)RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
}

// Suites that a server with a preference for ChaCha20 picks only because the client puts them
// first (SSL_OP_PRIORITIZE_CHACHA) say nothing about who decides.
bool is_chacha(std::uint16_t id) { return suite_name(id).find("CHACHA20") != std::string::npos; }

// Asks once more with a candidate in front that the server did not pick first.
Result<Preference> who_decides(Asker& asker, const std::vector<std::uint16_t>& found,
                               const MakeOffer& make, const Pick& pick) {
  if (found.size() < 2) return Preference::unknown;
  std::vector<std::uint16_t> reversed(found.rbegin(), found.rend());
  auto plain = std::find_if(reversed.begin(), reversed.end() - 1,
                            [](std::uint16_t id) { return !is_chacha(id); });
  if (plain != reversed.end() - 1) std::rotate(reversed.begin(), plain, plain + 1);
  auto reply = asker.ask(make(reversed));
  if (!reply) return tl::unexpected(reply.error());
  auto picked = reply->kind == Reply::Kind::hello ? pick(reply->answer) : std::nullopt;
  if (picked == found.front()) return Preference::server;
  return picked == reversed.front() ? Preference::client : Preference::unknown;
}

tl::unexpected<Error> stopped(const Asker& asker, const Reply& reply) {
  return fail(fmt::format("it stopped answering after {} connections ({})", asker.connections(),
                          reply.refusal()));
}

bool is_clear(const Reply& reply) {
  return reply.kind == Reply::Kind::hello || reply.kind == Reply::Kind::alert;
}

// A server that answers hellos of this kind and now says nothing is asked a second time.
Result<Reply> ask_patiently(Asker& asker, const hello::Offer& offer, bool answers) {
  auto reply = asker.ask(offer);
  if (!reply || !answers || reply->kind != Reply::Kind::silent) return reply;
  reply = asker.ask(offer);
  if (reply && reply->kind == Reply::Kind::silent) return stopped(asker, *reply);
  return reply;
}

// A connection closed without an alert may be a refusal, or a server that has had enough of us.
Result<void> check_still_there(Asker& asker, const Enumeration& result, const MakeOffer& make) {
  if (is_clear(result.last) || result.found.empty()) return {};
  auto reply = asker.ask(make({result.found.front()}));
  if (!reply) return tl::unexpected(reply.error());
  if (reply->kind != Reply::Kind::hello) return stopped(asker, *reply);
  return {};
}

}  // namespace

std::vector<std::uint16_t> groups_of(Protocol version) {
  std::vector<std::uint16_t> ids;
  for (const std::string& name : policy::all_group_names()) {
    const policy::Group* group = policy::find_group(name);
    // Below TLS 1.3 a list with ffdhe groups changes what DHE does (RFC 7919 4).
    if (group != nullptr && (version >= Protocol::tls1_3 || group->id <= last_curve)) {
      ids.push_back(group->id);
    }
  }
  return ids;
}

std::vector<std::uint16_t> all_signature_algorithms() {
  std::vector<std::uint16_t> ids;
  for (const std::string& name : policy::all_signature_algorithm_names()) {
    if (const auto* known = policy::find_signature_algorithm(name)) ids.push_back(known->id);
  }
  return ids;
}

hello::Offer offer_all(Protocol version, const std::string& server_name) {
  constexpr std::uint16_t renegotiation_scsv = 0x00ff;  // RFC 5746 3.3
  hello::Offer offer;
  fill_random(offer.random);
  offer.legacy_version =
      static_cast<std::uint16_t>(std::min(version, Protocol::tls1_2));  // RFC 8446 4.1.2
  offer.cipher_suites = suites_of(version);
  if (version == Protocol::ssl3) {
    offer.cipher_suites.push_back(renegotiation_scsv);
    offer.extended_master_secret = false;
    offer.renegotiation_info = false;
    return offer;
  }
  if (!is_ip_literal(server_name)) offer.server_name = server_name;
  offer.supported_groups = groups_of(version);
  offer.ec_point_formats = std::vector<std::uint8_t>{0};
  if (version >= Protocol::tls1_2) offer.signature_algorithms = all_signature_algorithms();
  if (version < Protocol::tls1_3) {
    offer.session_ticket = true;
    return offer;
  }
  offer.session_id.resize(32);  // RFC 8446 D.4: middleboxes
  fill_random(offer.session_id);
  offer.supported_versions = std::vector<std::uint16_t>{static_cast<std::uint16_t>(version)};
  offer.key_shares.emplace();
  offer.psk_key_exchange_modes = std::vector<std::uint8_t>{1};
  return offer;
}

Result<Enumeration> enumerate(Asker& asker, std::vector<std::uint16_t> candidates,
                              const MakeOffer& make, const Pick& pick, bool answers) {
  Enumeration result;
  while (!candidates.empty()) {
    auto reply = ask_patiently(asker, make(candidates), answers || !result.found.empty());
    if (!reply) return tl::unexpected(reply.error());
    if (answers && result.found.empty() && !is_clear(*reply)) return stopped(asker, *reply);
    auto picked = reply->kind == Reply::Kind::hello ? pick(reply->answer) : std::nullopt;
    result.last = std::move(*reply);
    auto at = picked ? std::find(candidates.begin(), candidates.end(), *picked) : candidates.end();
    if (at == candidates.end()) break;
    result.found.push_back(*picked);
    candidates.erase(at);
  }
  auto there = check_still_there(asker, result, make);
  if (!there) return tl::unexpected(there.error());
  auto preference = who_decides(asker, result.found, make, pick);
  if (!preference) return tl::unexpected(preference.error());
  result.preference = *preference;
  return result;
}

}  // namespace tlsguard::ctl
