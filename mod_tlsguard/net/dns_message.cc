// SPDX-License-Identifier: Apache-2.0
#include "net/dns_message.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/text.h"

namespace tlsguard::net {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t max_records = 256;
constexpr int max_aliases = 16;
constexpr std::uint16_t udp_payload = 1232;  // fits one packet anywhere (DNS flag day 2020)

using Message = std::span<const std::uint8_t>;

void put16(std::vector<std::uint8_t>& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8U));
  out.push_back(static_cast<std::uint8_t>(value & 0xFFU));
}

unsigned get16(Message from, std::size_t at) {
  return static_cast<unsigned>(from[at]) << 8U | from[at + 1];
}

std::uint8_t lower(std::uint8_t byte) {
  return static_cast<std::uint8_t>(to_lower(static_cast<char>(byte)));
}

// Name, type and class of the question; empty where there is not exactly one whole question.
Message question_of(Message message) {
  if (message.size() < header_size || get16(message, 4) != 1) return {};
  std::size_t at = header_size;
  while (at < message.size() && message[at] != 0) {
    if (message[at] > NS_MAXLABEL) return {};  // compressed: there is nothing to point to yet
    at += message[at] + 1UL;
  }
  std::size_t end = at + 5;
  if (end > message.size()) return {};
  return message.subspan(header_size, end - header_size);
}

// Servers may answer in another case.
bool same_question(Message a, Message b) {
  return !a.empty() && std::equal(a.begin(), a.end(), b.begin(), b.end(),
                                  [](auto x, auto y) { return lower(x) == lower(y); });
}

bool is_tag(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    char l = to_lower(c);
    return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9');
  });
}

// One record after the other, out of a message whose structure libresolv has gone through.
class Reader {
 public:
  explicit Reader(ns_msg& message) : message_(message) {}

  // nullopt: not of this class, or its data does not fit its type.
  std::optional<DnsRecord> record(const ns_rr& raw) const {
    DnsRecord record;
    record.owner = to_lower(std::string_view(ns_rr_name(raw)));
    record.type = static_cast<DnsType>(ns_rr_type(raw));
    if (ns_rr_class(raw) != ns_c_in || !read_data(raw, record)) return std::nullopt;
    return record;
  }

 private:
  static std::string_view data_of(const ns_rr& raw) {
    return {reinterpret_cast<const char*>(ns_rr_rdata(raw)), std::size_t{raw.rdlength}};
  }

  bool read_data(const ns_rr& raw, DnsRecord& record) const {
    switch (record.type) {
      case DnsType::a:
        return read_address(raw, AF_INET, 4, record.value);
      case DnsType::aaaa:
        return read_address(raw, AF_INET6, 16, record.value);
      case DnsType::ns:
      case DnsType::cname:
      case DnsType::soa:
        return read_name(raw, record.value);
      case DnsType::txt:
        return read_strings(data_of(raw), record.value);
      case DnsType::caa:
        return read_caa(data_of(raw), record);
    }
    return false;
  }

  static bool read_address(const ns_rr& raw, int family, std::size_t size, std::string& value) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (ns_rr_rdlen(raw) != size) return false;
    if (inet_ntop(family, ns_rr_rdata(raw), text.data(), text.size()) == nullptr) return false;
    value = text.data();
    return true;
  }

  // The first name of the data.
  bool read_name(const ns_rr& raw, std::string& value) const {
    std::array<char, NS_MAXDNAME> name{};
    int used = ns_name_uncompress(ns_msg_base(message_), ns_msg_end(message_), ns_rr_rdata(raw),
                                  name.data(), name.size());
    if (used < 0 || used > ns_rr_rdlen(raw)) return false;
    value = to_lower(std::string_view(name.data()));
    return true;
  }

  static bool read_strings(std::string_view data, std::string& value) {
    if (data.empty()) return false;
    while (!data.empty()) {
      auto length = static_cast<std::uint8_t>(data.front());
      data.remove_prefix(1);
      if (length > data.size()) return false;
      value.append(data.substr(0, length));
      data.remove_prefix(length);
    }
    return true;
  }

  // RFC 8659 4.1.
  static bool read_caa(std::string_view data, DnsRecord& record) {
    if (data.size() < 2) return false;
    record.critical = (static_cast<std::uint8_t>(data[0]) & 0x80U) != 0;
    auto length = static_cast<std::uint8_t>(data[1]);
    data.remove_prefix(2);
    if (length > data.size() || !is_tag(data.substr(0, length))) return false;
    record.tag = to_lower(data.substr(0, length));
    record.value = data.substr(length);
    return true;
  }

  ns_msg& message_;
};

struct Sections {
  std::vector<DnsRecord> answers;  // of the type asked, and CNAMEs
  bool has_soa = false;            // in the authority section
  bool has_ns = false;
};

// nullopt: something in it does not hold together.
std::optional<Sections> read_sections(ns_msg& message, DnsType type) {
  Sections sections;
  Reader reader(message);
  ns_rr raw{};
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    if (ns_parserr(&message, ns_s_an, i, &raw) != 0) return std::nullopt;
    auto its = static_cast<DnsType>(ns_rr_type(raw));
    if (its != type && its != DnsType::cname) continue;
    auto record = reader.record(raw);
    if (!record || sections.answers.size() == max_records) return std::nullopt;
    sections.answers.push_back(std::move(*record));
  }
  for (int i = 0; i < ns_msg_count(message, ns_s_ns); ++i) {
    if (ns_parserr(&message, ns_s_ns, i, &raw) != 0) return std::nullopt;
    sections.has_soa |= ns_rr_type(raw) == ns_t_soa;
    sections.has_ns |= ns_rr_type(raw) == ns_t_ns;
  }
  return sections;
}

