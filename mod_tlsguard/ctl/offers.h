// SPDX-License-Identifier: Apache-2.0
// The ClientHellos of a probe, and how to learn from the answers. One thread.
#ifndef TLSGUARD_CTL_OFFERS_H
#define TLSGUARD_CTL_OFFERS_H

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/protocol.h"
#include "ctl/asker.h"
#include "ctl/facts.h"
#include "hello/offer.h"

namespace tlsguard::ctl {

// All that is known for this version and no other one, cipher suites included. In TLS 1.3 without
// a key share, which asks for a HelloRetryRequest (RFC 8446 4.2.8): it names suite and group in
// clear and costs the server nothing. SSLv3: without extensions.
[[nodiscard]] hello::Offer offer_all(Protocol version, const std::string& server_name);

// TLS groups offered in that version: in 1.2 those of ECDHE.
[[nodiscard]] std::vector<std::uint16_t> groups_of(Protocol version);
[[nodiscard]] std::vector<std::uint16_t> all_signature_algorithms();

struct Enumeration {
  std::vector<std::uint16_t> found;  // in the order the server picked them
  Preference preference = Preference::unknown;
  Reply last;  // the refusal that ended it
};
using MakeOffer = std::function<hello::Offer(const std::vector<std::uint16_t>& candidates)>;
// What the server picked; nullopt: this answer is none to the question.
using Pick = std::function<std::optional<std::uint16_t>(const hello::ServerAnswer& answer)>;

// Offers all candidates, strikes out the one picked, and asks again until the server refuses or
// picks something else; then, by offering what was found in reverse, who decides. A server that
// answered before and does so no more is an error: a list cut short would look like a strict one.
// answers: it is known to answer hellos of this kind, so that the first may not go unanswered.
[[nodiscard]] Result<Enumeration> enumerate(Asker& asker, std::vector<std::uint16_t> candidates,
                                            const MakeOffer& make, const Pick& pick,
                                            bool answers = false);

}  // namespace tlsguard::ctl

#endif
