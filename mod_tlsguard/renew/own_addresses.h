// SPDX-License-Identifier: Apache-2.0
// The addresses of this machine's interfaces, for whether a name leads here. Immutable.
#ifndef TLSGUARD_RENEW_OWN_ADDRESSES_H
#define TLSGUARD_RENEW_OWN_ADDRESSES_H

#include <set>
#include <string>
#include <vector>

namespace tlsguard::renew {

// Reached from everywhere: not of a private, shared (RFC 6598), link-local, loopback or
// documentation range, nor multicast. address: as inet_ntop writes it.
[[nodiscard]] bool is_public_address(const std::string& address);

class OwnAddresses {
 public:
  // Of all interfaces that are up; empty where they cannot be had.
  [[nodiscard]] static OwnAddresses of_this_machine();
  explicit OwnAddresses(const std::vector<std::string>& addresses);

  // 127.0.0.0/8 and ::1 always are.
  [[nodiscard]] bool has(const std::string& address) const;
  // Whether somebody else than the server of this name may answer at it, seen from here: a router
  // that translates public addresses for us answers at its own by itself.
  [[nodiscard]] bool may_meet_router(const std::string& address) const;

 private:
  std::set<std::string> addresses_;
  bool public_v4_ = false;
  bool public_v6_ = false;
};

}  // namespace tlsguard::renew

#endif
