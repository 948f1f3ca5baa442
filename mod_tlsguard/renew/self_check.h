// SPDX-License-Identifier: Apache-2.0
// The CA's part played by ourselves: a probe is put where the answer to a challenge will be, and
// fetched as a CA would, at one address of the name. Blocking, bounded; as solver.h.
#ifndef TLSGUARD_RENEW_SELF_CHECK_H
#define TLSGUARD_RENEW_SELF_CHECK_H

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "net/socket.h"
#include "renew/own_addresses.h"
#include "renew/solver.h"

namespace tlsguard::renew {

enum class Answer : std::uint8_t {
  ours,       // the probe came back
  unknown,    // nobody could be reached, or a front server may still lead to us
  otherwise,  // somebody answered, and it was not the probe
};
struct CheckResult {
  Answer answer = Answer::unknown;
  std::string text;  // what happened, in words
};

class SelfCheck {
 public:
  // context and own outlive this object.
  SelfCheck(SolverContext& context, const OwnAddresses& own) : context_(context), own_(own) {}

  // name: DNS name or IP address. type: http_01 or tls_alpn_01. An error: the probe cannot be put
  // into the store, so neither could be the answer to a challenge; its kind is "store".
  [[nodiscard]] Result<CheckResult> run(ChallengeType type, const std::string& name,
                                        const std::string& address);

 private:
  [[nodiscard]] Result<CheckResult> http(const std::string& name, const std::string& address);
  [[nodiscard]] CheckResult fetch(const net::HttpRequest& request, std::string_view expected) const;
  [[nodiscard]] Result<CheckResult> alpn(const std::string& name, const std::string& address);

  // An address and port that did not answer is not waited for again.
  [[nodiscard]] Result<net::Socket> reach(const std::string& address, std::uint16_t port);

  SolverContext& context_;
  const OwnAddresses& own_;
  std::set<std::pair<std::string, std::uint16_t>> silent_;
};

}  // namespace tlsguard::renew

#endif
