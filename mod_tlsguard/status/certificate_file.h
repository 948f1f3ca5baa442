// SPDX-License-Identifier: Apache-2.0
// A file of SSLCertificateFile whose certificate nobody renews here, as it was when httpd read its
// configuration. Plain values.
#ifndef TLSGUARD_STATUS_CERTIFICATE_FILE_H
#define TLSGUARD_STATUS_CERTIFICATE_FILE_H

#include <cstddef>
#include <string>
#include <vector>

#include "core/unix_time.h"

namespace tlsguard::status {

struct CertificateFile {
  static constexpr std::size_t most_hosts = 20;

  std::string file;
  std::vector<std::string> names;  // the certificate's
  std::string serial;
  std::string issuer;
  UnixSeconds not_before = 0;
  UnixSeconds not_after = 0;
  std::vector<std::string> hosts;  // ServerNames of those that serve it, the first ones
  bool watched = false;            // by the agent, for a TLSGuardEvent
  // Of the agent's report.
  bool readable = true;         // for the agent's user; else nobody knows of a newer one
  UnixSeconds newer_since = 0;  // a newer one is in the file, and awaits a reload; 0: none is
  UnixSeconds newer_until = 0;
};

}  // namespace tlsguard::status

#endif
