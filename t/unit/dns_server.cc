// SPDX-License-Identifier: Apache-2.0
#include "dns_server.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/text.h"
#include "loopback.h"

namespace tlsguard::test {
namespace {

using net::DnsType;

void put16(DnsBytes& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value));
}

unsigned get16(const DnsBytes& from, std::size_t at) {
  return static_cast<unsigned>(from.at(at)) << 8U | from.at(at + 1);
}

void append(DnsBytes& out, const DnsBytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}

void put_record(DnsBytes& out, const std::string& owner, unsigned type, const DnsBytes& data) {
  append(out, dns_name(owner));
  put16(out, type);
  put16(out, 1);
  put16(out, 0);
  put16(out, 60);
  put16(out, static_cast<unsigned>(data.size()));
  append(out, data);
}

DnsBytes soa_data() {
  DnsBytes data = dns_name("ns.test");
  append(data, dns_name("admin.test"));
  for (int i = 0; i < 5; ++i) {
    put16(data, 0);
    put16(data, 1);
  }
  return data;
}

}  // namespace

DnsBytes dns_name(const std::string& name) {
  DnsBytes wire;
  for (const std::string& label : split(name, ".")) {
    wire.push_back(static_cast<std::uint8_t>(label.size()));
    wire.insert(wire.end(), label.begin(), label.end());
  }
  wire.push_back(0);
  return wire;
}

DnsServer::DnsServer(std::string address, std::uint16_t port) : address_(std::move(address)) {
  for (int tries = 0; tries < 50 && tcp_ < 0; ++tries) {
    udp_ = listen_on(SOCK_DGRAM, address_, port);
    ck_assert_int_ge(udp_, 0);
    port_ = port_of(udp_);
    tcp_ = listen_on(SOCK_STREAM, address_, port_);
    if (tcp_ < 0) close(udp_);
  }
  ck_assert_int_ge(tcp_, 0);
  thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
  stop_ = true;
  thread_.join();
  close(udp_);
  close(tcp_);
}

net::DnsSettings DnsServer::settings() const {
  net::DnsSettings settings;
  settings.resolvers = {as_server()};
  settings.zone_port = port_;
  settings.timeout = std::chrono::milliseconds(400);
  return settings;
}

void DnsServer::add(const std::string& name, DnsType type, DnsBytes data) {
  std::lock_guard lock(mutex_);
  records_[{name, static_cast<std::uint16_t>(type)}].push_back(std::move(data));
}

void DnsServer::a(const std::string& name, const std::string& address) {
  DnsBytes data(4);
  ck_assert_int_eq(inet_pton(AF_INET, address.c_str(), data.data()), 1);
  add(name, DnsType::a, data);
}

void DnsServer::aaaa(const std::string& name, const std::string& address) {
  DnsBytes data(16);
  ck_assert_int_eq(inet_pton(AF_INET6, address.c_str(), data.data()), 1);
  add(name, DnsType::aaaa, data);
}

void DnsServer::cname(const std::string& name, const std::string& target) {
  add(name, DnsType::cname, dns_name(target));
}

void DnsServer::txt(const std::string& name, const std::vector<std::string>& strings) {
  DnsBytes data;
  for (const std::string& text : strings) {
    ck_assert_uint_le(text.size(), 255);
    data.push_back(static_cast<std::uint8_t>(text.size()));
    data.insert(data.end(), text.begin(), text.end());
  }
  add(name, DnsType::txt, data);
}

void DnsServer::caa(const std::string& name, const std::string& tag, const std::string& value,
                    std::uint8_t flags) {
  DnsBytes data{flags, static_cast<std::uint8_t>(tag.size())};
  data.insert(data.end(), tag.begin(), tag.end());
  data.insert(data.end(), value.begin(), value.end());
  add(name, DnsType::caa, data);
}

void DnsServer::zone(const std::string& apex, const std::vector<std::string>& servers) {
  add(apex, DnsType::soa, soa_data());
  for (const std::string& server : servers) add(apex, DnsType::ns, dns_name(server));
}

void DnsServer::remove(const std::string& name, DnsType type) {
  std::lock_guard lock(mutex_);
  records_.erase({name, static_cast<std::uint16_t>(type)});
}

void DnsServer::play(const std::string& name, Trick trick) {
  std::lock_guard lock(mutex_);
  tricks_[name] = trick;
}

int DnsServer::asked(const std::string& name, DnsType type) const {
  std::lock_guard lock(mutex_);
  auto found = counts_.find({name, static_cast<std::uint16_t>(type)});
  return found == counts_.end() ? 0 : found->second;
}

DnsServer::Trick DnsServer::trick_for(const std::string& name) const {
  for (const std::string& key : {name, std::string()}) {
    if (auto found = tricks_.find(key); found != tricks_.end()) return found->second;
  }
  return Trick::none;
}

void DnsServer::serve() {
  while (!stop_) {
    std::array<pollfd, 2> waiting{{{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), 20) <= 0) continue;
    if (waiting[0].revents != 0) serve_udp();
    if (waiting[1].revents != 0) serve_tcp();
  }
}

void DnsServer::serve_udp() {
  Query query;
  query.bytes.resize(2048);
  sockaddr_in from{};
  socklen_t length = sizeof from;
  void* raw = &from;
  auto* sender = static_cast<sockaddr*>(raw);
  ssize_t size = recvfrom(udp_, query.bytes.data(), query.bytes.size(), 0, sender, &length);
  if (size < 12) return;
  query.bytes.resize(static_cast<std::size_t>(size));
  for (const DnsBytes& reply : answer(query)) {
    (void)sendto(udp_, reply.data(), reply.size(), 0, sender, length);
  }
}

