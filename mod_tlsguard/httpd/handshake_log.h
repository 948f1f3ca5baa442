// SPDX-License-Identifier: Apache-2.0
// A refused or would-be refused handshake has no request and so no access log: it is a line at
// info, with who, whom for, what was offered and the verdict. Rate limited, since anybody can make
// handshakes fail.
#ifndef TLSGUARD_HTTPD_HANDSHAKE_LOG_H
#define TLSGUARD_HTTPD_HANDSHAKE_LOG_H

#include <atomic>
#include <cstdint>

#include "hello/client_hello.h"

namespace tlsguard::httpd {

struct ConnState;

// One a process; any thread.
class HandshakeLog {
 public:
  // Lines a second and process; what is over is counted, and told in the next second's first line.
  static constexpr std::uint32_t lines_a_second = 20;

  // Logs where the policy in force or the report policy would turn the hello away.
  void judged(const ConnState& state, const hello::ClientHello& hello);

 private:
  // True where a line may be written; held_back: lines left out before it.
  bool admit(std::uint32_t now, std::uint64_t& held_back);
  std::atomic<std::uint64_t> window_{0};  // upper half: second, lower half: lines in it
  std::atomic<std::uint64_t> held_back_{0};
};

}  // namespace tlsguard::httpd

#endif
