// SPDX-License-Identifier: Apache-2.0
// The certificates of SSLCertificateFile, each file read once for all virtual hosts that name it.
// Configuration time, one thread.
#ifndef TLSGUARD_HTTPD_CERTIFICATE_FILES_H
#define TLSGUARD_HTTPD_CERTIFICATE_FILES_H

#include <optional>
#include <string>
#include <unordered_map>

#include "core/error.h"
#include "crypto/certificate.h"
#include "hello/server_settings.h"
#include "httpd/includes.h"
#include "httpd/server_conf.h"

namespace tlsguard::httpd {

struct CertificateFile {
  std::string path;
  hello::CertificateKey key;
  std::optional<crypto::CertificateFacts> facts;  // nullopt: OpenSSL cannot read them
};

class CertificateFiles {
 public:
  explicit CertificateFiles(apr_pool_t* temporary) : temporary_(temporary) {}
  // name: as written. What is returned lives as long as this.
  [[nodiscard]] const Result<CertificateFile>& read(const std::string& name);
  // use(file, place) for those of a virtual host that have facts.
  template <typename Use>
  void each(const ServerConf& conf, const Use& use) {
    for (const auto& written : conf.ssl_certificate_files) {
      const auto& file = read(written.value);
      if (file && file->facts) use(*file, written.place);
    }
  }

 private:
  apr_pool_t* temporary_;
  std::unordered_map<std::string, Result<CertificateFile>> files_;
};

}  // namespace tlsguard::httpd

#endif
