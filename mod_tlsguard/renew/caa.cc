// SPDX-License-Identifier: Apache-2.0
#include "renew/caa.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "acme/plain_text.h"
#include "core/text.h"
#include "renew/issue_value.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t shown = 120;

// RFC 8659 4, RFC 9495, and those of the CA/Browser Forum.
constexpr std::array<std::string_view, 7> known_tags{
    "issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"};

CaaVerdict forbid(std::string reason) { return {true, std::move(reason), std::nullopt}; }

// RFC 8659 4.3: issuewild counts for wildcards where there is any.
std::vector<std::string> relevant(const std::vector<net::DnsRecord>& records, bool wildcard) {
  auto of_tag = [&](std::string_view tag) {
    std::vector<std::string> values;
    for (const net::DnsRecord& record : records) {
      if (record.tag == tag) values.push_back(record.value);
    }
    return values;
  };
  if (wildcard) {
    if (auto values = of_tag("issuewild"); !values.empty()) return values;
  }
  return of_tag("issue");
}

bool is_ours(const IssueValue& value, const CaaApplicant& applicant) {
  return std::any_of(
      applicant.identities.begin(), applicant.identities.end(),
      [&](const std::string& identity) { return equal_ignoring_case(identity, value.issuer); });
}

// RFC 8657 3: more than one, or another one, is never met.
bool account_fits(const IssueValue& value, const CaaApplicant& applicant) {
  auto account = value.find("accounturi");
  if (!account) return true;
  if (value.count("accounturi") > 1) return false;
  return applicant.account_url.empty() || *account == applicant.account_url;
}

// RFC 8657 4. nullopt: any.
std::optional<std::vector<std::string>> methods_of(const IssueValue& value) {
  auto methods = value.find("validationmethods");
  if (!methods) return std::nullopt;
  if (value.count("validationmethods") > 1) return std::vector<std::string>();
  return split(*methods, ",");
}

std::string wording(const std::vector<std::string>& values) {
  std::vector<std::string> quoted;
  for (const std::string& value : values) {
    quoted.push_back(fmt::format("\"{}\"", acme::plain_text(value, shown)));
  }
  return join(quoted, ", ");
}

std::optional<CaaVerdict> unknown_critical(const std::vector<net::DnsRecord>& records) {
  for (const net::DnsRecord& record : records) {
    bool known = std::find(known_tags.begin(), known_tags.end(), record.tag) != known_tags.end();
    if (record.critical && !known) {
      return forbid(fmt::format("a critical CAA record has a tag that no CA knows: '{}'",
                                acme::plain_text(record.tag, shown)));
    }
  }
  return std::nullopt;
}

// The CA's names are not known: only what forbids everybody forbids it.
CaaVerdict judge_for_anybody(const std::vector<std::string>& values) {
  bool nobody = std::all_of(values.begin(), values.end(), [](const std::string& text) {
    auto value = parse_issue_value(text);
    return !value || value->issuer.empty();
  });
  if (nobody) return forbid(fmt::format("CAA allows no CA at all: {}", wording(values)));
  return {};
}

}  // namespace

CaaVerdict judge_caa(const std::vector<net::DnsRecord>& records, bool wildcard,
                     const CaaApplicant& applicant) {
  if (auto verdict = unknown_critical(records)) return *verdict;
  auto values = relevant(records, wildcard);
  if (values.empty()) return {};
  if (applicant.identities.empty()) return judge_for_anybody(values);
  bool named = false;
  bool any_method = false;
  bool allowed = false;
  std::set<std::string> methods;
  for (const std::string& text : values) {
    auto value = parse_issue_value(text);  // what is malformed allows nobody (RFC 8659 4.2)
    if (!value || !is_ours(*value, applicant)) continue;
    named = true;
    if (!account_fits(*value, applicant)) continue;
    allowed = true;
    auto some = methods_of(*value);
    any_method |= !some;
    if (some) methods.insert(some->begin(), some->end());
  }
  if (!named) {
    return forbid(fmt::format("CAA does not allow this CA ({}): {}",
                              join(applicant.identities, ", "), wording(values)));
  }
  if (!allowed) {
    return forbid(fmt::format("CAA allows this CA for another account only (ours is {}): {}",
                              applicant.account_url, wording(values)));
  }
  CaaVerdict verdict;
  if (!any_method) verdict.methods.emplace(methods.begin(), methods.end());
  return verdict;
}

Result<CaaRecords> find_caa(const std::string& name, const AskCaa& ask) {
  for (std::string at = name; !at.empty();) {
    auto answer = ask(at);
    if (!answer) return tl::unexpected(answer.error());
    if (answer->outcome == net::DnsAnswer::Outcome::found) {
      return CaaRecords{at, std::move(answer->records)};
    }
    auto dot = at.find('.');
    at = dot == std::string::npos ? std::string() : at.substr(dot + 1);
  }
  return CaaRecords{};
}

}  // namespace tlsguard::renew
