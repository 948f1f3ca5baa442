// SPDX-License-Identifier: Apache-2.0
// A few lines for mod_status: as HTML, and as "name: value" for its ?auto. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_SECTION_H
#define TLSGUARD_STATUS_SECTION_H

#include <string>

#include "status/model.h"

namespace tlsguard::status {

// model: without domains; what counts is in its tally.
[[nodiscard]] std::string section_html(const Model& model);
[[nodiscard]] std::string section_text(const Model& model);

}  // namespace tlsguard::status

#endif
