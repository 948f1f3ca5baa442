// SPDX-License-Identifier: Apache-2.0
#include "agent/stderr_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace tlsguard::agent {
namespace {

constexpr std::size_t longest_text = 6000;  // httpd cuts its own lines at 8 KiB

std::string_view level_name(Severity severity) {
  constexpr std::array<std::string_view, 5> names{"error", "warn", "notice", "info", "debug"};
  return names.at(static_cast<std::size_t>(severity));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, longest_text)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string log_line(std::chrono::system_clock::time_point time, int pid, Severity severity,
                     std::string_view id, std::string_view text) {
  using namespace std::chrono;
  std::time_t seconds = system_clock::to_time_t(floor<std::chrono::seconds>(time));
  auto micros = duration_cast<microseconds>(time - floor<std::chrono::seconds>(time)).count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%a %b %d %H:%M:%S", &local);
  return fmt::format("[{}.{:06} {}] [tlsguard:{}] [pid {}] {}: {}\n", date.data(), micros,
                     local.tm_year + 1900, level_name(severity), pid, id, escaped(text));
}

void StderrLog::write(Severity severity, std::string_view id, std::string_view text) {
  if (severity > least_) return;
  std::string line =
      log_line(std::chrono::system_clock::now(), static_cast<int>(::getpid()), severity, id, text);
  // A log that cannot be written to is nothing that could be logged.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace tlsguard::agent
