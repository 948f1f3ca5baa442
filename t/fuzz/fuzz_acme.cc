// SPDX-License-Identifier: Apache-2.0
// What a CA sends: bodies, header fields, whole headers. The first byte of the input says which of
// them the rest is; see `readers`.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "acme/ca_url.h"
#include "acme/client.h"
#include "acme/documents.h"
#include "acme/nonce_pool.h"
#include "acme/plain_text.h"
#include "acme/problem.h"
#include "core/date.h"
#include "core/json_depth.h"
#include "core/parse_date.h"
#include "core/text.h"
#include "net/response_fields.h"
#include "net/transfer.h"
#include "store/challenge_store.h"

namespace {

using namespace tlsguard;

constexpr UnixSeconds now = 1'800'000'000;

void require(bool condition) {
  if (!condition) std::abort();
}

// One line, valid UTF-8.
void require_plain(const std::string& text, std::size_t max) {
  require(text.size() <= max);
  require(acme::plain_text(text, max) == text);
  require(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }));
  (void)nlohmann::json(text).dump();  // throws where it is no UTF-8
}

void require_url(const std::string& url, bool may_be_empty) {
  require((may_be_empty && url.empty()) || acme::is_ca_url(url));
}

void require_problem(const std::optional<acme::Problem>& problem) {
  if (!problem) return;
  require_plain(problem->text(), 2000);
  require(!problem->text().empty());
  Error error = acme::to_error(*problem, 7);
  require(error.next != Next::wait || error.after.count() == 7);
  require(error.kind.size() <= 64);
}

void directory(std::string_view text) {
  auto read = acme::parse_directory(text);
  if (!read) return require_plain(read.error().text, 1000);
  require_url(read->new_nonce, false);
  require_url(read->new_account, false);
  require_url(read->new_order, false);
  require_url(read->revoke_cert, true);
  require_url(read->key_change, true);
  require_url(read->renewal_info, true);
  require_plain(read->terms_of_service, 1000);
  for (const auto& [name, about] : read->profiles) require_plain(name + about, 2000);
}

void order(std::string_view text) {
  auto read = acme::parse_order(text);
  if (!read) return require_plain(read.error().text, 1000);
  require_url(read->order.finalize, false);
  require_url(read->order.certificate, read->order.status != acme::Status::valid);
  for (const std::string& url : read->order.authorizations) require_url(url, false);
  for (const acme::Identifier& one : read->identifiers) {
    require(one.type == acme::Identifier::Type::dns || acme::identifier_of(one.value) == one);
  }
  require_problem(read->order.error);
}

void require_challenge(const acme::Challenge& challenge) {
  require_url(challenge.url, false);
  bool persist = challenge.type == "dns-persist-01";
  require(persist ? challenge.token.empty() : store::is_token(challenge.token));
  require(persist != challenge.issuer_domain_names.empty());
  require_problem(challenge.error);
}

void authorization(std::string_view text) {
  auto read = acme::parse_authorization(text);
  if (!read) return require_plain(read.error().text, 1000);
  for (const acme::Challenge& challenge : read->challenges) require_challenge(challenge);
}

void challenge(std::string_view text) {
  auto read = acme::parse_challenge(text);
  if (read) require_challenge(*read);
}

void renewal_info(std::string_view text) {
  auto read = acme::parse_renewal_info(text);
  if (!read) return;
  require(read->start < read->end);
  require_plain(read->explanation_url, 1000);
}

void refusal(std::string_view text) {
  net::HttpResponse response{
      400, {{"content-type", "application/problem+json"}}, std::string(text)};
  auto read = acme::read_refusal(response, now);
  require_plain(read.error.text, 2000);
  require(!read.error.text.empty() && read.algorithms.size() <= 20);
}

void link(std::string_view text) {
  net::HttpResponse response{200, {{"link", std::string(text)}}, ""};
  auto targets = net::links(response, "alternate", 8);
  require(targets.size() <= 8);
  for (const std::string& target : targets) {
    require(text.find("<" + target + ">") != std::string_view::npos);
  }
}

void retry_after(std::string_view text) {
  net::HttpResponse response{503, {{"retry-after", std::string(text)}}, std::string(text)};
  auto seconds = net::retry_after(response, now);
  require(!seconds || (*seconds >= 0 && *seconds <= net::max_retry_after));
  response.fields.emplace_back("date", "Sun, 06 Nov 1994 08:49:37 GMT");
  seconds = net::retry_after(response, now);
  require(!seconds || (*seconds >= 0 && *seconds <= net::max_retry_after));
  response.fields.emplace_back("content-type", std::string(text));
  require_plain(acme::read_refusal(response, now).error.text, 2000);
}

void date(std::string_view text) {
  if (auto moment = parse_rfc3339(text)) {
    auto again = parse_rfc3339(format_date(*moment));
    // Offsets lead beyond the years that are written with four digits.
    require(again && (*again == *moment || *moment < -62167219200 || *moment > 253402300799));
  }
  if (auto moment = parse_http_date(text, now)) {
    require(*moment >= -62167219200 && *moment <= 253402300800);
  }
}

void url(std::string_view text) {
  if (!acme::is_ca_url(text)) return;
  require(to_lower(text).starts_with("https://") && !acme::host_of(text).empty());
  require(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; }));
}

void plain(std::string_view text) {
  for (std::size_t max : {0U, 1U, 5U, 100U, 100000U})
    require_plain(acme::plain_text(text, max), max);
}

void depth(std::string_view text) {
  if (nested_deeper_than(32, text)) return;
  // What is let through can be parsed and destroyed.
  auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_discarded())
    (void)document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Lines of a header, and what follows the first empty one, in parts.
void header(std::string_view text) {
  net::Transfer transfer(1000, 500, 20);
  bool in_body = false;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() < text.size()) line = text.substr(0, line.size() + 1);
    text.remove_prefix(line.size());
    if (!(in_body ? transfer.take_body(line) : transfer.take_header(line))) break;
    in_body = in_body || line == "\n" || line == "\r\n";
  }
  net::HttpResponse& response = transfer.response();
  require(response.body.size() <= 1000 && response.fields.size() <= 20);
  auto nonce = acme::nonce_of(response);
  require(!nonce || store::is_token(nonce->substr(0, 128)));
  (void)net::links(response, "alternate", 8);
  (void)net::retry_after(response, now);
  (void)acme::read_refusal(response, now);
}

struct Reader {
  char name;
  void (*read)(std::string_view);
};
constexpr Reader readers[] = {
    {'d', directory}, {'o', order}, {'a', authorization}, {'c', challenge}, {'r', renewal_info},
    {'p', refusal},   {'l', link},  {'t', retry_after},   {'m', date},      {'u', url},
    {'x', plain},     {'n', depth}, {'h', header}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Reader& reader : readers) {
    if (reader.name == text.front()) reader.read(text.substr(1));
  }
  return 0;
}
