// SPDX-License-Identifier: Apache-2.0
// What the status page is asked for: the query of its address, which anybody may have written.
// Pure; thread-safe.
#ifndef TLSGUARD_STATUS_QUERY_H
#define TLSGUARD_STATUS_QUERY_H

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "live/verdicts.h"

namespace tlsguard::status {

enum class Form { html, json, metrics, text };

struct Query {
  std::optional<Form> form;  // json, metrics or text is among the parameters
  std::string search;        // q, in lower case; of at most max_search bytes
  std::string state;         // a filter of domains (model.h); as written
  std::size_t page = 1;      // of domains
  std::size_t host_page = 1;
  std::optional<std::string> policy;  // as written
  std::optional<live::Judge> judge;   // of policy; nullopt: none, or no such judge

  static constexpr std::size_t max_search = 255;
  static constexpr std::size_t max_page = 1000000;

  [[nodiscard]] bool wrong_policy() const { return policy && !judge; }
};

// What is too long is cut, what is no number counts as 1.
[[nodiscard]] Query parse_query(std::string_view text);
// The form that an Accept field asks for; the query's own comes first.
[[nodiscard]] Form form_of(const Query& query, std::string_view accept);

// "%41+b" is "A b"; what is no escape stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);
[[nodiscard]] std::string percent_encoded(std::string_view text);

// The address of the same page with other numbers: "?q=…&state=…&page=2".
[[nodiscard]] std::string address_of(const Query& query);

}  // namespace tlsguard::status

#endif
