// SPDX-License-Identifier: Apache-2.0
// What in a configuration that works could be simpler or safer. Plain values. Collected at
// configuration time by one thread; then immutable.
#ifndef TLSGUARD_HTTPD_ADVICE_H
#define TLSGUARD_HTTPD_ADVICE_H

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "httpd/written.h"

namespace tlsguard::httpd {

struct Advice {
  Place where;
  std::string about;  // the directive
  std::string text;   // begins with that directive
};

// A line, whichever virtual hosts include its file or use its macro: taken out, it is out of all.
using LineKey = std::pair<std::string, int>;
[[nodiscard]] LineKey line_of(const Place& place);

// "a, b, c and 7 more"
[[nodiscard]] std::string some_of(const std::vector<std::string>& names);

// Where many lines deserve the same, one piece says it for all: a configuration of ten thousand
// virtual hosts must not drown what else there is to say.
class AdviceCollector {
 public:
  // Of one kind are those that would be said in the same words, but for the names in them. A line
  // of a macro is named without its use.
  void add(std::string_view kind, Advice advice);
  // In the order of files and lines; once, at the end.
  [[nodiscard]] std::vector<Advice> take();

 private:
  std::vector<std::pair<std::string, std::vector<Advice>>> kinds_;
};

}  // namespace tlsguard::httpd

#endif
