// SPDX-License-Identifier: Apache-2.0
#include "ctl/asker.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <thread>
#include <utility>

namespace tlsguard::ctl {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kept_of_foreign = 32;
constexpr std::chrono::milliseconds before_second_try{200};

Reply::Kind kind_of(const hello::ServerAnswer& answer, Connection::Status last) {
  if (answer.hello) return Reply::Kind::hello;
  if (answer.alert) return Reply::Kind::alert;
  return last == Connection::Status::timed_out ? Reply::Kind::silent : Reply::Kind::closed;
}

Reply listen(Connection& connection, SteadyTime until) {
  using State = hello::AnswerParser::State;
  Reply reply;
  hello::AnswerParser parser;
  std::array<std::uint8_t, 16384> buffer{};
  State state = State::more;
  Connection::Status last = Connection::Status::done;
  while (state == State::more) {
    auto received = connection.receive(buffer, until);
    last = received.status;
    if (last != Connection::Status::done) break;
    std::size_t room = kept_of_foreign - std::min(reply.beginning.size(), kept_of_foreign);
    reply.beginning.append(buffer.begin(), buffer.begin() + std::min(room, received.size));
    state = parser.feed(hello::Bytes(buffer).first(received.size));
  }
  reply.answer = parser.answer();
  reply.kind = kind_of(reply.answer, last);
  // What follows a readable ServerHello may be beyond us (an RSA_EXPORT key exchange, say).
  if (state == State::malformed && reply.kind != Reply::Kind::hello) {
    reply.kind = Reply::Kind::foreign;
  }
  return reply;
}

}  // namespace

std::string Reply::refusal() const {
  switch (kind) {
    case Kind::hello:
      return "";
    case Kind::alert:
      return fmt::format("alert {} ({})", answer.alert->description,
                         SSL_alert_desc_string_long(answer.alert->description));
    case Kind::closed:
      return "connection closed";
    case Kind::silent:
      return "no answer";
    case Kind::foreign:
      return "an answer that is not TLS";
  }
  return "";
}

SteadyTime Asker::limit() const { return std::min(until_, steady_clock::now() + one_connection); }

Result<Connection> Asker::connect_once() {
  std::string why = "no address";
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    auto connection = Connection::open(addresses_[i], limit());
    if (connection) {
      if (!reached_) addresses_ = {addresses_[i]};
      reached_ = true;
      return connection;
    }
    why = fmt::format("{}: {}", addresses_[i].text(), connection.error().text);
  }
  return fail(why);
}

Result<Connection> Asker::connect() {
  if (connections_ >= max_connections) {
    return fail(fmt::format("not done after {} connections", connections_));
  }
  if (steady_clock::now() >= until_) {
    return fail(fmt::format("not done in time, after {} connections", connections_));
  }
  progress_.tell({}, ++connections_);
  auto connection = connect_once();
  if (connection || !reached_) return connection;
  // It worked before: a server that is busy or limits the rate, perhaps.
  std::this_thread::sleep_for(before_second_try);
  return connect_once();
}

Result<Reply> Asker::ask(const hello::Offer& offer) {
  auto connection = connect();
  if (!connection) return tl::unexpected(connection.error());
  SteadyTime until = limit();
  // RFC 8446 5.1: the first record of a client says TLS 1.0, for old servers' sake.
  auto record_version = std::min<std::uint16_t>(offer.legacy_version, 0x0301);
  auto status =
      connection->send(hello::in_records(hello::build_client_hello(offer), record_version), until);
  if (status == Connection::Status::timed_out) return Reply{};
  return listen(*connection, until);  // even if closed: an alert may be there to be read
}

}  // namespace tlsguard::ctl
