// SPDX-License-Identifier: Apache-2.0
// Any certificate and key in PEM files (SSLCertificateFile, SSLCertificateKeyFile). Blocking; one
// thread at a time.
#ifndef TLSGUARD_IMPORT_PEM_PAIR_H
#define TLSGUARD_IMPORT_PEM_PAIR_H

#include <string>

#include "core/error.h"
#include "core/unix_time.h"
#include "import/imported.h"

namespace tlsguard::import {

// certificate: the file with the chain, leaf first. key: the file with the key.
[[nodiscard]] Result<ImportedDomain> import_pem_pair(const std::string& certificate,
                                                     const std::string& key, UnixSeconds now);

}  // namespace tlsguard::import

#endif
