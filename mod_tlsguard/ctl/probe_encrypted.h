// SPDX-License-Identifier: Apache-2.0
// The part of a probe that needs a whole handshake, and thus OpenSSL: certificates and signatures
// of TLS 1.3, ALPN, tickets, HTTP. One thread.
#ifndef TLSGUARD_CTL_PROBE_ENCRYPTED_H
#define TLSGUARD_CTL_PROBE_ENCRYPTED_H

#include "core/error.h"
#include "ctl/asker.h"
#include "ctl/chains.h"
#include "ctl/facts.h"
#include "ctl/probe.h"

namespace tlsguard::ctl {

// Each adds to facts what it finds and a note for what it cannot find out. Errors: those of
// Asker::connect.

// Only where facts say that TLS 1.3 is served.
[[nodiscard]] Result<void> probe_tls13_chains(Asker& asker, const ProbeRequest& request,
                                              Chains& chains, Facts& facts);
// Needs facts.certificates.
[[nodiscard]] Result<void> probe_tls13_signatures(Asker& asker, const ProbeRequest& request,
                                                  Facts& facts);
// ALPN, tickets of TLS 1.3, and one GET / over HTTP/1.1.
[[nodiscard]] Result<void> probe_application(Asker& asker, const ProbeRequest& request,
                                             Facts& facts);
// One GET / in clear, to request.plain_port of the address probed.
void probe_plain_port(Asker& asker, const ProbeRequest& request, Facts& facts);

}  // namespace tlsguard::ctl

#endif
