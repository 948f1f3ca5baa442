// SPDX-License-Identifier: Apache-2.0
// A DNS server on loopback for tests, over UDP and TCP: it serves records, and misbehaves as told.
// A thread of its own answers; all functions may be called meanwhile.
#ifndef TLSGUARD_T_UNIT_DNS_SERVER_H
#define TLSGUARD_T_UNIT_DNS_SERVER_H

#include "suites.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/dns.h"

namespace tlsguard::test {

using DnsBytes = std::vector<std::uint8_t>;

// The wire form of a name.
DnsBytes dns_name(const std::string& name);

class DnsServer {
 public:
  enum class Trick {
    none,
    truncate,         // over UDP only the header with TC
    truncate_always,  // over TCP, too
    drop,             // no answer
    servfail,         // and so on: the code
    refused,
    formerr_with_edns,  // FORMERR to whoever sends OPT
    nonsense,           // random bytes after the right id
    foreign_first,      // an answer with another id, and one to another question, come first
    only_foreign,       // nothing but those
    referral,           // "ask elsewhere": NS records in the authority section
    no_soa,             // negative answers without it
    cut_tcp,            // over UDP TC, over TCP half of the answer
  };

  // port 0: any that is free.
  explicit DnsServer(std::string address = "127.0.0.1", std::uint16_t port = 0);
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;
  ~DnsServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] net::DnsServer as_server() const { return {address_, port_}; }
  // Asks this server only, as resolver and as the server of every zone. Impatient.
  [[nodiscard]] net::DnsSettings settings() const;

  void add(const std::string& name, net::DnsType type, DnsBytes data);
  void a(const std::string& name, const std::string& address);
  void aaaa(const std::string& name, const std::string& address);
  void cname(const std::string& name, const std::string& target);
  void txt(const std::string& name, const std::vector<std::string>& strings);
  void caa(const std::string& name, const std::string& tag, const std::string& value,
           std::uint8_t flags = 0);
  // SOA and NS. servers: names.
  void zone(const std::string& apex, const std::vector<std::string>& servers);
  void remove(const std::string& name, net::DnsType type);

  // For queries for this name; "" for all that have none of their own.
  void play(const std::string& name, Trick trick);
  void delay(std::chrono::milliseconds time) { delay_ = time; }

  [[nodiscard]] int asked(const std::string& name, net::DnsType type) const;
  [[nodiscard]] int asked_over_tcp() const { return over_tcp_; }

 private:
  struct Query {
    DnsBytes bytes;
    std::string name;  // lower case
    std::uint16_t type = 0;
    std::size_t question_end = 0;
    bool edns = false;
    bool tcp = false;
    bool cut = false;  // what is sent in answer
  };
  void serve();
  void serve_udp();
  void serve_tcp();
  [[nodiscard]] std::vector<DnsBytes> answer(Query& query);
  [[nodiscard]] DnsBytes respond(const Query& query, Trick trick) const;
  [[nodiscard]] Trick trick_for(const std::string& name) const;

  std::string address_;
  std::uint16_t port_ = 0;
  int udp_ = -1;
  int tcp_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<int> over_tcp_{0};
  std::atomic<std::chrono::milliseconds> delay_{std::chrono::milliseconds(0)};
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::uint16_t>, std::vector<DnsBytes>> records_;
  std::map<std::string, Trick> tricks_;
  std::map<std::pair<std::string, std::uint16_t>, int> counts_;
  std::thread thread_;
};

}  // namespace tlsguard::test

#endif
