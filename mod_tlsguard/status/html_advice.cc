// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "status/html.h"
#include "status/markup.h"

namespace tlsguard::status {

std::string advice_section(const Model& model) {
  if (model.advice.empty()) return "";
  std::string list;
  for (const Advice& one : model.advice) {
    list += fmt::format(R"(<div><p>{}</p><p class="muted">{}</p></div>)", escaped(one.text),
                        escaped(fmt::format("{}:{}", one.file, one.line)));
  }
  return fmt::format(
      R"(<section id="advice"><h2>Advice</h2><div class="card advice">)"
      R"(<p class="muted">This works, and can be simpler or safer</p>{}</div></section>)",
      list);
}

}  // namespace tlsguard::status
