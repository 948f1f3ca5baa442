// SPDX-License-Identifier: Apache-2.0
// The bridge to httpd's error log. Every line has an id (TG0001 …, docs/log-ids.md) and names its
// subject. Text is formatted with fmt first: APR's formatter crashes on %zu and %ll….
// Any thread, any process.
#ifndef TLSGUARD_HTTPD_LOG_H
#define TLSGUARD_HTTPD_LOG_H

#include <fmt/format.h>

#include <string>
#include <utility>

#include "httpd/includes.h"

namespace tlsguard::httpd {

// id: "TG0001". level: APLOG_ERR … ; below the server's LogLevel nothing is formatted.
template <typename... Args>
void log_server(const server_rec* s, int level, const char* id, fmt::format_string<Args...> format,
                Args&&... args) {
  if (s != nullptr && !APLOG_IS_LEVEL(s, level)) return;
  std::string text = fmt::format(format, std::forward<Args>(args)...);
  ap_log_error(__FILE__, __LINE__, APLOG_MODULE_INDEX, level, 0, s, "%s: %s", id, text.c_str());
}

// The same for a connection: httpd adds the client's address.
template <typename... Args>
void log_connection(const conn_rec* c, int level, const char* id,
                    fmt::format_string<Args...> format, Args&&... args) {
  if (!APLOG_C_IS_LEVEL(c, level)) return;
  std::string text = fmt::format(format, std::forward<Args>(args)...);
  ap_log_cerror(__FILE__, __LINE__, APLOG_MODULE_INDEX, level, 0, c, "%s: %s", id, text.c_str());
}

template <typename... Args>
void log_request(const request_rec* r, int level, const char* id,
                 fmt::format_string<Args...> format, Args&&... args) {
  if (!APLOG_R_IS_LEVEL(r, level)) return;
  std::string text = fmt::format(format, std::forward<Args>(args)...);
  ap_log_rerror(__FILE__, __LINE__, APLOG_MODULE_INDEX, level, 0, r, "%s: %s", id, text.c_str());
}

}  // namespace tlsguard::httpd

#endif
