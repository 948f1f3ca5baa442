// SPDX-License-Identifier: Apache-2.0
#include "live/verdicts.h"

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

}  // namespace tlsguard::live
