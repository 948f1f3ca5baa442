// SPDX-License-Identifier: Apache-2.0
// The certificates of SSLCertificateFile, each file read once for all virtual hosts that name it.
// Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_CERTIFICATE_FILES_H
#define TLSGUARD_HTTPD_CERTIFICATE_FILES_H

#include <string>
#include <unordered_map>

#include "core/error.h"
#include "core/unix_time.h"
#include "hello/server_settings.h"
#include "httpd/includes.h"

namespace tlsguard::httpd {

struct CertificateFile {
  std::string path;
  hello::CertificateKey key;
  UnixSeconds not_before = 0;  // 0: OpenSSL cannot read them
  UnixSeconds not_after = 0;
  bool has_ocsp = true;  // in doubt it names a responder
};

class CertificateFiles {
 public:
  explicit CertificateFiles(apr_pool_t* temporary) : temporary_(temporary) {}
  // name: as written. What is returned lives as long as this.
  [[nodiscard]] const Result<CertificateFile>& read(const std::string& name);

 private:
  apr_pool_t* temporary_;
  std::unordered_map<std::string, Result<CertificateFile>> files_;
};

}  // namespace tlsguard::httpd

#endif
