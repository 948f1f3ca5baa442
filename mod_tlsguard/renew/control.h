// SPDX-License-Identifier: Apache-2.0
// Carries out what is asked over the control socket. Any thread; blocking, for as long as a CA
// takes to answer.
#ifndef TLSGUARD_RENEW_CONTROL_H
#define TLSGUARD_RENEW_CONTROL_H

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/error.h"
#include "renew/control_protocol.h"
#include "renew/manager.h"

namespace tlsguard::renew {

class Control {
 public:
  explicit Control(Manager& manager) : manager_(manager) {}
  // A line without its end; the reply has one. Never fails: what is wrong is in the reply.
  [[nodiscard]] std::string answer(std::string_view line);

 private:
  using Answer = Result<nlohmann::json>;
  Answer carry_out(const ControlRequest& request);
  Answer status();
  Answer status_of(const std::string& identity);
  [[nodiscard]] nlohmann::json alerts_about(const std::string& identity) const;
  Answer renew(const std::string& identity);
  Answer hold(const std::string& identity, bool held);
  Answer roll_back(const std::string& identity);
  Answer revoke(const std::string& identity, std::optional<int> reason);
  Answer show_accounts();
  Answer roll_over(const std::string& ca);
  Answer ca_root();
  Answer look(const std::string& identity);
  Answer collect();
  Answer events(const std::string& identity);
  Result<void> collect_versions(const std::string& identity);

  Manager& manager_;
};

}  // namespace tlsguard::renew

#endif
