// SPDX-License-Identifier: Apache-2.0
// A cipher string as written for SSLCipherSuite and TLSGuardCipherSuite, taken apart word by word,
// because OpenSSL ignores words it does not know. The library is asked, nothing is kept.
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
// nobody knows (unless excluded by '!' or '-'), a security level below OpenSSL's default, and a
// string that selects nothing at all.
[[nodiscard]] Result<CipherSelection> select_ciphers(const std::string& spec);

// The list after "TLSv1.3": IANA's names of the suites, separated by colons. A name nobody knows is
// an error. Known ones that this OpenSSL lacks are kept, to be reported as left out.
[[nodiscard]] Result<std::vector<std::string>> select_tls13_suites(const std::string& list);

}  // namespace tlsguard::policy

#endif
