// SPDX-License-Identifier: Apache-2.0
// The syntax of metrics: families, labels, numbers. One thread at a time for each object.
#ifndef TLSGUARD_STATUS_METRIC_WRITER_H
#define TLSGUARD_STATUS_METRIC_WRITER_H

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "status/open_metrics.h"

namespace tlsguard::status {

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::initializer_list<Label>;

class MetricWriter {
 public:
  explicit MetricWriter(Dialect dialect) : dialect_(dialect) {}

  // Begins a family; its samples follow at once. name: without "_total".
  void gauge(std::string_view name, std::string_view help);
  void counter(std::string_view name, std::string_view help);
  void histogram(std::string_view name, std::string_view help);

  void sample(Labels labels, std::uint64_t value) { sample("", labels, std::to_string(value)); }
  void sample(Labels labels, std::int64_t value) { sample("", labels, std::to_string(value)); }
  // suffix: "_bucket", "_sum", "_count" of a histogram.
  void sample(std::string_view suffix, Labels labels, const std::string& value);

  // Everything, with the end that the dialect wants.
  [[nodiscard]] std::string take();

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);

  Dialect dialect_;
  std::string text_;
  std::string sample_name_;
};

}  // namespace tlsguard::status

#endif
