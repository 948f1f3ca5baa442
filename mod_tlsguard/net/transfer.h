// SPDX-License-Identifier: Apache-2.0
// What libcurl hands over of a response, taken within bounds. One thread at a time; belongs to one
// request.
#ifndef TLSGUARD_NET_TRANSFER_H
#define TLSGUARD_NET_TRANSFER_H

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/http_client.h"

namespace tlsguard::net {

class Transfer {
 public:
  enum class Bound : std::uint8_t { none, body, header };

  Transfer(std::size_t max_body, std::size_t max_header, std::size_t max_fields)
      : max_body_(max_body), max_header_(max_header), max_fields_(max_fields) {}

  // One line of a header, with its end; false: beyond a bound, so that the transfer is to end. A
  // status line begins anew: only the last response's fields count.
  [[nodiscard]] bool take_header(std::string_view line);
  [[nodiscard]] bool take_body(std::string_view part);

  [[nodiscard]] Bound exceeded() const { return exceeded_; }
  [[nodiscard]] HttpResponse& response() { return response_; }

 private:
  std::size_t max_body_;
  std::size_t max_header_;
  std::size_t max_fields_;
  std::size_t header_bytes_ = 0;
  std::size_t fields_ = 0;
  Bound exceeded_ = Bound::none;
  HttpResponse response_;
};

}  // namespace tlsguard::net

#endif
