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

// Of the page's parts (html_domains.cc, html_hosts.cc).
[[nodiscard]] std::string domains_section(const Model& model);
[[nodiscard]] std::string hosts_section(Model& model);
// "1 2 3 … 200"; "" where one page has all. hosts: of the virtual hosts, else of domains.
[[nodiscard]] std::string pager(const Query& query, const Page& page, bool hosts);
// The one style sheet, for <style>.
[[nodiscard]] std::string_view style_sheet();

}  // namespace tlsguard::status

#endif
