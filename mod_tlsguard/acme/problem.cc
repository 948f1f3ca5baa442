// SPDX-License-Identifier: Apache-2.0
#include "acme/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "acme/json_reader.h"
#include "acme/plain_text.h"
#include "net/response_fields.h"

namespace tlsguard::acme {
namespace {

using nlohmann::json;

constexpr std::size_t max_detail = 1000;
constexpr std::size_t max_name = 300;
constexpr std::size_t max_shown = 2000;       // all of a problem in words
constexpr std::size_t max_subproblems = 100;  // one an identifier
constexpr std::size_t max_algorithms = 20;

std::string text_member(const json& object, const char* name, std::size_t max) {
  auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return plain_text(found->get_ref<const std::string&>(), max);
}

Problem::Sub read_subproblem(const json& object) {
  Problem::Sub sub;
  if (!object.is_object()) return sub;
  sub.type = text_member(object, "type", max_name);
  sub.detail = text_member(object, "detail", max_detail);
  auto identifier = object.find("identifier");
  if (identifier != object.end() && identifier->is_object()) {
    sub.identifier = text_member(*identifier, "value", max_name);
  }
  return sub;
}

// Only the administrator can change these.
bool is_for_good(std::string_view kind) {
  constexpr std::array kinds{"malformed",
                             "rejectedIdentifier",
                             "unsupportedIdentifier",
                             "externalAccountRequired",
                             "userActionRequired",
                             "badCSR",
                             "caa"};
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool is_for_good(const Problem& problem) {
  // What is not there may be there again, and a CA that is busy may be idle, whatever the type.
  if (problem.status == 404 || problem.status == 429 || problem.status >= 500) return false;
  if (is_for_good(problem_kind(problem.type))) return true;
  return std::any_of(problem.subproblems.begin(), problem.subproblems.end(),
                     [](const Problem::Sub& sub) { return is_for_good(problem_kind(sub.type)); });
}

// "detail (kind)"
std::string in_words(const std::string& detail, const std::string& type) {
  std::string kind = problem_kind(type);
  if (kind.empty()) kind = type == "about:blank" ? "" : type;
  if (detail.empty()) return kind;
  return kind.empty() ? detail : detail + " (" + kind + ")";
}

std::string without_problem(const net::HttpResponse& response) {
  if (response.status >= 300 && response.status < 400) {
    return fmt::format("the CA answers with a redirect (status {}, to '{}'), where ACME has none",
                       response.status,
                       plain_text(response.field("location").value_or(""), max_name));
  }
  std::string type = plain_text(net::media_type(response), 100);
  if (response.body.empty()) type = "an empty body";
  if (type.empty()) type = "a body of no type";
  return fmt::format("the CA answers with status {} and {}, without an ACME problem document",
                     response.status, type);
}

std::optional<json> problem_document(const net::HttpResponse& response) {
  if (net::media_type(response).find("json") == std::string::npos) return std::nullopt;
  auto document = parse_object(response.body, "problem document");
  if (!document) return std::nullopt;
  return std::move(*document);
}

}  // namespace

std::string problem_kind(std::string_view type) {
  constexpr std::string_view prefix = "urn:ietf:params:acme:error:";
  if (!type.starts_with(prefix)) return {};
  type.remove_prefix(prefix.size());
  bool good = type.size() <= 64 && std::all_of(type.begin(), type.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
              });
  return good ? std::string(type) : std::string();
}

std::string Problem::text() const {
  constexpr std::size_t most = 10;
  std::string words = in_words(detail, type);
  for (std::size_t i = 0; i < std::min(subproblems.size(), most); ++i) {
    const Sub& sub = subproblems[i];
    std::string more = in_words(sub.detail, sub.type);
    if (!sub.identifier.empty()) more.insert(0, sub.identifier + ": ");
    if (!words.empty()) words += "; ";
    words += more;
  }
  if (subproblems.size() > most) words += fmt::format("; and {} more", subproblems.size() - most);
  if (words.empty()) words = fmt::format("the CA gives no reason (status {})", status);
  if (problem_kind(type) == "userActionRequired" && !instance.empty()) words += "; see " + instance;
  return plain_text(words, max_shown);
}

Problem read_problem(const json& object) {
  Problem problem;
  if (!object.is_object()) return problem;
  problem.type = text_member(object, "type", max_name);
  problem.detail = text_member(object, "detail", max_detail);
  problem.instance = text_member(object, "instance", max_name);
  auto status = object.find("status");
  if (status != object.end() && status->is_number_unsigned()) {
    auto number = status->get<std::uint64_t>();
    if (number >= 100 && number <= 599) problem.status = static_cast<int>(number);
  }
  auto subproblems = object.find("subproblems");
  if (subproblems != object.end() && subproblems->is_array()) {
    for (const json& one : *subproblems) {
      if (problem.subproblems.size() == max_subproblems) break;
      problem.subproblems.push_back(read_subproblem(one));
    }
  }
  return problem;
}

Error to_error(const Problem& problem, std::optional<std::int64_t> retry_after) {
  Error error{problem.text()};
  error.kind = problem_kind(problem.type);
  if (is_for_good(problem)) {
    error.next = Next::never;
  } else if (retry_after.value_or(0) > 0) {
    error.next = Next::wait;
    error.after = std::chrono::seconds(*retry_after);
  }
  return error;
}

Refusal read_refusal(const net::HttpResponse& response, UnixSeconds now) {
  Refusal refusal;
  auto document = problem_document(response);
  if (document) refusal.problem = read_problem(*document);
  refusal.problem.status = response.status;
  bool told = !refusal.problem.type.empty() || !refusal.problem.detail.empty();
  refusal.error = to_error(refusal.problem, net::retry_after(response, now));
  if (!told) refusal.error.text = without_problem(response);
  if (!document) return refusal;
  auto algorithms = document->find("algorithms");
  if (algorithms == document->end() || !algorithms->is_array()) return refusal;
  for (const json& one : *algorithms) {
    if (refusal.algorithms.size() == max_algorithms) break;
    if (one.is_string()) refusal.algorithms.push_back(plain_text(one.get<std::string>(), 32));
  }
  return refusal;
}

}  // namespace tlsguard::acme
