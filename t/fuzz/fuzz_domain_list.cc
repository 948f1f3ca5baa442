// SPDX-License-Identifier: Apache-2.0
// The file of a TLSGuardDomainList.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "core/text.h"
#include "renew/spec_names.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tlsguard;
  renew::DomainList list = renew::parse_domain_list({reinterpret_cast<const char*>(data), size});
  std::set<std::string> names;
  std::string written;
  for (const renew::ListLine& line : list.lines) {
    if (line.names.empty() || line.names.size() > renew::max_names) std::abort();
    for (const std::string& name : line.names) {
      if (!names.insert(name).second) std::abort();  // of one domain only
      auto again = renew::certificate_name(name);
      if (!again || *again != name) std::abort();
    }
    written += join(line.names, " ") + "\n";
  }
  for (const renew::BadLine& line : list.bad) {
    if (line.number == 0 || line.why.empty()) std::abort();
  }
  renew::DomainList again = renew::parse_domain_list(written);
  if (!again.bad.empty() || again.lines.size() != list.lines.size()) std::abort();
  return 0;
}
