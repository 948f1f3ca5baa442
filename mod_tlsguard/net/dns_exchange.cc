// SPDX-License-Identifier: Apache-2.0
#include "net/dns_exchange.h"

#include <arpa/nameser.h>
#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <utility>
#include <vector>

#include "net/socket.h"

namespace tlsguard::net {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Unguessable; with a source port of the kernel's choice this is what keeps forgers out
// (RFC 5452).
Result<std::uint16_t> random_id() {
  std::uint16_t id = 0;
  if (getrandom(&id, sizeof id, 0) != sizeof id) return fail("no random number can be had");
  return id;
}

std::string code_text(int code) {
  switch (code) {
    case ns_r_noerror:
    case ns_r_nxdomain:
      return "an answer that makes no sense";
    case ns_r_formerr:
      return "the error FORMERR";
    case ns_r_servfail:
      return "the error SERVFAIL";
    case ns_r_notimpl:
      return "the error NOTIMP";
    case ns_r_refused:
      return "the error REFUSED";
    default:
      return fmt::format("the error code {}", code);
  }
}

Result<DnsReading> over_udp(const DnsServer& server, const Bytes& query, const Patience& patience) {
  auto socket = Socket::connect(Socket::Kind::datagram, server.address, server.port, patience);
  if (!socket) return tl::unexpected(socket.error());
  if (auto sent = socket->send(query, patience); !sent) return tl::unexpected(sent.error());
  constexpr int most_strangers = 64;      // whoever sends more of them gets his way: no answer
  std::array<std::uint8_t, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (int strangers = 0; strangers < most_strangers; ++strangers) {
    auto size = socket->receive(buffer, patience);
    if (!size) return tl::unexpected(size.error());
    DnsReading reading = read_dns_reply(query, std::span(buffer).first(*size));
    if (reading.reply != DnsReply::foreign) return reading;
  }
  return fail("only answers to other questions");
}

Result<void> receive_all(const Socket& socket, std::span<std::uint8_t> buffer,
                         const Patience& patience) {
  while (!buffer.empty()) {
    auto got = socket.receive(buffer, patience);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return fail("the connection was closed before the whole answer");
    buffer = buffer.subspan(*got);
  }
  return {};
}

// RFC 1035 4.2.2: each message after its length.
Result<DnsReading> over_tcp(const DnsServer& server, const Bytes& query, const Patience& patience) {
  auto socket = Socket::connect(Socket::Kind::stream, server.address, server.port, patience);
  if (!socket) return tl::unexpected(socket.error());
  Bytes framed{static_cast<std::uint8_t>(query.size() >> 8U),
               static_cast<std::uint8_t>(query.size() & 0xFFU)};
  framed.insert(framed.end(), query.begin(), query.end());
  if (auto sent = socket->send(framed, patience); !sent) return tl::unexpected(sent.error());
  std::array<std::uint8_t, 2> length{};
  if (auto got = receive_all(*socket, length, patience); !got) return tl::unexpected(got.error());
  Bytes reply(static_cast<std::size_t>(length[0]) << 8U | length[1]);
  if (auto got = receive_all(*socket, reply, patience); !got) return tl::unexpected(got.error());
  DnsReading reading = read_dns_reply(query, reply);
  if (reading.reply == DnsReply::foreign) return fail("an answer to another question");
  if (reading.reply == DnsReply::truncated) return fail("an answer that is cut off even over TCP");
  return reading;
}

Result<DnsReading> once(const DnsServer& server, const DnsQuestion& question, bool edns,
                        const DnsSettings& settings, const Patience& patience) {
  auto id = random_id();
  if (!id) return tl::unexpected(id.error());
  auto query = dns_query(question.name, question.type, *id, question.recurse, edns);
  if (!query) return tl::unexpected(query.error());
  auto reading = over_udp(server, *query, patience.at_most(settings.timeout));
  if (!reading || reading->reply != DnsReply::truncated) return reading;
  return over_tcp(server, *query, patience.at_most(settings.timeout));
}

bool knows_no_edns(const DnsReading& reading) {
  return reading.reply == DnsReply::refused &&
         (reading.code == ns_r_formerr || reading.code == ns_r_notimpl);
}

}  // namespace

Result<DnsAnswer> exchange(const DnsServer& server, const DnsQuestion& question,
                           const DnsSettings& settings, const Patience& patience) {
  Result<DnsReading> reading = fail("no time was left to ask");
  for (int attempt = 0; attempt < settings.attempts && !patience.over(); ++attempt) {
    reading = once(server, question, true, settings, patience);
    if (reading && knows_no_edns(*reading)) {
      reading = once(server, question, false, settings, patience);
    }
    if (reading || reading.error().next == Next::never) break;
  }
  if (!reading) return tl::unexpected(reading.error());
  if (reading->reply == DnsReply::refused) return fail(code_text(reading->code));
  return std::move(reading->answer);
}

}  // namespace tlsguard::net
