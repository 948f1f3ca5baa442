// SPDX-License-Identifier: Apache-2.0
#include "net/transfer.h"

#include "core/text.h"

namespace tlsguard::net {

bool Transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  ++fields_;
  if (header_bytes_ > max_header_ || fields_ > max_fields_) {
    exceeded_ = Bound::header;
    return false;
  }
  std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    response_.fields.clear();
    response_.body.clear();
  } else if (colon != std::string_view::npos && response_.body.empty()) {
    // What comes after the body is a trailer, which nothing here asked for (RFC 9110 6.5).
    response_.fields.emplace_back(to_lower(trim(line.substr(0, colon))),
                                  trim(line.substr(colon + 1)));
  }
  return true;
}

bool Transfer::take_body(std::string_view part) {
  if (part.size() > max_body_ - response_.body.size()) {
    exceeded_ = Bound::body;
    return false;
  }
  response_.body += part;
  return true;
}

}  // namespace tlsguard::net
