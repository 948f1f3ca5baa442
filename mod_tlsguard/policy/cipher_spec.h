// SPDX-License-Identifier: Apache-2.0
// A cipher string as written for SSLCipherSuite and TLSGuardCipherSuite, taken apart word by word,
// because OpenSSL ignores words it does not know. Pure but for the Library asked.
#ifndef TLSGUARD_POLICY_CIPHER_SPEC_H
#define TLSGUARD_POLICY_CIPHER_SPEC_H

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "policy/library.h"

namespace tlsguard::policy {

struct CipherSelection {
  // OpenSSL names in OpenSSL's order; then names written in full that the world knows and this
  // OpenSSL lacks, so that they can be reported as left out.
  std::vector<std::string> ciphers;
  std::optional<int> security_level;  // @SECLEVEL=n
};

// Anonymous and unencrypted ciphers are always excluded, as in SSLCipherSuite. Errors: a word
// nobody knows (unless excluded by '!' or '-'), a security level below the library's default, and
// a string that selects nothing this OpenSSL has.
[[nodiscard]] Result<CipherSelection> select_ciphers(const std::string& spec,
                                                     const Library& library);

// The list after "TLSv1.3": IANA's names of the suites, separated by colons. Errors: a name nobody
// knows; no suite that this OpenSSL has. Known ones that it lacks are kept, to be reported.
[[nodiscard]] Result<std::vector<std::string>> select_tls13_suites(const std::string& list,
                                                                   const Library& library);

}  // namespace tlsguard::policy

#endif
