// SPDX-License-Identifier: Apache-2.0
#include "httpd/ssl_directives.h"

#include <charconv>
#include <utility>

#include "core/text.h"

namespace tlsguard::httpd {

namespace {

// What mod_ssl appends to every cipher string.
constexpr const char* always_excluded = ":!aNULL:!eNULL:!EXP";

template <typename T>
void record(Use& use, Setting<T> ServerConf::*member, Setting<T> ServerConf::*above, T value) {
  use.conf.*above = std::exchange(use.conf.*member, Written<T>{std::move(value), use.place});
}

void record_flag(Use& use, Setting<bool> ServerConf::*member) {
  if (use.words.size() != 1) return;
  use.conf.*member = Written<bool>{equal_ignoring_case(use.words[0], "on"), use.place};
}

}  // namespace

Result<void> record_ssl_engine(Use& use) {
  record_flag(use, &ServerConf::ssl_engine);
  return {};
}

Result<void> record_ssl_protocol(Use& use) {
  ProtocolSet set;
  for (std::string_view word : use.words) {
    char action = word.starts_with('+') || word.starts_with('-') ? word[0] : '=';
    if (action != '=') word.remove_prefix(1);
    ProtocolSet named;
    if (equal_ignoring_case(word, "all")) {
      named = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_3);
    } else if (auto protocol = parse_protocol(word)) {
      named.add(*protocol);
    } else if (action == '-' && equal_ignoring_case(word, "SSLv2")) {
      continue;  // of old times; any other use of it is an error of mod_ssl
    } else if (!equal_ignoring_case(word, "SSLv3")) {
      return {};  // mod_ssl's to complain about
    }
    if (action == '=') set = ProtocolSet{};
    for (Protocol p : all_protocols) {
      if (!named.has(p)) continue;
      if (action == '-') {
        set.remove(p);
      } else {
        set.add(p);
      }
    }
  }
  record(use, &ServerConf::ssl_protocol, &ServerConf::ssl_protocol_above, set);
  return {};
}

Result<void> record_ssl_cipher_suite(Use& use) {
  if (use.words.empty() || use.words.size() > 2) return {};
  const std::string& spec = use.words.back();
  if (use.words.size() == 2 && use.words[0] == "TLSv1.3") {
    record(use, &ServerConf::ssl_tls13_cipher_suite, &ServerConf::ssl_tls13_cipher_suite_above,
           spec);
  } else if (!use.in_directory) {
    record(use, &ServerConf::ssl_cipher_suite, &ServerConf::ssl_cipher_suite_above,
           spec + always_excluded);
  } else if (!use.in_htaccess) {  // at request time nothing may be written into the configuration
    use.conf.directory_cipher_suites.push_back({spec + always_excluded, use.place});
  }
  return {};
}

Result<void> record_ssl_honor_cipher_order(Use& use) {
  if (use.words.size() != 1) return {};
  record(use, &ServerConf::ssl_honor_cipher_order, &ServerConf::ssl_honor_cipher_order_above,
         equal_ignoring_case(use.words[0], "on"));
  return {};
}

Result<void> record_ssl_session_tickets(Use& use) {
  record_flag(use, &ServerConf::ssl_session_tickets);
  return {};
}

Result<void> record_ssl_session_ticket_key_file(Use& use) {
  if (use.words.size() != 1) return {};
  use.conf.ssl_ticket_key_file = Written<std::string>{use.words[0], use.place};
  return {};
}

Result<void> record_ssl_strict_sni(Use& use) {
  record_flag(use, &ServerConf::ssl_strict_sni);
  return {};
}

Result<void> record_ssl_open_ssl_conf_cmd(Use& use) {
  if (use.words.size() != 2) return {};
  std::string value = use.words[1];
  if (use.words[0] == "CipherString") value += always_excluded;
  use.conf.ssl_conf_cmds.emplace_back(use.words[0], std::move(value));
  return {};
}

Result<void> record_ssl_certificate_file(Use& use) {
  if (use.words.size() == 1) use.conf.ssl_certificate_files.push_back({use.words[0], use.place});
  return {};
}

Result<void> record_server_name(Use& use) {
  if (use.words.size() != 1) return {};
  use.conf.server_name = true;
  // [scheme://]name[:port]; an IPv6 address stands in brackets.
  std::string_view name = use.words[0];
  auto colon = name.rfind(':');
  if (colon == std::string_view::npos || name.find(']', colon) != std::string_view::npos) return {};
  std::string_view digits = name.substr(colon + 1);
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error == std::errc() && end == digits.data() + digits.size() && port != 0) {
    use.conf.server_name_port = Written<std::uint16_t>{port, use.place};
  }
  return {};
}

Result<void> record_ssl_use_stapling(Use& use) {
  record_flag(use, &ServerConf::ssl_use_stapling);
  return {};
}

Result<void> record_ssl_stapling_force_url(Use& use) {
  use.conf.ssl_staple_url = true;
  return {};
}

Result<void> record_core_dump_directory(Use& use) {
  if (use.words.size() == 1) {
    use.conf.core_dump_directory = Written<std::string>{use.words[0], use.place};
  }
  return {};
}

Result<void> record_md_names(Use& use) {
  if (ap_find_linked_module("mod_md.c") == nullptr) {
    return fail(
        "invalid command, perhaps misspelled or defined by a module not included in the server "
        "configuration");
  }
  std::vector<std::string> names;
  for (const std::string& word : use.words) {
    if (equal_ignoring_case(word, "auto") || equal_ignoring_case(word, "manual")) continue;
    names.push_back(to_lower(word));
  }
  if (!names.empty()) use.conf.md_names.push_back({std::move(names), use.place});
  return {};
}

policy::SslDirectives ssl_directives_of(const ServerConf& conf) {
  policy::SslDirectives directives;
  if (conf.ssl_protocol) directives.protocols = conf.ssl_protocol->value;
  if (conf.ssl_cipher_suite) directives.cipher_suite = conf.ssl_cipher_suite->value;
  if (conf.ssl_tls13_cipher_suite) {
    directives.tls13_cipher_suite = conf.ssl_tls13_cipher_suite->value;
  }
  if (conf.ssl_honor_cipher_order) {
    directives.honor_cipher_order = conf.ssl_honor_cipher_order->value;
  }
  if (conf.ssl_session_tickets) directives.session_tickets = conf.ssl_session_tickets->value;
  directives.conf_cmds = conf.ssl_conf_cmds;
  return directives;
}

}  // namespace tlsguard::httpd
