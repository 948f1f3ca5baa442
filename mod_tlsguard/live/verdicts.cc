// SPDX-License-Identifier: Apache-2.0
#include "live/verdicts.h"

#include <vector>

#include "core/text.h"

namespace tlsguard::live {

std::string_view judge_name(Judge judge) {
  switch (judge) {
    case Judge::in_force:
      return "in-force";
    case Judge::report:
      return "report";
    case Judge::baseline:
      return "baseline";
    case Judge::intermediate:
      return "intermediate";
    case Judge::modern:
      return "modern";
  }
  return "unknown";
}

std::optional<Judge> parse_judge(std::string_view name) {
  for (Judge judge : all_judges) {
    if (name == judge_name(judge)) return judge;
  }
  return std::nullopt;
}

std::string judge_names() {
  std::vector<std::string> names;
  for (Judge judge : all_judges) names.emplace_back(judge_name(judge));
  return join(names, ", ");
}

}  // namespace tlsguard::live
