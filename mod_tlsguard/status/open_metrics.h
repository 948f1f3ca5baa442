// SPDX-License-Identifier: Apache-2.0
// The model as metrics (docs/status.md has the table): OpenMetrics 1.0, which Prometheus asks for,
// and the text format before it. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_OPEN_METRICS_H
#define TLSGUARD_STATUS_OPEN_METRICS_H

#include <string>
#include <string_view>

#include "status/model.h"

namespace tlsguard::status {

// In OpenMetrics the family of a counter is named without "_total", in the older text with it.
// Where nobody says what is understood, counters have no type: then it is good in both, and tools
// that know only the older one (promtool check metrics) read it, too.
enum class Dialect { open_metrics, both, text };
[[nodiscard]] Dialect dialect_of(std::string_view accept);
[[nodiscard]] std::string_view content_type(Dialect dialect);

// model.domains: all of them, with no need for reports.
[[nodiscard]] std::string to_metrics(const Model& model, Dialect dialect);

}  // namespace tlsguard::status

#endif
