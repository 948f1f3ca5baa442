// SPDX-License-Identifier: Apache-2.0
#include "renew/solver.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "crypto/self_signed.h"
#include "renew/challenge_records.h"
#include "renew/dns_solver.h"

namespace tlsguard::renew {
namespace {

using Types = std::vector<ChallengeType>;

bool proves(ChallengeType type, const acme::Identifier& identifier) {
  if (identifier.type == acme::Identifier::Type::ip) return !is_dns_challenge(type);
  return is_dns_challenge(type) || !identifier.value.starts_with("*.");
}

bool needs_command(ChallengeType type) {
  return type == ChallengeType::dns_01 || type == ChallengeType::dns_account_01;
}

Types default_challenges(const DomainSettings& settings, const Reachability& reach) {
  Types types;
  if (reach.https) types.push_back(ChallengeType::tls_alpn_01);
  if (reach.http) types.push_back(ChallengeType::http_01);
  if (!settings.dns_command.empty()) types.push_back(ChallengeType::dns_01);
  return types;
}

Prospect prospect_of(const SolverContext& context, const std::string& name, ChallengeType type) {
  for (const Finding& finding : context.findings) {
    if (finding.name == name && finding.type == type) return finding.prospect;
  }
  return Prospect::unknown;
}

// The name as it is in the domain's list: an authorization for a wildcard names what is below it.
std::string listed_name(const acme::Authorization& authorization) {
  return (authorization.wildcard ? "*." : "") + authorization.identifier.value;
}

Result<void> put_alpn(SolverContext& context, const std::string& name,
                      const std::string& key_authorization) {
  auto pem = crypto::make_alpn_certificate_pem(name, key_authorization, now_of(context));
  if (!pem) return tl::unexpected(pem.error());
  return context.challenges.put_alpn(alpn_server_name(name), *pem);
}

Result<void> check_published(SolverContext& context, const acme::Authorization& authorization,
                             const acme::Challenge& challenge) {
  if (auto fine = check_issuers(challenge.issuer_domain_names); !fine) return fine;
  return check_persist(
      context, {listed_name(authorization), challenge.issuer_domain_names, context.account_url},
      Issuers::of_challenge);
}

void log_leftover(SolverContext& context, const std::string& name, const Result<void>& removed) {
  if (removed) return;
  context.log.write(
      Severity::warning, "TG0155",
      fmt::format("domain={}: the answer to a challenge stays in the store until the agent starts "
                  "anew: {}",
                  name, removed.error().text));
}

}  // namespace

UnixSeconds now_of(const SolverContext& context) {
  if (context.now) return context.now();
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Types configured_challenges(const DomainSettings& settings, const Reachability& reach,
                            const acme::Identifier& identifier) {
  Types types =
      settings.challenges.empty() ? default_challenges(settings, reach) : settings.challenges;
  std::erase_if(types, [&](ChallengeType type) {
    return !proves(type, identifier) || (needs_command(type) && settings.dns_command.empty());
  });
  return types;
}

Types usable_challenges(const DomainSettings& settings, const Reachability& reach,
                        const acme::Identifier& identifier,
                        const std::vector<acme::Challenge>& offered) {
  Types types = configured_challenges(settings, reach, identifier);
  std::erase_if(types, [&](ChallengeType type) {
    return std::none_of(offered.begin(), offered.end(), [&](const acme::Challenge& challenge) {
      return challenge.type == challenge_type_name(type);
    });
  });
  return types;
}

Types usable_challenges(const SolverContext& context, const acme::Identifier& identifier,
                        const std::vector<acme::Challenge>& offered) {
  Types types = usable_challenges(context.settings, context.reach, identifier, offered);
  auto prospect = [&](ChallengeType type) { return prospect_of(context, identifier.value, type); };
  std::erase_if(types, [&](ChallengeType type) { return prospect(type) == Prospect::hopeless; });
  std::stable_sort(types.begin(), types.end(),
                   [&](ChallengeType a, ChallengeType b) { return prospect(a) < prospect(b); });
  return types;
}

Result<void> put_in_place(SolverContext& context, const acme::Authorization& authorization,
                          const acme::Challenge& challenge, const std::string& key_authorization) {
  auto type = challenge_type_of(challenge.type);
  if (!type) return fail(fmt::format("'{}' is no challenge of ours", challenge.type));
  const std::string& name = authorization.identifier.value;
  switch (*type) {
    case ChallengeType::http_01:
      return context.challenges.put_http(challenge.token, {name, key_authorization});
    case ChallengeType::tls_alpn_01:
      return put_alpn(context, name, key_authorization);
    case ChallengeType::dns_01:
    case ChallengeType::dns_account_01:
      return set_up_record(context, *type, name, key_authorization);
    case ChallengeType::dns_persist_01:
      return check_published(context, authorization, challenge);
  }
  return fail("no such challenge");
}

Result<void> await_in_place(SolverContext& context, const acme::Authorization& authorization,
                            const acme::Challenge& challenge,
                            const std::string& key_authorization) {
  auto type = challenge_type_of(challenge.type);
  if (!type || !needs_command(*type)) return {};  // at once where we are asked, or long since there
  return await_record(context, *type, authorization.identifier.value, key_authorization);
}

Result<void> provision(SolverContext& context, const acme::Authorization& authorization,
                       const acme::Challenge& challenge, const std::string& key_authorization) {
  auto placed = put_in_place(context, authorization, challenge, key_authorization);
  return placed ? await_in_place(context, authorization, challenge, key_authorization) : placed;
}

void clean_up(SolverContext& context, const acme::Authorization& authorization,
              const acme::Challenge& challenge, const std::string& key_authorization) {
  auto type = challenge_type_of(challenge.type);
  if (!type) return;
  const std::string& name = authorization.identifier.value;
  switch (*type) {
    case ChallengeType::http_01:
      log_leftover(context, name, context.challenges.remove_http(challenge.token));
      return;
    case ChallengeType::tls_alpn_01:
      log_leftover(context, name, context.challenges.remove_alpn(alpn_server_name(name)));
      return;
    case ChallengeType::dns_01:
    case ChallengeType::dns_account_01:
      clean_up_record(context, *type, name, key_authorization);
      return;
    case ChallengeType::dns_persist_01:
      return;  // the administrator's, and it stays
  }
}

}  // namespace tlsguard::renew
