// SPDX-License-Identifier: Apache-2.0
// certbot's directory (/etc/letsencrypt): renewal/<name>.conf; live/<name>/{fullchain,privkey}.pem,
// links into archive/<name>/; accounts/<server>/<id>/{private_key.json, regr.json}. Blocking; one
// thread at a time.
#ifndef TLSGUARD_IMPORT_CERTBOT_H
#define TLSGUARD_IMPORT_CERTBOT_H

#include "core/error.h"
#include "core/unix_time.h"
#include "import/foreign_files.h"
#include "import/imported.h"

namespace tlsguard::import {

// What cannot be read is left out, with a note. An error where it is no directory of certbot.
[[nodiscard]] Result<Imported> import_certbot(const ForeignTree& directory, UnixSeconds now);

}  // namespace tlsguard::import

#endif
