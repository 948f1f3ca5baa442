// SPDX-License-Identifier: Apache-2.0
#include "status/metric_writer.h"

#include <fmt/format.h>

#include <iterator>

#include "status/markup.h"

namespace tlsguard::status {
namespace {

// OpenMetrics 1.0, 4.1: backslash, quote and line feed; the last is no character of clean().
std::string label_value(std::string_view text) {
  std::string value;
  for (char c : clean(text)) {
    if (c == '\\' || c == '"') value += '\\';
    value += c;
  }
  return value;
}

}  // namespace

void MetricWriter::family(std::string_view name, std::string_view help, std::string_view type) {
  auto out = std::back_inserter(text_);
  if (!type.empty()) fmt::format_to(out, "# TYPE {} {}\n", name, type);
  fmt::format_to(out, "# HELP {} {}\n", name, help);
}

void MetricWriter::gauge(std::string_view name, std::string_view help) {
  family(name, help, "gauge");
  sample_name_ = name;
}

void MetricWriter::histogram(std::string_view name, std::string_view help) {
  family(name, help, "histogram");
  sample_name_ = name;
}

void MetricWriter::counter(std::string_view name, std::string_view help) {
  sample_name_ = std::string(name) + "_total";
  switch (dialect_) {
    case Dialect::open_metrics:
      return family(name, help, "counter");
    case Dialect::text:
      return family(sample_name_, help, "counter");
    case Dialect::both:
      return family(sample_name_, help, "");
  }
}

void MetricWriter::sample(std::string_view suffix, Labels labels, const std::string& value) {
  text_ += sample_name_;
  text_ += suffix;
  char before = '{';
  for (const auto& [name, text] : labels) {
    fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", before, name, label_value(text));
    before = ',';
  }
  if (before == ',') text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

std::string MetricWriter::take() {
  // A comment in the older format.
  if (dialect_ != Dialect::text) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace tlsguard::status
