// SPDX-License-Identifier: Apache-2.0
#include "status/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/text.h"

namespace tlsguard::status {
namespace {

constexpr std::size_t max_parameters = 64;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::size_t number_of(std::string_view text) {
  std::size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return 1;
  return std::clamp<std::size_t>(number, 1, Query::max_page);
}

void take(Query& query, std::string_view key, std::string_view value) {
  if (key == "json") {
    query.form = Form::json;
  } else if (key == "metrics") {
    query.form = Form::metrics;
  } else if (key == "text") {
    query.form = Form::text;
  } else if (key == "q") {
    query.search = to_lower(percent_decoded(value).substr(0, Query::max_search));
    query.search = std::string(trim(query.search));
  } else if (key == "state") {
    query.state = percent_decoded(value).substr(0, Query::max_search);
  } else if (key == "page") {
    query.page = number_of(value);
  } else if (key == "hosts") {
    query.host_page = number_of(value);
  } else if (key == "policy") {
    query.policy = percent_decoded(value);
    query.judge = live::parse_judge(*query.policy);
  }
}

bool accepts(std::string_view accept, std::string_view type) {
  return accept.find(type) != std::string_view::npos;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      int high = hex_value(text[i + 1]);
      int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(16 * high + low);
        i += 2;
        continue;
      }
    }
    decoded += text[i] == '+' ? ' ' : text[i];
  }
  return decoded;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

Query parse_query(std::string_view text) {
  Query query;
  for (std::size_t i = 0; i < max_parameters && !text.empty(); ++i) {
    std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    std::string_view key = one.substr(0, one.find('='));
    take(query, key, one.substr(std::min(key.size() + 1, one.size())));
  }
  return query;
}

Form form_of(const Query& query, std::string_view accept) {
  if (query.form) return *query.form;
  // A browser names text/html and would take anything.
  if (accepts(accept, "text/html")) return Form::html;
  if (accepts(accept, "application/json")) return Form::json;
  return accepts(accept, "text/plain") ? Form::text : Form::html;
}

std::string address_of(const Query& query) {
  std::string address = "?";
  auto add = [&](std::string_view key, std::string_view value) {
    address += fmt::format("{}{}={}", address.size() > 1 ? "&" : "", key, percent_encoded(value));
  };
  if (!query.search.empty()) add("q", query.search);
  if (!query.state.empty()) add("state", query.state);
  if (query.judge) add("policy", live::judge_name(*query.judge));
  if (query.page > 1) add("page", std::to_string(query.page));
  if (query.host_page > 1) add("hosts", std::to_string(query.host_page));
  return address;
}

}  // namespace tlsguard::status
