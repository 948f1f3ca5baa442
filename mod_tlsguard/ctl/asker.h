// SPDX-License-Identifier: Apache-2.0
// Asks a server one ClientHello a connection, one after the other, within bounds: a number of
// connections, a time for each, a time for all. One thread.
#ifndef TLSGUARD_CTL_ASKER_H
#define TLSGUARD_CTL_ASKER_H

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "ctl/connection.h"
#include "ctl/progress.h"
#include "hello/offer.h"
#include "hello/server_hello.h"

namespace tlsguard::ctl {

// How a server took a ClientHello.
struct Reply {
  enum class Kind : std::uint8_t {
    hello,  // with a ServerHello or HelloRetryRequest
    alert,
    closed,   // without a word
    silent,   // not in time
    foreign,  // with something that is not TLS
  };
  Kind kind = Kind::silent;
  hello::ServerAnswer answer;
  std::string beginning;  // of what is not TLS: at most 32 bytes, as received

  // "alert 40 (handshake failure)", "no answer"; "" for a hello.
  [[nodiscard]] std::string refusal() const;
};

class Asker {
 public:
  static constexpr int max_connections = 800;
  static constexpr std::chrono::seconds one_connection{5};

  // addresses: the first that takes a connection is kept to. until: when all must be done.
  // progress outlives this.
  Asker(std::vector<Address> addresses, SteadyTime until, Progress& progress)
      : addresses_(std::move(addresses)), until_(until), progress_(progress) {}

  // Errors: no TCP connection (tried twice), and the bounds.
  [[nodiscard]] Result<Reply> ask(const hello::Offer& offer);
  // A connection of the caller's own, with the same bounds and errors.
  [[nodiscard]] Result<Connection> connect();
  // The end of what one connection may take, from now on.
  [[nodiscard]] SteadyTime limit() const;

  [[nodiscard]] int connections() const { return connections_; }
  // The address kept to. Only after a connection.
  [[nodiscard]] const Address& address() const { return addresses_.front(); }
  void tell(std::string_view what) { progress_.tell(what, connections_); }

 private:
  [[nodiscard]] Result<Connection> connect_once();

  std::vector<Address> addresses_;
  SteadyTime until_;
  Progress& progress_;
  int connections_ = 0;
  bool reached_ = false;
};

}  // namespace tlsguard::ctl

#endif
