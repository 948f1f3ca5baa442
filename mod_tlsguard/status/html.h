// SPDX-License-Identifier: Apache-2.0
// The status page: one HTML document that needs nothing else, no script and no other file; light
// and dark, wide and narrow. Everything in it that is not ours is escaped. Pure; thread-safe.
#ifndef TLSGUARD_STATUS_HTML_H
#define TLSGUARD_STATUS_HTML_H

#include <string>
#include <string_view>

#include "status/model.h"

namespace tlsguard::status {

// model: after choose_domains(). The hosts of the page are chosen here.
[[nodiscard]] std::string to_html(Model& model);

// Of the page's parts (html_troubles.cc, html_domains.cc, html_files.cc, html_hosts.cc,
// html_advice.cc). "" where there is nothing to be said of troubles, files or advice.
[[nodiscard]] std::string troubles_section(const Model& model);
[[nodiscard]] std::string domains_section(const Model& model);
[[nodiscard]] std::string files_section(const Model& model);
[[nodiscard]] std::string hosts_section(Model& model);
[[nodiscard]] std::string advice_section(const Model& model);
// A class of the style sheet.
[[nodiscard]] std::string_view color_of(Health health);
// "1 2 3 … 200"; "" where one page has all. hosts: of the virtual hosts, else of domains.
[[nodiscard]] std::string pager(const Query& query, const Page& page, bool hosts);
// Below a list: what of it is shown, and the pager; "" where neither says anything.
[[nodiscard]] std::string foot(std::string_view shown, std::string_view pages);
// The one style sheet, for <style>.
[[nodiscard]] std::string_view style_sheet();

}  // namespace tlsguard::status

#endif
