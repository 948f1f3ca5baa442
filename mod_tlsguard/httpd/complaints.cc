// SPDX-License-Identifier: Apache-2.0
#include "httpd/complaints.h"

#include "httpd/log.h"

namespace tlsguard::httpd {

bool Complaints::first_time(const Place& place, const std::string& text) {
  return said_.insert(place.text() + text).second;
}

void Complaints::error(const Place& place, const std::string& text) {
  any_error_ = true;
  if (!first_time(place, text)) return;
  log_server(nullptr, APLOG_ERR | APLOG_STARTUP, "TG0002", "Error on line {} of {}: {}", place.line,
             place.file, text);
}

void Complaints::warning(const Place& place, const std::string& text) {
  if (quiet_ || !first_time(place, text)) return;
  log_server(nullptr, APLOG_WARNING | APLOG_STARTUP, "TG0003", "Line {} of {}: {}", place.line,
             place.file, text);
}

}  // namespace tlsguard::httpd
