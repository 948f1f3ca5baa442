// SPDX-License-Identifier: Apache-2.0
// What a webhook of TLSGuardEvent gets: the body, and its signature. Pure, but for the file of the
// key; thread-safe.
#ifndef TLSGUARD_RENEW_WEBHOOK_H
#define TLSGUARD_RENEW_WEBHOOK_H

#include <string>
#include <string_view>

#include "core/error.h"
#include "core/unix_time.h"
#include "net/http_client.h"
#include "renew/spec.h"

namespace tlsguard::renew {

// 128 random bits, in hexadecimal.
[[nodiscard]] std::string new_event_id();

struct Occurrence {
  std::string id;
  std::string_view event;  // event_name()
  const DomainSpec& domain;
  const std::string& text;
  UnixSeconds at = 0;
  const std::string& server;
};
[[nodiscard]] std::string webhook_body(const Occurrence& occurrence);

// To the URL of the line, signed where it names a key file. An error where that cannot be read.
[[nodiscard]] Result<net::HttpRequest> webhook_request(const EventSpec& line,
                                                       const std::string& body);

}  // namespace tlsguard::renew

#endif
