// SPDX-License-Identifier: Apache-2.0
// What a certificate that came over the network says. Untrusted DER, parsed by OpenSSL; names are
// returned as they are. Thread-safe.
#ifndef TLSGUARD_CTL_CERTIFICATE_FACTS_H
#define TLSGUARD_CTL_CERTIFICATE_FACTS_H

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "ctl/facts.h"

namespace tlsguard::ctl {

using Der = std::vector<std::uint8_t>;

// chain: end entity first, as sent; not empty. name: host name or IP address it should be for;
// empty: none. now: unix seconds. At most 16 certificates and 100 names are looked at.
// trust is judged with the system's CA certificates, for the purpose of a TLS server, at `now`.
[[nodiscard]] Result<CertificateFacts> certificate_facts(const std::vector<Der>& chain,
                                                         const std::string& name, std::int64_t now);

}  // namespace tlsguard::ctl

#endif
