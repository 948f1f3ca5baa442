// SPDX-License-Identifier: Apache-2.0
#include "ctl/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "ctl/asker.h"
#include "ctl/chains.h"
#include "ctl/offers.h"
#include "ctl/output.h"
#include "ctl/probe_encrypted.h"
#include "ctl/suite_table.h"
#include "policy/names.h"

namespace tlsguard::ctl {
namespace {

using hello::Authentication;
using hello::KeyExchange;
using hello::ServerAnswer;

// The newest first, so that a server of today is recognized with the first connection.
constexpr std::array versions_newest_first{Protocol::tls1_3, Protocol::tls1_2, Protocol::tls1_1,
                                           Protocol::tls1_0, Protocol::ssl3};

bool is_ephemeral(KeyExchange exchange) {
  return exchange == KeyExchange::ecdhe || exchange == KeyExchange::dhe;
}

std::string refusal_of(Protocol asked, const Reply& reply) {
  if (reply.kind != Reply::Kind::hello) return reply.refusal();
  auto version = static_cast<Protocol>(reply.answer.hello->version);
  if (version == asked) return "picks a cipher suite that was not offered";
  return fmt::format("answers with {}", protocol_name(version));
}

class Probe {
 public:
  Probe(const ProbeRequest& request, Progress& progress)
      : request_(request),
        asker_(request.addresses, std::chrono::steady_clock::now() + request.timeout, progress) {}

  Result<Facts> run();

 private:
  Result<void> versions();
  Result<void> version(Protocol version);
  [[nodiscard]] std::optional<Error> not_tls() const;
  void note_details(Protocol version, const ServerAnswer& answer);
  void read_certificates();
  Result<void> groups12();
  Result<void> groups13();
  Result<void> signatures12();
  Result<void> compression();
  Result<void> fallback();
  Result<void> encrypted();
  Result<void> still_there();

  // The highest version served of those up to this one; nullptr: none.
  [[nodiscard]] const VersionFacts* highest(Protocol most) const;
  // Of the suites served in that version those with this authentication and an ephemeral key
  // exchange; only_ecdhe: no DHE.
  [[nodiscard]] static std::vector<std::uint16_t> ephemeral_suites(const VersionFacts& version,
                                                                   Authentication authentication,
                                                                   bool only_ecdhe);
  [[nodiscard]] hello::Offer offer(Protocol version) const {
    return offer_all(version, request_.server_name);
  }

