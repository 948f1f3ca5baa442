// SPDX-License-Identifier: Apache-2.0
// A number for all of a ClientHello that the verdict depends on: two hellos with one fingerprint
// get one verdict from the same settings. Server name, session, key shares and GREASE values
// (RFC 8701) play no part, so one client program has one fingerprint. Pure, thread-safe.
#ifndef TLSGUARD_HELLO_FINGERPRINT_H
#define TLSGUARD_HELLO_FINGERPRINT_H

#include <cstdint>

#include "hello/client_hello.h"

namespace tlsguard::hello {

// seed: random per process, so that nobody can build a hello that shares another's fingerprint.
[[nodiscard]] std::uint64_t fingerprint(const ClientHello& hello, std::uint64_t seed);

}  // namespace tlsguard::hello

#endif
