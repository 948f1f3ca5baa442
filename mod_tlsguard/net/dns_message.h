// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035 4): a query written, an answer read. Answers come from anybody: bounded,
// and whatever does not fit the query is an error. Names are lower case, without the last dot, with
// unusual bytes as "\DDD". Pure; thread-safe.
#ifndef TLSGUARD_NET_DNS_MESSAGE_H
#define TLSGUARD_NET_DNS_MESSAGE_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"

namespace tlsguard::net {

enum class DnsType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  txt = 16,
  aaaa = 28,
  caa = 257,  // RFC 8659
};
[[nodiscard]] const char* dns_type_name(DnsType type);

struct DnsRecord {
  std::string owner;
  DnsType type = DnsType::a;
  // A, AAAA: as inet_ntop writes it; NS, CNAME: a name; SOA: the primary server's name;
  // TXT: its strings joined (RFC 7208 3.3), any bytes; CAA: the property's value, any bytes.
  std::string value;
  std::string tag;        // CAA: in lower case
  bool critical = false;  // CAA
  bool operator==(const DnsRecord&) const = default;
};

struct DnsAnswer {
  enum class Outcome : std::uint8_t {
    found,      // records of the type
    no_data,    // the name is there, but has none of this type
    no_name,    // there is no such name (NXDOMAIN)
    elsewhere,  // this server's CNAMEs lead to a name it says nothing of
  };
  Outcome outcome = Outcome::no_data;
  std::string canonical;           // where the CNAMEs of this answer lead from the name asked
  std::vector<DnsRecord> records;  // of the type asked, at `canonical`; at most 256
};

// A query for one name and type, class IN, with EDNS (RFC 6891). An error where it is no DNS name.
[[nodiscard]] Result<std::vector<std::uint8_t>> dns_query(const std::string& name, DnsType type,
                                                          std::uint16_t id, bool recurse,
                                                          bool edns);

enum class DnsReply : std::uint8_t {
  foreign,    // no answer to this query: go on listening
  truncated,  // ask again over TCP
  refused,    // an error code (FORMERR, SERVFAIL, REFUSED …) or an answer that contradicts itself
  answered,
};
struct DnsReading {
  DnsReply reply = DnsReply::foreign;
  int code = 0;      // RCODE
  DnsAnswer answer;  // of `answered`
};
// query: what dns_query made.
[[nodiscard]] DnsReading read_dns_reply(std::span<const std::uint8_t> query,
                                        std::span<const std::uint8_t> reply);

}  // namespace tlsguard::net

#endif