// Where the CNAMEs among the answers lead. nullopt: in a circle.
std::optional<std::string> follow(const std::vector<DnsRecord>& answers, std::string name) {
  for (int hops = 0; hops <= max_aliases; ++hops) {
    auto alias = std::find_if(answers.begin(), answers.end(), [&](const DnsRecord& record) {
      return record.type == DnsType::cname && record.owner == name;
    });
    if (alias == answers.end()) return name;
    name = alias->value;
  }
  return std::nullopt;
}

std::string asked_name(Message query) {
  std::array<char, NS_MAXDNAME> name{};
  if (ns_name_ntop(query.data() + header_size, name.data(), name.size()) < 0) return {};
  return to_lower(std::string_view(name.data()));
}

// nullopt: it contradicts itself, or sends us elsewhere.
std::optional<DnsAnswer> answer_of(Sections sections, const std::string& name, DnsType type,
                                   bool no_name) {
  auto canonical = type == DnsType::cname ? name : follow(sections.answers, name);
  if (!canonical) return std::nullopt;
  DnsAnswer answer{DnsAnswer::Outcome::no_data, *canonical, {}};
  for (DnsRecord& record : sections.answers) {
    if (record.type == type && record.owner == answer.canonical) {
      answer.records.push_back(std::move(record));
    }
  }
  if (!answer.records.empty()) {
    answer.outcome = DnsAnswer::Outcome::found;
  } else if (no_name) {
    answer.outcome = DnsAnswer::Outcome::no_name;
  } else if (answer.canonical != name && !sections.has_soa) {
    answer.outcome = DnsAnswer::Outcome::elsewhere;
  }
  return answer;
}

DnsReading refused(int code) { return {DnsReply::refused, code, {}}; }

}  // namespace

const char* dns_type_name(DnsType type) {
  switch (type) {
    case DnsType::a:
      return "A";
    case DnsType::ns:
      return "NS";
    case DnsType::cname:
      return "CNAME";
    case DnsType::soa:
      return "SOA";
    case DnsType::txt:
      return "TXT";
    case DnsType::aaaa:
      return "AAAA";
    case DnsType::caa:
      return "CAA";
  }
  return "?";
}

Result<std::vector<std::uint8_t>> dns_query(const std::string& name, DnsType type, std::uint16_t id,
                                            bool recurse, bool edns) {
  std::array<std::uint8_t, NS_MAXCDNAME> wire{};
  bool nul = name.find('\0') != std::string::npos;
  if (name.empty() || nul || ns_name_pton(name.c_str(), wire.data(), wire.size()) < 0) {
    return fail_for_good(fmt::format("'{}' is no name that DNS could have", name));
  }
  std::vector<std::uint8_t> query;
  query.reserve(header_size + wire.size() + 16);
  put16(query, id);
  put16(query, recurse ? 0x0100U : 0U);
  put16(query, 1);
  put16(query, 0);
  put16(query, 0);
  put16(query, edns ? 1U : 0U);
  std::size_t at = 0;
  while (wire.at(at) != 0) at += wire.at(at) + 1UL;
  query.insert(query.end(), wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  put16(query, static_cast<unsigned>(type));
  put16(query, ns_c_in);
  if (edns) {
    query.push_back(0);  // the root's name
    put16(query, ns_t_opt);
    put16(query, udp_payload);
    put16(query, 0);  // extended code, version
    put16(query, 0);  // flags
    put16(query, 0);  // no options
  }
  return query;
}

DnsReading read_dns_reply(Message query, Message reply) {
  constexpr unsigned is_reply = 0x8000;
  constexpr unsigned authoritative = 0x0400;
  constexpr unsigned truncated = 0x0200;
  constexpr unsigned recursion_available = 0x0080;
  Message question = question_of(query);
  if (question.empty() || reply.size() < header_size || reply.size() > 0xFFFF) return {};
  unsigned flags = get16(reply, 2);
  if (get16(reply, 0) != get16(query, 0) || (flags & is_reply) == 0) return {};
  int code = static_cast<int>(flags & 0x000FU);
  // A server that does not understand a query may leave the question out.
  bool without_question = get16(reply, 4) == 0;
  if (without_question && code != 0) return refused(code);
  if (!same_question(question, question_of(reply))) return {};
  if ((flags & truncated) != 0) return {DnsReply::truncated, code, {}};
  if (code != ns_r_noerror && code != ns_r_nxdomain) return refused(code);

  ns_msg message{};
  if (ns_initparse(reply.data(), static_cast<int>(reply.size()), &message) != 0) {
    return refused(code);
  }
  auto type = static_cast<DnsType>(get16(question, question.size() - 4));
  auto sections = read_sections(message, type);
  if (!sections) return refused(code);
  bool referral = sections->answers.empty() && sections->has_ns && !sections->has_soa &&
                  (flags & (authoritative | recursion_available)) == 0;
  if (referral) return refused(code);
  auto answer = answer_of(std::move(*sections), asked_name(query), type, code == ns_r_nxdomain);
  if (!answer) return refused(code);
  return {DnsReply::answered, code, std::move(*answer)};
}

}  // namespace tlsguard::net
