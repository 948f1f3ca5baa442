// SPDX-License-Identifier: Apache-2.0
// The certificate chains a server has shown, each once. One thread.
#ifndef TLSGUARD_CTL_CHAINS_H
#define TLSGUARD_CTL_CHAINS_H

#include <algorithm>
#include <utility>
#include <vector>

#include "core/protocol.h"
#include "ctl/certificate_facts.h"

namespace tlsguard::ctl {

class Chains {
 public:
  struct Seen {
    std::vector<Der> chain;  // end entity first
    std::vector<Protocol> versions;
  };

  // A chain with a new end entity certificate is kept; of a known one only the version is.
  void add(const std::vector<Der>& chain, Protocol version) {
    if (chain.empty()) return;
    auto known = std::find_if(seen_.begin(), seen_.end(), [&chain](const Seen& seen) {
      return seen.chain.front() == chain.front();
    });
    if (known == seen_.end()) {
      if (seen_.size() == most) return;
      known = seen_.insert(seen_.end(), Seen{chain, {}});
    }
    auto& versions = known->versions;
    if (std::find(versions.begin(), versions.end(), version) == versions.end()) {
      versions.push_back(version);
    }
  }
  [[nodiscard]] const std::vector<Seen>& all() const { return seen_; }

 private:
  static constexpr std::size_t most = 16;  // a server may make up a new one for each connection
  std::vector<Seen> seen_;
};

}  // namespace tlsguard::ctl

#endif
