// SPDX-License-Identifier: Apache-2.0
// A domain whose first name has changed, but most names have not, is the same domain: what is live
// under the old name, its history, hold and back-off, go on under the new one. Blocking.
#ifndef TLSGUARD_RENEW_ADOPTION_H
#define TLSGUARD_RENEW_ADOPTION_H

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "renew/spec.h"
#include "renew/workshop.h"

namespace tlsguard::renew {

// For each of `fresh` that has nothing in the store: the undeclared domain that has most names in
// common, if these are more than half of either. declared: the identities of all that are declared.
void adopt_renamed(const Workshop& shop,
                   const std::vector<std::shared_ptr<const DomainSpec>>& fresh,
                   const std::set<std::string>& declared);

}  // namespace tlsguard::renew

#endif
