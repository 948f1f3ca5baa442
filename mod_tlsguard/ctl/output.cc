// SPDX-License-Identifier: Apache-2.0
#include "ctl/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace tlsguard::ctl {
namespace {

bool in_json = false;

// One code point of UTF-8 at the front of text; size 0: it begins with something else (RFC 3629).
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0;
};

CodePoint decode(std::string_view text) {
  auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {};
  std::uint32_t value = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3fU);
  }
  bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) return {};
  return {value, size};
}

bool is_harmless(std::uint32_t value) {
  if (value < 0x20 || (value >= 0x7f && value < 0xa0)) return false;  // C0, DEL, C1
  bool invisible = (value >= 0x200b && value <= 0x200f) || (value >= 0x2028 && value <= 0x202e) ||
                   (value >= 0x2060 && value <= 0x206f) || value == 0x061c || value == 0xfeff ||
                   value >= 0xe0000;
  return !invisible;
}

// In characters of a terminal, near enough: combining and wide ones are rare in what we print.
std::size_t width(std::string_view text) {
  auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; };
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues));
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    CodePoint point = decode(text);
    std::size_t size = std::max<std::size_t>(point.size, 1);
    if (point.size > 0 && is_harmless(point.value)) {
      safe += text.substr(0, size);
    } else {
      for (char c : text.substr(0, size)) {
        safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    text.remove_prefix(size);
  }
  return safe;
}

std::string wrapped(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t column = 0;
  while (!text.empty()) {
    std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    std::string_view word = text.substr(0, end);
    if (column > 0) {
      bool fits = column + 1 + width(word) <= most;
      out += fits ? " " : "\n";
      column = fits ? column + 1 : 0;
    }
    out += word;
    column += width(word);
    if (end < text.size() && text[end] == '\n') {
      out += "\n";
      column = 0;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void Table::add_wrapped(std::vector<std::string> row, std::size_t most) {
  for (const std::string& line : split(wrapped(row.back(), most), "\n")) {
    row.back() = line;
    rows_.push_back(row);
    for (std::string& cell : row) cell.clear();
  }
}

std::string Table::text(std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    if (row.size() > widths.size()) widths.resize(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line(indent);
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

void print(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const nlohmann::json& json) {
  print(json.dump(2, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace) + "\n");
}

void complain(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  line = "tlsguardctl: " + printable(line) + "\n";
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

void answer_in_json() { in_json = true; }

int trouble(const Error& error) {
  complain(error.text);
  if (in_json) print_json({{"error", error.text}});
  return exit_trouble;
}

int wrong_arguments(const Error& error) {
  (void)trouble(error);
  return exit_usage;
}

}  // namespace tlsguard::ctl
