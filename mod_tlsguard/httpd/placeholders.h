// SPDX-License-Identifier: Apache-2.0
// mod_ssl does not start without a certificate, and reads it from a file. Virtual hosts that have
// none yet get a certificate that signs itself, in memory: no disk that is full or of somebody else
// keeps httpd from starting. Each domain has a name of its own for it, as mod_ssl tells virtual
// hosts of different certificates apart by the names of their files.
// Configuration time (mod_ssl's post_config), one thread.
#ifndef TLSGUARD_HTTPD_PLACEHOLDERS_H
#define TLSGUARD_HTTPD_PLACEHOLDERS_H

#include <cstddef>
#include <memory>
#include <string>

#include "core/descriptor.h"
#include "core/error.h"
#include "crypto/self_signed.h"
#include "httpd/includes.h"

namespace tlsguard::httpd {

// A file in memory that mod_ssl reads right after it was given its name; rewritten for the next.
class PlaceholderFile {
 public:
  // position: of the domain. The path is good until the next call.
  [[nodiscard]] Result<std::string> put(const std::string& server_name, std::size_t position);

 private:
  Descriptor fd_;
  std::unique_ptr<crypto::Placeholders> placeholders_;
};

extern "C" int on_add_cert_files(server_rec* s, apr_pool_t* p, apr_array_header_t* cert_files,
                                 apr_array_header_t* key_files) noexcept;

}  // namespace tlsguard::httpd

#endif