  const ProbeRequest& request_;
  Asker asker_;
  Facts facts_;
  Chains chains_;
  std::vector<Reply> refusals_;  // of versions that are not served
};

Result<Facts> Probe::run() {
  auto done = versions();
  if (!done) return tl::unexpected(done.error());
  if (auto error = not_tls()) return tl::unexpected(*error);
  facts_.server_name = request_.server_name;
  facts_.http_host = request_.http_host;
  facts_.address = to_text({asker_.address().text(), asker_.address().port()});
  for (auto step : {&Probe::groups12, &Probe::groups13, &Probe::signatures12, &Probe::compression,
                    &Probe::fallback, &Probe::encrypted, &Probe::still_there}) {
    done = (this->*step)();
    if (!done) return tl::unexpected(done.error());
  }
  if (request_.plain_port) probe_plain_port(asker_, request_, facts_);
  facts_.connections = asker_.connections();
  return std::move(facts_);
}

Result<void> Probe::versions() {
  for (Protocol each : versions_newest_first) {
    auto done = version(each);
    if (!done) return done;
    // A server that is silent twice is not asked for what it would not say anyway.
    if (refusals_.size() == 2 && facts_.versions.size() == 2 && not_tls()) break;
  }
  std::reverse(facts_.versions.begin(), facts_.versions.end());
  read_certificates();
  return {};
}

Result<void> Probe::version(Protocol version) {
  asker_.tell(fmt::format("{} cipher suites", protocol_name(version)));
  auto make = [&](const std::vector<std::uint16_t>& suites) {
    hello::Offer asked = offer(version);
    // SSLv3 keeps the signalling value for renegotiation.
    std::erase_if(asked.cipher_suites, [](std::uint16_t id) { return find_suite(id) != nullptr; });
    asked.cipher_suites.insert(asked.cipher_suites.begin(), suites.begin(), suites.end());
    return asked;
  };
  auto pick = [&](const ServerAnswer& answer) -> std::optional<std::uint16_t> {
    if (answer.hello->version != static_cast<std::uint16_t>(version)) return std::nullopt;
    note_details(version, answer);
    return answer.hello->cipher_suite;
  };
  auto found = enumerate(asker_, suites_of(version), make, pick);
  if (!found) return tl::unexpected(found.error());
  VersionFacts facts{version, found->found, found->preference, {}};
  if (found->found.empty()) {
    facts.refusal = refusal_of(version, found->last);
    refusals_.push_back(std::move(found->last));
  }
  facts_.versions.push_back(std::move(facts));
  return {};
}

// Set where no answer so far was TLS.
std::optional<Error> Probe::not_tls() const {
  if (refusals_.size() != facts_.versions.size()) return std::nullopt;
  bool all_closed = true;
  for (const Reply& reply : refusals_) {
    if (reply.kind == Reply::Kind::hello || reply.kind == Reply::Kind::alert) return std::nullopt;
    all_closed = all_closed && reply.kind == Reply::Kind::closed;
    if (reply.kind == Reply::Kind::foreign) {
      return Error{
          fmt::format("it does not speak TLS: it answers \"{}\"", printable(reply.beginning))};
    }
  }
  return Error{all_closed ? "it closes the connection on every ClientHello"
                          : "it takes connections, but does not answer a ClientHello"};
}

// What the unencrypted part of a handshake shows besides the suite.
void Probe::note_details(Protocol version, const ServerAnswer& answer) {
  if (version == Protocol::tls1_3) return;
  chains_.add(answer.certificates, version);
  if (answer.key_exchange && answer.key_exchange->dh_bits > 0) {
    int bits = answer.key_exchange->dh_bits;
    facts_.dh_bits = std::min(facts_.dh_bits.value_or(bits), bits);
  }
  if (facts_.secure_renegotiation) return;  // said by a newer version
  facts_.secure_renegotiation = answer.hello->secure_renegotiation;
  facts_.extended_master_secret = answer.hello->extended_master_secret;
  facts_.tickets12 = answer.hello->session_ticket;
}

void Probe::read_certificates() {
  facts_.certificates.clear();
  for (const Chains::Seen& seen : chains_.all()) {
    auto certificate = certificate_facts(seen.chain, request_.name, std::time(nullptr));
    if (!certificate) {
      auto& notes = facts_.notes;  // it may be there from an earlier call
      if (std::find(notes.begin(), notes.end(), certificate.error().text) == notes.end()) {
        notes.push_back(certificate.error().text);
      }
      continue;
    }
    certificate->served_in = seen.versions;
    std::sort(certificate->served_in.begin(), certificate->served_in.end());
    facts_.certificates.push_back(std::move(*certificate));
  }
}

const VersionFacts* Probe::highest(Protocol most) const {
  const VersionFacts* best = nullptr;
  for (const VersionFacts& version : facts_.versions) {
    if (!version.suites.empty() && version.version <= most) best = &version;  // oldest first
  }
  return best;
}

std::vector<std::uint16_t> Probe::ephemeral_suites(const VersionFacts& version,
                                                   Authentication authentication, bool only_ecdhe) {
  std::vector<std::uint16_t> ids;
  for (std::uint16_t id : version.suites) {
    const Suite* suite = find_suite(id);
    if (suite != nullptr && suite->authentication == authentication &&
        is_ephemeral(suite->key_exchange) &&
        !(only_ecdhe && suite->key_exchange != KeyExchange::ecdhe)) {
      ids.push_back(id);
    }
  }
  return ids;
}

// With an ECDSA certificate the client must offer its curve, too (RFC 8422 5.1), so RSA is asked
// for where it is served, and else that curve stays on the list.
Result<void> Probe::groups12() {
  const VersionFacts* version = highest(Protocol::tls1_2);
  if (version == nullptr) return {};
  asker_.tell("groups");
  auto suites = ephemeral_suites(*version, Authentication::rsa, true);
  std::optional<std::uint16_t> curve;
  if (suites.empty()) {
    suites = ephemeral_suites(*version, Authentication::ecdsa, true);
    for (const CertificateFacts& certificate : facts_.certificates) {
      if (certificate.curve != 0) curve = certificate.curve;
    }
  }
  if (suites.empty()) return {};
  auto make = [&](std::vector<std::uint16_t> groups) {
    hello::Offer asked = offer(version->version);
    asked.cipher_suites = suites;
    if (curve && std::find(groups.begin(), groups.end(), *curve) == groups.end()) {
      groups.push_back(*curve);
    }
    asked.supported_groups = std::move(groups);
    return asked;
  };
  auto pick = [](const ServerAnswer& answer) -> std::optional<std::uint16_t> {
    if (!answer.key_exchange || answer.key_exchange->group == 0) return std::nullopt;
    return answer.key_exchange->group;
  };
  auto found = enumerate(asker_, groups_of(version->version), make, pick, true);
  if (!found) return tl::unexpected(found.error());
  facts_.groups12 = {std::move(found->found), found->preference};
  return {};
}

Result<void> Probe::groups13() {
  const VersionFacts* version = facts_.served(Protocol::tls1_3);
  if (version == nullptr) return {};
  auto make = [&](const std::vector<std::uint16_t>& groups) {
    hello::Offer asked = offer(Protocol::tls1_3);
    asked.supported_groups = groups;
    return asked;
  };
  auto pick = [](const ServerAnswer& answer) -> std::optional<std::uint16_t> {
    if (answer.hello->group == 0) return std::nullopt;
    return answer.hello->group;
  };
  auto found = enumerate(asker_, groups_of(Protocol::tls1_3), make, pick, true);
  if (!found) return tl::unexpected(found.error());
  facts_.groups13 = {std::move(found->found), found->preference};
  return {};
}

Result<void> Probe::signatures12() {
  const VersionFacts* version = facts_.served(Protocol::tls1_2);
  if (version == nullptr) return {};
  asker_.tell("signature algorithms");
  for (Authentication authentication : {Authentication::rsa, Authentication::ecdsa}) {
    auto suites = ephemeral_suites(*version, authentication, false);
    if (suites.empty()) continue;
    auto make = [&](const std::vector<std::uint16_t>& algorithms) {
      hello::Offer asked = offer(Protocol::tls1_2);
      asked.cipher_suites = suites;
      asked.signature_algorithms = algorithms;
      asked.signature_algorithms_cert = all_signature_algorithms();
      return asked;
    };
    auto pick = [](const ServerAnswer& answer) -> std::optional<std::uint16_t> {
      if (!answer.key_exchange) return std::nullopt;
      return answer.key_exchange->signature_algorithm;
    };
    auto found = enumerate(asker_, all_signature_algorithms(), make, pick, true);
    if (!found) return tl::unexpected(found.error());
    for (std::uint16_t id : found->found) {
      auto& known = facts_.signatures12;
      if (std::find(known.begin(), known.end(), id) == known.end()) known.push_back(id);
    }
  }
  return {};
}

Result<void> Probe::compression() {
  const VersionFacts* version = highest(Protocol::tls1_2);
  if (version == nullptr) return {};
  asker_.tell("compression and fallback");
  constexpr std::uint8_t deflate = 1;  // RFC 3749
  hello::Offer asked = offer(version->version);
  asked.compression_methods = {deflate, 0};
  auto reply = asker_.ask(asked);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->answer.hello) facts_.compression = reply->answer.hello->compression_method != 0;
  return {};
}

// RFC 7507: a client that says it falls back, while the server could do better.
Result<void> Probe::fallback() {
  constexpr std::uint16_t fallback_scsv = 0x5600;
  constexpr std::uint8_t inappropriate_fallback = 86;
  const VersionFacts* best = highest(Protocol::tls1_3);
  if (best == nullptr || best->version == Protocol::ssl3) return {};
  auto below = static_cast<Protocol>(static_cast<unsigned>(best->version) - 1);
  const VersionFacts* second = highest(below);
  if (second == nullptr) return {};
  hello::Offer asked = offer(second->version);
  asked.cipher_suites = second->suites;
  asked.cipher_suites.push_back(fallback_scsv);
  auto reply = asker_.ask(asked);
  if (!reply) return tl::unexpected(reply.error());
  if (reply->kind == Reply::Kind::hello) facts_.fallback_scsv = false;
  if (reply->kind == Reply::Kind::alert) {
    facts_.fallback_scsv = reply->answer.alert->description == inappropriate_fallback;
  }
  return {};
}

Result<void> Probe::encrypted() {
  const VersionFacts* best = highest(Protocol::tls1_3);
  if (best == nullptr || best->version == Protocol::ssl3) return {};
  asker_.tell("certificates and HTTP");
  if (best->version == Protocol::tls1_3) {
    auto done = probe_tls13_chains(asker_, request_, chains_, facts_);
    if (!done) return done;
    read_certificates();
    done = probe_tls13_signatures(asker_, request_, facts_);
    if (!done) return done;
  }
  return probe_application(asker_, request_, facts_);
}

// What was refused is only worth something if the server has answered to the end: some limit the
// rate of connections, and would look strict.
Result<void> Probe::still_there() {
  const VersionFacts* best = highest(Protocol::tls1_3);
  if (best == nullptr) return {};
  auto reply = asker_.ask(offer(best->version));
  if (!reply) return tl::unexpected(reply.error());
  if (reply->kind == Reply::Kind::hello) return {};
  return fail(fmt::format("it stopped answering after {} connections ({})", asker_.connections(),
                          reply->refusal()));
}

}  // namespace

Result<Facts> probe(const ProbeRequest& request, Progress& progress) {
  return Probe(request, progress).run();
}

}  // namespace tlsguard::ctl
