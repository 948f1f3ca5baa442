// SPDX-License-Identifier: Apache-2.0
#include "web/hsts.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace tlsguard::web {
namespace {

constexpr std::string_view max_age_prefix = "max-age=";
constexpr std::string_view valid_first =
    "valid are off, on and max-age=duration (a plain number is seconds)";
constexpr std::string_view valid_words =
    "valid after on or max-age= are includeSubDomains and "
    "preload";

Result<HstsSetting> parse_first(std::string_view word) {
  HstsSetting setting;
  if (equal_ignoring_case(word, "off")) return setting;
  setting.enabled = true;
  if (equal_ignoring_case(word, "on")) {
    setting.max_age = hsts_on_max_age;
    return setting;
  }
  if (!equal_ignoring_case(word.substr(0, max_age_prefix.size()), max_age_prefix)) {
    return fail(fmt::format("TLSGuardHSTS: '{}' is not known: {}", word, valid_first));
  }
  auto age = parse_duration(word.substr(max_age_prefix.size()), PlainNumber::seconds);
  if (!age) return tl::unexpected(age.error().within(fmt::format("TLSGuardHSTS: '{}'", word)));
  setting.max_age = *age;
  return setting;
}

// Sets the flag that the word names.
Result<void> parse_word(std::string_view word, HstsSetting& setting) {
  bool* flag = equal_ignoring_case(word, "includeSubDomains") ? &setting.include_sub_domains
               : equal_ignoring_case(word, "preload")         ? &setting.preload
                                                              : nullptr;
  if (flag == nullptr) {
    return fail(fmt::format("TLSGuardHSTS: '{}' is not known: {}", word, valid_words));
  }
  // RFC 6797 6.1: each directive once.
  if (*flag) return fail(fmt::format("TLSGuardHSTS: '{}' is there twice: once is enough", word));
  *flag = true;
  return {};
}

}  // namespace

Result<HstsSetting> parse_hsts(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return fail(fmt::format("TLSGuardHSTS needs a value: {}", valid_first));
  auto setting = parse_first(arguments.front());
  if (!setting) return setting;
  for (std::string_view word : arguments.subspan(1)) {
    if (!setting->enabled) {
      return fail(fmt::format("TLSGuardHSTS: '{}' cannot follow off: {}", word, valid_words));
    }
    if (auto ok = parse_word(word, *setting); !ok) return tl::unexpected(ok.error());
  }
  if (setting->preload &&
      (setting->max_age < hsts_preload_min_age || !setting->include_sub_domains)) {
    return fail(
        fmt::format("TLSGuardHSTS: 'preload' needs includeSubDomains and a max-age of at least 1y "
                    "({} seconds), or browsers' preload lists do not take the host; this has "
                    "max-age={}{}",
                    hsts_preload_min_age.count(), setting->max_age.count(),
                    setting->include_sub_domains ? "" : " and no includeSubDomains"));
  }
  return setting;
}

std::string format_hsts(const HstsSetting& setting, Seconds age) {
  bool full = age >= setting.max_age;
  // testssl.sh takes what stands after the first '=' for the age, so max-age comes first.
  return fmt::format("max-age={}{}{}", std::min(age, setting.max_age).count(),
                     setting.include_sub_domains ? "; includeSubDomains" : "",
                     setting.preload && full ? "; preload" : "");
}

HstsValues::HstsValues(const HstsSetting& setting, std::span<const Seconds> partial_ages) {
  if (!setting.enabled) return;
  std::vector<Seconds> ages(partial_ages.begin(), partial_ages.end());
  ages.push_back(setting.max_age);
  std::sort(ages.begin(), ages.end());
  ages.erase(std::unique(ages.begin(), ages.end()), ages.end());
  for (Seconds age : ages) {
    if (age <= setting.max_age) values_.push_back({age, format_hsts(setting, age)});
  }
}

}  // namespace tlsguard::web
