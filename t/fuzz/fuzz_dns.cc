// SPDX-License-Identifier: Apache-2.0
// What DNS servers answer, and what is in the records that anybody may publish.
#include <arpa/nameser.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/dns.h"
#include "net/dns_message.h"
#include "renew/caa.h"
#include "renew/issue_value.h"
#include "renew/persist.h"

namespace {

using tlsguard::net::DnsAnswer;
using tlsguard::net::DnsReading;
using tlsguard::net::DnsReply;
using tlsguard::net::DnsType;
using Bytes = std::vector<std::uint8_t>;

constexpr DnsType types[] = {DnsType::a,   DnsType::ns,   DnsType::cname, DnsType::soa,
                             DnsType::txt, DnsType::aaaa, DnsType::caa};

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// What the header promises of a reading.
void check(const DnsReading& reading, DnsType type) {
  if (reading.reply != DnsReply::answered) return;
  const DnsAnswer& answer = reading.answer;
  require(answer.records.size() <= 256, "too many records");
  require((answer.outcome == DnsAnswer::Outcome::found) == !answer.records.empty(), "found what?");
  for (const auto& record : answer.records) {
    require(record.type == type && record.owner == answer.canonical, "a foreign record");
  }
  // A name that came out of a message can be asked for, unless it is the root.
  bool root = answer.canonical == "." || answer.canonical.empty();
  require(root || tlsguard::net::dns_query(answer.canonical, type, 1, true, true).has_value(),
          "a name that cannot be asked for");
}

void judge(std::string_view text) {
  auto value = tlsguard::renew::parse_issue_value(text);
  if (value) require(value->parameters.size() <= 64, "too many parameters");
  tlsguard::renew::PersistClaim claim{"*.example.org", {"ca.example"}, "https://ca.example/1"};
  (void)tlsguard::renew::match_persist(claim, {std::string(text), persist_value(claim)}, 5);
  require(tlsguard::renew::match_persist(claim, {std::string(text), persist_value(claim)}, 5).found,
          "our own record is not found beside it");
  for (bool critical : {false, true}) {
    tlsguard::net::DnsRecord record;
    record.type = DnsType::caa;
    record.value = text;
    record.critical = critical;
    for (const char* tag : {"issue", "issuewild", "x"}) {
      record.tag = tag;
      auto verdict = tlsguard::renew::judge_caa({record, record}, critical,
                                                {{"ca.example"}, "https://ca.example/1"});
      require(verdict.forbidden == !verdict.reason.empty(), "forbidden without a reason");
    }
  }
}

}  // namespace

// Input: a byte that chooses type and EDNS, then the answer from its flags on: id and question are
// put before it where they belong, so that the fuzzer need not guess them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  DnsType type = types[data[0] % std::size(types)];
  auto query = tlsguard::net::dns_query("_acme-challenge.example.org", type, 0x1234, true,
                                        (data[0] & 0x80U) != 0);
  require(query.has_value(), "no query");
  std::span<const std::uint8_t> rest(data + 1, size - 1);
  check(tlsguard::net::read_dns_reply(*query, rest), type);

  std::size_t question = query->size() - ((data[0] & 0x80U) != 0 ? 11 : 0) - 12;
  Bytes reply(query->begin(), query->begin() + 12);
  std::copy_n(rest.begin(), std::min<std::size_t>(rest.size(), 10), reply.begin() + 2);
  reply[2] |= 0x80U;
  reply[4] = 0;
  reply[5] = 1;
  reply.insert(reply.end(), query->begin() + 12,
               query->begin() + 12 + static_cast<std::ptrdiff_t>(question));
  if (rest.size() > 10) reply.insert(reply.end(), rest.begin() + 10, rest.end());
  check(tlsguard::net::read_dns_reply(*query, reply), type);

  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  judge(text);
  require(!tlsguard::net::resolvers_of(text).empty(), "no resolver");
  (void)tlsguard::net::dns_query(std::string(text), type, 1, true, true);
  return 0;
}