void DnsServer::serve_tcp() {
  int client = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  ++over_tcp_;
  std::array<std::uint8_t, 2> size{};
  Query query;
  query.tcp = true;
  if (recv(client, size.data(), 2, MSG_WAITALL) == 2) {
    query.bytes.resize(static_cast<std::size_t>(size[0]) << 8U | size[1]);
    ssize_t got = recv(client, query.bytes.data(), query.bytes.size(), MSG_WAITALL);
    if (got >= 12) {
      for (const DnsBytes& reply : answer(query)) {
        DnsBytes framed;
        put16(framed, static_cast<unsigned>(reply.size()));
        append(framed, reply);
        if (query.cut) framed.resize(framed.size() / 2);
        (void)send(client, framed.data(), framed.size(), MSG_NOSIGNAL);
      }
    }
  }
  close(client);
}

std::vector<DnsBytes> DnsServer::answer(Query& query) {
  std::size_t at = 12;
  while (query.bytes.at(at) != 0) {
    if (!query.name.empty()) query.name += '.';
    for (unsigned i = 0; i < query.bytes[at]; ++i) {
      query.name += to_lower(static_cast<char>(query.bytes.at(at + 1 + i)));
    }
    at += query.bytes[at] + 1UL;
  }
  query.type = static_cast<std::uint16_t>(get16(query.bytes, at + 1));
  query.question_end = at + 5;
  query.edns = get16(query.bytes, 10) != 0;
  std::this_thread::sleep_for(delay_.load());
  std::lock_guard lock(mutex_);
  ++counts_[{query.name, query.type}];
  Trick trick = trick_for(query.name);
  query.cut = trick == Trick::cut_tcp;
  if (trick == Trick::drop) return {};
  if (trick == Trick::foreign_first || trick == Trick::only_foreign) {
    DnsBytes other_id = respond(query, Trick::none);
    other_id[0] ^= 1U;
    DnsBytes other_question = respond(query, Trick::none);
    other_question[13] ^= 3U;
    DnsBytes no_reply = respond(query, Trick::none);
    no_reply[2] &= 0x7FU;
    std::vector<DnsBytes> replies{other_id, other_question, no_reply, {1, 2, 3}};
    if (trick == Trick::foreign_first) replies.push_back(respond(query, Trick::none));
    return replies;
  }
  return {respond(query, trick)};
}

DnsBytes DnsServer::respond(const Query& query, Trick trick) const {
  DnsBytes question(query.bytes.begin() + 12,
                    query.bytes.begin() + static_cast<std::ptrdiff_t>(query.question_end));
  DnsBytes answers;
  unsigned count = 0;
  std::string name = query.name;
  auto cname = static_cast<std::uint16_t>(DnsType::cname);
  for (int hops = 0; hops < 20 && query.type != cname; ++hops) {
    auto alias = records_.find({name, cname});
    if (alias == records_.end()) break;
    put_record(answers, name, cname, alias->second.front());
    ++count;
    std::string target;
    const DnsBytes& wire = alias->second.front();
    for (std::size_t at = 0; wire[at] != 0; at += wire[at] + 1UL) {
      if (at > 0) target += '.';
      target.append(wire.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                    wire.begin() + static_cast<std::ptrdiff_t>(at) + 1 + wire[at]);
    }
    name = target;
  }
  bool exists = false;
  for (const auto& [key, unused] : records_) {
    exists = exists || key.first == name || key.first.ends_with("." + name);
  }
  auto found = records_.find({name, query.type});
  if (found != records_.end()) {
    for (const DnsBytes& data : found->second) {
      put_record(answers, name, query.type, data);
      ++count;
    }
  }
  unsigned code = exists ? 0 : 3;
  if (trick == Trick::servfail) code = 2;
  if (trick == Trick::refused) code = 5;
  if (trick == Trick::formerr_with_edns && query.edns) code = 1;
  bool empty = code == 1 || code == 2 || code == 5 || trick == Trick::referral;
  bool cut = trick == Trick::truncate_always ||
             (!query.tcp && (trick == Trick::truncate || trick == Trick::cut_tcp));
  if (empty || cut) {
    answers.clear();
    count = 0;
  }
  DnsBytes reply{query.bytes[0], query.bytes[1]};
  bool authoritative = trick != Trick::referral;
  put16(reply, 0x8000U | (authoritative ? 0x0400U : 0U) | (cut ? 0x0200U : 0U) | code);
  put16(reply, 1);
  put16(reply, count);
  bool soa = found == records_.end() && authoritative && trick != Trick::no_soa && !cut;
  put16(reply, soa || !authoritative ? 1 : 0);
  put16(reply, 0);
  append(reply, question);
  if (trick == Trick::nonsense) {
    for (unsigned i = 0; i < 40; ++i) reply.push_back(static_cast<std::uint8_t>(i * 37 + 0xC0));
    reply[7] = 3;
    return reply;
  }
  append(reply, answers);
  if (!authoritative) put_record(reply, "test", 2, dns_name("ns.other.test"));
  if (soa) put_record(reply, "test", 6, soa_data());
  return reply;
}

}  // namespace tlsguard::test
