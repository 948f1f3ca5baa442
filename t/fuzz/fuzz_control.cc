// SPDX-License-Identifier: Apache-2.0
// Lines over the control socket, as the agent and as tlsguardctl read them.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "renew/control_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tlsguard::renew;
  std::string_view line(reinterpret_cast<const char*>(data), size);
  auto request = parse_control_request(line);
  if (request) {
    std::string written = to_line(*request);
    auto again = parse_control_request(std::string_view(written).substr(0, written.size() - 1));
    if (!again || !(*again == *request)) std::abort();
  } else {
    std::string reply = error_reply(request.error().text);
    // One line, whatever was said.
    if (reply.find('\n') != reply.size() - 1) std::abort();
    if (parse_control_reply(reply)) std::abort();
  }
  auto reply = parse_control_reply(line);
  if (reply && !parse_control_reply(ok_reply(*reply))) std::abort();
  return 0;
}
