// SPDX-License-Identifier: Apache-2.0
// What will be in force for a virtual host, worked out from mod_ssl's directives, its certificates
// and the policies, on scratch contexts. Virtual hosts with the same configuration share one plan.
// Made at configuration time by one thread; then immutable and read by all.
#ifndef TLSGUARD_HTTPD_PLAN_H
#define TLSGUARD_HTTPD_PLAN_H

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "hello/server_settings.h"
#include "live/verdicts.h"
#include "policy/context.h"
#include "policy/policy.h"

namespace tlsguard::httpd {

using SettingsPtr = std::shared_ptr<const hello::ServerSettings>;
// By live::Judge. report: null where there is no such policy.
using SettingsSet = std::array<SettingsPtr, live::judge_count>;

struct PlanKey {
  policy::SslDirectives directives;
  std::vector<hello::CertificateKey> keys;
  policy::Policy policy;
  std::optional<policy::Policy> report_policy;
  bool operator==(const PlanKey&) const = default;
};

struct Plan {
  PlanKey key;
  hello::ServerSettings own;  // what mod_ssl alone allows
  SettingsSet judged;
  std::vector<policy::Note> notes;
  // Why policy and mod_ssl have nothing in common; in_force then admits nobody.
  std::optional<Error> unfit;
  std::optional<Error> report_unfit;
  // What a TLS session carries, so that it is not resumed under other settings.
  std::array<unsigned char, 16> session_tag{};
  // For SSL_set1_groups, which is cheap; where a group has no NID (some of providers'), for
  // SSL_set1_groups_list, this OpenSSL's names.
  std::vector<int> group_nids;
  std::string groups_list;

  [[nodiscard]] const hello::ServerSettings& in_force() const {
    return *judged[static_cast<std::size_t>(live::Judge::in_force)];
  }
};

class Planner {
 public:
  explicit Planner(const policy::Catalogue& catalogue) : catalogue_(catalogue) {}
  // An error is one mod_ssl will meet, too, when it builds its context.
  [[nodiscard]] Result<std::shared_ptr<const Plan>> plan(const PlanKey& key);

 private:
  [[nodiscard]] Result<std::shared_ptr<const Plan>> make(const PlanKey& key);
  const policy::Catalogue& catalogue_;
  // Few distinct configurations, so a list is enough; the last one is the likeliest.
  std::vector<std::shared_ptr<const Plan>> plans_;
};

}  // namespace tlsguard::httpd

#endif
