// SPDX-License-Identifier: Apache-2.0
// Settings of other programs, as far as they can stand in a configuration of ours, and the lines to
// paste there. What comes in is untrusted: what has another form than its directive takes is left
// out. Pure; thread-safe.
#ifndef TLSGUARD_IMPORT_SETTINGS_TEXT_H
#define TLSGUARD_IMPORT_SETTINGS_TEXT_H

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/imported.h"

namespace tlsguard::import {

using Settings = std::vector<std::pair<std::string, std::vector<std::string>>>;

// Without the empty ones; a directive without arguments is not added.
void add_setting(Settings& settings, const std::string& directive,
                 std::vector<std::string> arguments);

// Host names, wildcards and IP addresses in lower case.
[[nodiscard]] std::vector<std::string> keep_names(const std::vector<std::string>& names);
// An http or https URL without blanks, quotes and control characters; else empty.
[[nodiscard]] std::string keep_url(const std::string& url);
[[nodiscard]] std::vector<std::string> keep_urls(std::vector<std::string> urls);
// "mailto:" taken off; what is no address is left out.
[[nodiscard]] std::vector<std::string> contact_addresses(const std::vector<std::string>& contacts);
// http-01, tls-alpn-01, dns-01.
[[nodiscard]] std::vector<std::string> known_challenges(const std::vector<std::string>& types);
// TLSGuardChallenges, with dns-01 where a name is a wildcard. Where dns-01 is among them: the line
// for its program, which has to be there, with a name that nobody has, for an administrator to
// change. Whether it was added.
bool add_challenges(Settings& settings, std::vector<std::string> types,
                    const std::vector<std::string>& names);
// Letters, digits, '-', '_', '.' only; else empty.
[[nodiscard]] std::string keep_word(const std::string& word);
// "33%", "14d", "20": a window of TLSGuardRenewWindow; else empty.
[[nodiscard]] std::string keep_window(const std::string& window);

// What to paste: remarks as comments, a section for each domain with its notes. agreed: the terms
// of service were accepted in the other program.
[[nodiscard]] std::string configuration_of(const std::vector<ImportedDomain>& domains, bool agreed,
                                           const std::vector<std::string>& remarks = {});

}  // namespace tlsguard::import

#endif
