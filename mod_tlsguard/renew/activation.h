// SPDX-License-Identifier: Apache-2.0
// From issued to live: into the certificate store, made current, told to the board, and written
// into the domain's state; and back from the store into the state, when the state does not know.
// One thread at a time for each domain. Blocking.
#ifndef TLSGUARD_RENEW_ACTIVATION_H
#define TLSGUARD_RENEW_ACTIVATION_H

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "renew/state.h"
#include "renew/workshop.h"
#include "store/certificate_store.h"

namespace tlsguard::renew {

inline constexpr std::size_t versions_kept = 5;

// Before the first look at a domain of a store that is ours: where what is current is torn, the
// newest version that can be served is made live, and that is said. false: there is none.
[[nodiscard]] Result<bool> mend_store(const Workshop& shop, const DomainSpec& spec);

// Brings state.live in line with what the store says is current. What was issued by others than
// this state knew of counts as a success: errors and draws of the certificate before it go.
// A version that cannot be opened is not live. An error where the store cannot be read.
[[nodiscard]] Result<void> look_at_store(const Workshop& shop, const DomainSpec& spec,
                                         JobState& state);

// Where a version comes from, beside what the store keeps of it.
struct Origin {
  std::string ca_url = {};
  std::string preferred_chain = {};
  UnixSeconds by_ari_at = 0;
};

// What is in a version; generation and since are not known to it. Its names are those that all its
// certificates have.
[[nodiscard]] Result<LiveState> live_state_of(const store::Version& version, const Origin& origin);

// Of a version that only the store knows: its CA by name.
[[nodiscard]] Origin origin_of(const store::Version& version, const DomainSpec& spec);

// Writes the pairs as a new version, unless the newest one has exactly these, and makes it live.
[[nodiscard]] Result<void> put_and_activate(const Workshop& shop, const DomainSpec& spec,
                                            JobState& state, store::Version version,
                                            const Origin& origin);
// Makes a version of the store live; what it is about is looked at first.
[[nodiscard]] Result<void> activate(const Workshop& shop, const DomainSpec& spec, JobState& state,
                                    const store::Version& version, const Origin& origin);

// state and plan as the board shows them.
void publish(const Workshop& shop, const DomainSpec& spec, const JobState& state,
             UnixSeconds next_run);

// What is live: in history, log and `activated`. Returns the words.
std::string say_live(const Workshop& shop, const DomainSpec& spec, JobState& state);

}  // namespace tlsguard::renew

#endif
