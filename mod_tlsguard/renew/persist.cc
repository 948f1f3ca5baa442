// SPDX-License-Identifier: Apache-2.0
#include "renew/persist.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "acme/plain_text.h"
#include "core/date.h"
#include "core/text.h"
#include "renew/challenge_records.h"
#include "renew/issue_value.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t max_issuers = 10;
constexpr std::size_t max_issuer = 253;
constexpr std::size_t max_rejected = 4;
constexpr std::size_t shown = 120;  // of what is published

bool is_wildcard(const PersistClaim& claim) { return claim.name.starts_with("*."); }

bool names_issuer(const PersistClaim& claim, const std::string& issuer) {
  return std::find(claim.issuers.begin(), claim.issuers.end(), issuer) != claim.issuers.end();
}

Result<UnixSeconds> parse_until(std::string_view text) {
  UnixSeconds moment = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, moment);
  if (error != std::errc{} || rest != end || moment < 0) {
    return fail("its persistUntil is no number of seconds");
  }
  return moment;
}

// Until when this record does; an error: why it does not.
Result<std::optional<UnixSeconds>> judge(const PersistClaim& claim, const IssueValue& value,
                                         UnixSeconds now) {
  for (const char* tag : {"accounturi", "policy", "persistuntil"}) {
    if (value.count(tag) > 1) return fail(fmt::format("it has {} more than once", tag));
  }
  auto account = value.find("accounturi");
  if (!account) return fail("it lacks accounturi");
  if (*account != claim.account_url) return fail("its accounturi is of another account");
  auto policy = value.find("policy");
  bool wildcard = policy && equal_ignoring_case(*policy, "wildcard");
  if (is_wildcard(claim) && !wildcard) return fail("it lacks policy=wildcard");
  auto text = value.find("persistuntil");
  if (!text) return std::optional<UnixSeconds>();
  auto until = parse_until(*text);
  if (!until) return tl::unexpected(until.error());
  if (*until < now) return fail(fmt::format("it ended at {}", format_date(*until)));
  return std::optional<UnixSeconds>(*until);
}

// Records of other CAs and other texts are nobody's business.
bool concerns_us(const PersistClaim& claim, const Result<IssueValue>& value,
                 std::string_view record) {
  bool names_account =
      !claim.account_url.empty() && record.find(claim.account_url) != std::string_view::npos;
  if (names_account) return true;
  if (value) return names_issuer(claim, value->issuer);
  std::string start = to_lower(trim(record.substr(0, record.find(';'))));
  return names_issuer(claim, start);
}

}  // namespace

Result<void> check_issuers(const std::vector<std::string>& issuers) {
  if (issuers.empty() || issuers.size() > max_issuers) {
    return fail(fmt::format("the CA's dns-persist-01 challenge offers {} issuers, not 1 to {}",
                            issuers.size(), max_issuers));
  }
  for (const std::string& issuer : issuers) {
    auto value = parse_issue_value(issuer);
    if (issuer.size() > max_issuer || !value || value->issuer.empty() || value->issuer != issuer) {
      return fail(
          fmt::format("the CA's dns-persist-01 challenge offers an issuer that is no "
                      "domain name: '{}'",
                      acme::plain_text(issuer, shown)));
    }
  }
  return {};
}

std::string persist_value(const PersistClaim& claim) {
  return fmt::format("{}; accounturi={}{}", claim.issuers.empty() ? "" : claim.issuers.front(),
                     claim.account_url,
                     is_wildcard(claim) || claim.wildcard_too ? "; policy=wildcard" : "");
}

std::string persist_zone_line(const PersistClaim& claim) {
  constexpr std::size_t longest = 255;
  std::string value = persist_value(claim);
  std::string line = fmt::format("_validation-persist.{}. IN TXT", without_wildcard(claim.name));
  for (std::size_t at = 0; at < value.size(); at += longest) {
    line += fmt::format(" \"{}\"", value.substr(at, longest));
  }
  return line;
}

PersistMatch match_persist(const PersistClaim& claim, const std::vector<std::string>& records,
                           UnixSeconds now) {
  PersistMatch match;
  constexpr UnixSeconds never = std::numeric_limits<UnixSeconds>::max();
  UnixSeconds longest = 0;
  for (const std::string& record : records) {
    auto value = parse_issue_value(record);
    if (!concerns_us(claim, value, record)) continue;
    auto until = value ? judge(claim, *value, now)
                       : Result<std::optional<UnixSeconds>>(tl::unexpected(value.error()));
    if (until && !names_issuer(claim, value->issuer)) {
      match.other_issuer = true;
      until = fail(fmt::format("it names the issuer '{}'", value->issuer));
    }
    if (until) {
      match.found = true;
      longest = std::max(longest, until->value_or(never));
    } else if (match.rejected.size() < max_rejected) {
      match.rejected.push_back(
          fmt::format("\"{}\": {}", acme::plain_text(record, shown), until.error().text));
    }
  }
  if (match.found && longest != never) match.until = longest;
  return match;
}

}  // namespace tlsguard::renew
