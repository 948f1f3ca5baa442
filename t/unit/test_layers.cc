// SPDX-License-Identifier: Apache-2.0
// The layers of mod_tlsguard, read from the #include lines of its sources: a layer includes itself
// and lower ones, httpd and APR stay behind one header, and what is to be pure sees no OpenSSL.
#include "expect.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tlsguard::test {
namespace {

namespace fs = std::filesystem;

// Equal ranks do not see each other.
const std::map<std::string, int> ranks{
    {"core", 0},   {"crypto", 1}, {"hello", 1}, {"web", 1},    {"net", 1},   {"policy", 2},
    {"store", 3},  {"acme", 4},   {"ca", 4},    {"import", 4}, {"renew", 5}, {"live", 5},
    {"status", 6}, {"agent", 7},  {"ctl", 7},   {"httpd", 7},  {"module", 8}};
const std::set<std::string> without_openssl{"core", "hello", "web", "net", "store", "status"};

struct Include {
  bool quoted = false;
  std::string path;
};

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex line(R"(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  std::istringstream lines(text);
  for (std::string each; std::getline(lines, each);) {
    std::smatch match;
    if (std::regex_search(each, match, line)) found.push_back({match[1] == "\"", match[2]});
  }
  return found;
}

bool is_httpd_header(const std::string& path) {
  static const std::regex names(
      R"((apr|apu|ap_|httpd|http_|mod_|util_|unixd|scoreboard|mpm_|heartbeat|provider).*\.h)");
  return std::regex_match(path, names);
}

// What is wrong with an #include in this file (its path below mod_tlsguard/); empty: nothing.
std::string complaint(const std::string& file, const Include& include) {
  std::size_t slash = file.find('/');
  std::string layer = slash == std::string::npos ? "module" : file.substr(0, slash);
  auto own = ranks.find(layer);
  if (own == ranks.end()) return "is in no known layer";
  if (include.quoted) {
    std::string target = include.path.substr(0, include.path.find('/'));
    auto other = ranks.find(target);
    if (other == ranks.end()) return "includes what is in no layer";
    if (layer == "module" && target == "ctl") return "includes the command line";
    if (target != layer && other->second >= own->second) return "includes a layer not below it";
    return "";
  }
  if (is_httpd_header(include.path) && file != "httpd/includes.h") {
    return "includes httpd or APR, other than through httpd/includes.h";
  }
  if (include.path.starts_with("openssl/") && without_openssl.contains(layer)) {
    return "includes OpenSSL";
  }
  if (include.path.starts_with("curl/") && layer != "net") return "speaks HTTP by itself";
  if (include.path.starts_with("CLI/") && layer != "ctl") return "parses a command line";
  return "";
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Sources and headers, by their path below mod_tlsguard/.
std::map<std::string, std::string> sources() {
  const fs::path root = fs::path(TLSGUARD_SRCDIR) / "mod_tlsguard";
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".cc" && path.extension() != ".h") continue;
    found[path.lexically_relative(root).string()] = read(path);
  }
  return found;
}

std::string complaint(const std::string& file, const std::string& line) {
  auto includes = includes_of(line);
  ck_assert_uint_eq(includes.size(), 1);
  return complaint(file, includes.front());
}

START_TEST(the_rules_find_what_they_forbid) {
  for (auto [file, line] : std::vector<std::pair<const char*, const char*>>{
           {"core/text.h", "#include \"hello/reader.h\""},
           {"hello/verdict.cc", "#include \"crypto/openssl.h\""},
           {"hello/verdict.cc", "  # include <openssl/ssl.h>"},
           {"web/hsts.cc", "#include \"policy/policy.h\""},
           {"policy/tighten.cc", "#include \"live/board.h\""},
           {"ctl/probe.cc", "#include \"httpd/plan.h\""},
           {"httpd/plan.cc", "#include \"ctl/output.h\""},
           {"httpd/plan.cc", "#include <http_config.h>"},
           {"live/board.cc", "#include <apr_shm.h>"},
           {"policy/dump.cc", "#include <CLI/CLI.hpp>"},
           {"mod_tlsguard.cc", "#include \"ctl/output.h\""},
           {"mod_tlsguard.cc", "#include <httpd.h>"},
           {"nowhere/main.cc", "#include \"core/text.h\""},
           {"renew/spec.cc", "#include \"live/board.h\""},
           {"status/html.cc", "#include \"httpd/runtime.h\""},
           {"status/html.cc", "#include <openssl/ssl.h>"},
           {"live/board.cc", "#include \"status/model.h\""},
           {"httpd/parent.cc", "#include \"agent/control.h\""},
           {"core/text.cc", "#include \"text.h\""}}) {
    ck_assert_msg(!complaint(file, line).empty(), "%s: %s", file, line);
  }
  for (auto [file, line] : std::vector<std::pair<const char*, const char*>>{
           {"core/text.cc", "#include \"core/text.h\""},
           {"core/text.cc", "#include <string_view>"},
           {"policy/tighten.cc", "#include \"hello/verdict.h\""},
           {"policy/tighten.cc", "#include <openssl/ssl.h>"},
           {"httpd/includes.h", "#include <mod_ssl_openssl.h>"},
           {"mod_tlsguard.cc", "#include \"httpd/hooks.h\""},
           {"ctl/main.cc", "#include <CLI/CLI.hpp>"}}) {
    expect_text(complaint(file, line), "");
  }
}
END_TEST

START_TEST(layers_include_only_what_is_below) {
  auto all = sources();
  std::set<std::string> layers;
  for (const auto& [file, text] : all) {
    layers.insert(file.substr(0, file.find('/')));
    for (const Include& include : includes_of(text)) {
      std::string wrong = complaint(file, include);
      ck_assert_msg(wrong.empty(), "%s: %s: %s", file.c_str(), include.path.c_str(), wrong.c_str());
      ck_assert_msg(!include.quoted || all.contains(include.path), "%s: no %s", file.c_str(),
                    include.path.c_str());
    }
  }
  for (const char* layer : {"core", "crypto", "hello", "web", "policy", "store", "live", "status",
                            "ctl", "httpd", "mod_tlsguard.cc"}) {
    ck_assert_msg(layers.contains(layer), "nothing was read of %s", layer);
  }
}
END_TEST

// A source that the Makefile does not know is not in a tarball.
START_TEST(the_makefile_knows_every_source) {
  std::string makefile = read(fs::path(TLSGUARD_SRCDIR) / "Makefile.am");
  std::istringstream words(makefile);
  std::set<std::string> known{std::istream_iterator<std::string>(words), {}};
  for (const auto& [file, text] : sources()) {
    ck_assert_msg(known.contains("mod_tlsguard/" + file), "%s", file.c_str());
  }
}
END_TEST

START_TEST(every_source_names_its_licence_and_its_subject) {
  for (const auto& [file, text] : sources()) {
    ck_assert_msg(text.starts_with("// SPDX-License-Identifier: Apache-2.0\n"), "%s", file.c_str());
    ck_assert_msg(file.find("util") == std::string::npos, "%s", file.c_str());
  }
}
END_TEST

}  // namespace

Suite* layers_suite() {
  Suite* suite = suite_create("layers");
  TCase* tcase = tcase_create("layers");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, the_rules_find_what_they_forbid);
  tcase_add_test(tcase, layers_include_only_what_is_below);
  tcase_add_test(tcase, the_makefile_knows_every_source);
  tcase_add_test(tcase, every_source_names_its_licence_and_its_subject);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
