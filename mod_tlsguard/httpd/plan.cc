// SPDX-License-Identifier: Apache-2.0
#include "httpd/plan.h"

#include <openssl/err.h>

#include <algorithm>

#include "crypto/openssl.h"
#include "policy/names.h"

namespace tlsguard::httpd {

namespace {

// Settings under a policy; where nothing fits, settings that admit nobody.
SettingsPtr settings_under(const PlanKey& key, const policy::Policy& policy,
                           std::optional<Error>* unfit) {
  auto outcome = policy::outcome_under(key.directives, key.keys, policy);
  if (outcome) return std::make_shared<const hello::ServerSettings>(std::move(outcome->settings));
  if (unfit != nullptr) *unfit = outcome.error();
  return std::make_shared<const hello::ServerSettings>();
}

std::array<unsigned char, 16> tag_of(const hello::ServerSettings& settings) {
  std::array<unsigned char, 16> tag{};
  std::string digest = policy::settings_digest(settings);
  for (std::size_t i = 0; i < tag.size() && 2 * i + 1 < digest.size(); ++i) {
    tag[i] = static_cast<unsigned char>(std::stoi(digest.substr(2 * i, 2), nullptr, 16));
  }
  return tag;
}

// Empty where a group has no NID, or OpenSSL does not take them all; and where one is post-quantum,
// since NIDs cannot say what policy::groups_list says of those.
std::vector<int> group_nids_of(const hello::ServerSettings& settings) {
  std::vector<int> nids;
  for (std::uint16_t id : settings.groups) {
    const policy::Group* group = policy::find_group(id);
    int nid = group != nullptr && !group->post_quantum ? policy::group_nid(*group) : NID_undef;
    if (nid == NID_undef) return {};
    nids.push_back(nid);
  }
  crypto::SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  bool taken = ctx && !nids.empty() &&
               SSL_CTX_set1_groups(ctx.get(), nids.data(), static_cast<long>(nids.size())) == 1;
  ERR_clear_error();
  return taken ? nids : std::vector<int>{};
}

}  // namespace

Result<std::shared_ptr<const Plan>> Planner::plan(const PlanKey& key) {
  auto known = std::find_if(plans_.rbegin(), plans_.rend(),
                            [&](const auto& plan) { return plan->key == key; });
  if (known != plans_.rend()) return *known;
  auto made = make(key);
  if (made) plans_.push_back(*made);
  return made;
}

Result<std::shared_ptr<const Plan>> Planner::make(const PlanKey& key) {
  auto scratch = policy::build_scratch(key.directives);
  if (!scratch) return tl::unexpected(scratch.error());
  auto before = policy::read_back(scratch->get());
  if (!before) return tl::unexpected(before.error());
  before->keys = key.keys;

  auto plan = std::make_shared<Plan>();
  plan->key = key;
  plan->own = *before;
  auto outcome = policy::tighten(scratch->get(), *before, key.policy, key.directives);
  SettingsPtr in_force = std::make_shared<const hello::ServerSettings>();
  if (outcome) {
    in_force = std::make_shared<const hello::ServerSettings>(std::move(outcome->settings));
    plan->notes = std::move(outcome->notes);
  } else {
    plan->unfit = outcome.error();
  }
  plan->session_tag = tag_of(*in_force);
  plan->group_nids = group_nids_of(*in_force);
  plan->groups_list = policy::groups_list(in_force->groups);

  auto put = [&](live::Judge by, SettingsPtr settings) {
    plan->judged[static_cast<std::size_t>(by)] = std::move(settings);
  };
  put(live::Judge::in_force, in_force);
  if (key.report_policy) {
    put(live::Judge::report, settings_under(key, *key.report_policy, &plan->report_unfit));
  }
  const std::pair<live::Judge, const char*> named[] = {{live::Judge::baseline, "baseline"},
                                                       {live::Judge::intermediate, "intermediate"},
                                                       {live::Judge::modern, "modern"}};
  for (const auto& [by, name] : named) {
    auto policy = catalogue_.find(name);
    if (!policy) return tl::unexpected(policy.error());
    put(by, settings_under(key, *policy, nullptr));
  }
  return plan;
}

}  // namespace tlsguard::httpd
