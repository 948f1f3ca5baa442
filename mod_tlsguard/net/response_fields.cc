// SPDX-License-Identifier: Apache-2.0
#include "net/response_fields.h"

#include <algorithm>
#include <charconv>

#include "core/parse_date.h"
#include "core/text.h"

namespace tlsguard::net {
namespace {

// A Link field, link by link (RFC 8288 3). Never goes back, so it takes linear time.
class LinkReader {
 public:
  explicit LinkReader(std::string_view field) : rest_(field) {}

  // False at the end.
  bool next(std::string_view& target, std::string& relations) {
    relations.clear();
    std::size_t open = rest_.find('<');
    if (open == std::string_view::npos) return false;
    rest_.remove_prefix(open + 1);
    std::size_t close = rest_.find('>');
    if (close == std::string_view::npos) return false;
    target = rest_.substr(0, close);
    rest_.remove_prefix(close + 1);
    bool has_relation = false;
    while (parameter()) {
      // Only the first rel counts (3.3).
      if (!has_relation && equal_ignoring_case(name_, "rel")) {
        relations = value_;
        has_relation = true;
      }
    }
    return true;
  }

 private:
  void skip_blanks() {
    std::size_t end = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(std::min(end, rest_.size()));
  }

  std::string_view token() {
    skip_blanks();
    std::string_view found = rest_.substr(0, rest_.find_first_of(" \t;,=\"<>"));
    rest_.remove_prefix(found.size());
    skip_blanks();
    return found;
  }

  void quoted() {
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      value_ += rest_.front();
      rest_.remove_prefix(1);
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
  }

  // Into name_ and value_; false where the link's parameters end.
  bool parameter() {
    skip_blanks();
    if (!rest_.starts_with(';')) return false;
    rest_.remove_prefix(1);
    name_ = token();
    value_.clear();
    if (!rest_.starts_with('=')) return true;
    rest_.remove_prefix(1);
    skip_blanks();
    if (rest_.starts_with('"')) {
      quoted();
    } else {
      value_ = token();
    }
    return true;
  }

  std::string_view rest_;
  std::string_view name_;
  std::string value_;
};

bool has_word(std::string_view words, std::string_view word) {
  for (const std::string& one : split(words, " \t")) {
    if (equal_ignoring_case(one, word)) return true;
  }
  return false;
}

}  // namespace

std::optional<std::int64_t> retry_after(const HttpResponse& response, UnixSeconds now) {
  auto field = response.field("retry-after");
  if (!field) return std::nullopt;
  std::string_view text = trim(*field);
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t seconds = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    return error == std::errc() ? std::min(seconds, max_retry_after) : max_retry_after;
  }
  auto then = parse_http_date(text, now);
  if (!then) return std::nullopt;
  if (auto date = response.field("date")) now = parse_http_date(trim(*date), now).value_or(now);
  return std::clamp<std::int64_t>(*then - now, 0, max_retry_after);
}

std::vector<std::string> links(const HttpResponse& response, std::string_view relation,
                               std::size_t limit) {
  std::vector<std::string> targets;
  for (const auto& [name, value] : response.fields) {
    if (name != "link") continue;
    LinkReader reader(value);
    std::string_view target;
    std::string relations;
    while (targets.size() < limit && reader.next(target, relations)) {
      if (has_word(relations, relation)) targets.emplace_back(target);
    }
  }
  return targets;
}

std::string media_type(const HttpResponse& response) {
  auto field = response.field("content-type");
  if (!field) return {};
  return to_lower(trim(field->substr(0, field->find(';'))));
}

}  // namespace tlsguard::net
