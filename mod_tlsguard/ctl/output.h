// SPDX-License-Identifier: Apache-2.0
// What tlsguardctl prints: tables for people, JSON for programs. One thread.
#ifndef TLSGUARD_CTL_OUTPUT_H
#define TLSGUARD_CTL_OUTPUT_H

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tlsguard::ctl {

// Exit status of the program.
enum Exit : int { exit_fine = 0, exit_trouble = 1, exit_usage = 2 };

// Text from outside, made safe for a terminal: control characters, what changes the direction of
// text, and bytes that are not UTF-8 become \xNN.
[[nodiscard]] std::string printable(std::string_view text);

// Lines of at most that many characters, broken at spaces; line feeds stay.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t most = 80);

// Columns as wide as their widest cell, two spaces between them; no spaces at the end of a line.
// Cells are taken to be printable().
class Table {
 public:
  Table() = default;  // without a header
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // The last cell of the row wrapped, its further lines in rows of their own below it.
  void add_wrapped(std::vector<std::string> row, std::size_t most = 80);
  [[nodiscard]] std::string text(std::string_view indent = "") const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// To standard output; main() sees to it that it was written.
void print(std::string_view text);
// In ASCII, so that no terminal minds, and with a line feed.
void print_json(const nlohmann::json& json);
// "tlsguardctl: text" to standard error, on one line.
void complain(std::string_view text);
// From now on an error is {"error": text} on standard output, too.
void answer_in_json();
// The command ends with this error: complained of, and answered. exit_trouble; exit_usage.
[[nodiscard]] int trouble(const Error& error);
[[nodiscard]] int wrong_arguments(const Error& error);

}  // namespace tlsguard::ctl

#endif
