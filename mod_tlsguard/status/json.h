// SPDX-License-Identifier: Apache-2.0
// The status page as JSON; the schema is in docs/status.md. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_JSON_H
#define TLSGUARD_STATUS_JSON_H

#include <string>

#include "status/model.h"

namespace tlsguard::status {

// The census (docs/census.md) with more members beside its own. One object and a line feed.
[[nodiscard]] std::string to_json(const Model& model);

}  // namespace tlsguard::status

#endif
