// SPDX-License-Identifier: Apache-2.0
#include "httpd/directives.h"

#include <algorithm>
#include <iterator>

#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/ssl_directives.h"

namespace tlsguard::httpd {

namespace {

template <typename T>
Written<T> written(const Use& use, T value) {
  return {std::move(value), use.place};
}

Result<void> need_words(const Use& use, std::size_t least, std::size_t most, const char* syntax) {
  if (use.words.size() >= least && use.words.size() <= most) return {};
  return fail(fmt::format("takes {}", syntax));
}

std::vector<std::string_view> views(const Use& use) { return {use.words.begin(), use.words.end()}; }

// Lists may be written with spaces or as OpenSSL does, with colons.
std::vector<std::string> list(const Use& use) { return split(join(use.words, ":"), ":"); }

Result<void> take_engine(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "on, report or off"); !wrong) return wrong;
  const std::pair<const char*, Engine> values[] = {
      {"on", Engine::on}, {"report", Engine::report}, {"off", Engine::off}};
  for (const auto& [name, value] : values) {
    if (!equal_ignoring_case(use.words[0], name)) continue;
    use.conf.engine = written(use, value);
    return {};
  }
  return fail(fmt::format("unknown value '{}': valid are on, report and off", use.words[0]));
}

Result<void> take_policy(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one policy: name or name@version"); !wrong) return wrong;
  use.conf.policy = written(use, use.words[0]);  // may be defined further down: judged later
  return {};
}

Result<void> take_report_policy(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one policy (name or name@version) or none"); !wrong) {
    return wrong;
  }
  bool none = equal_ignoring_case(use.words[0], "none");
  use.conf.report_policy = written(use, none ? std::string() : use.words[0]);
  return {};
}

Result<void> take_protocol(Use& use, Setting<Protocol> ServerConf::*member) {
  if (auto wrong = need_words(use, 1, 1, "one of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3"); !wrong) {
    return wrong;
  }
  auto protocol = parse_protocol(use.words[0]);
  if (!protocol) return tl::unexpected(protocol.error());
  use.conf.*member = written(use, *protocol);
  return {};
}

Result<void> take_min_protocol(Use& use) { return take_protocol(use, &ServerConf::min_protocol); }
Result<void> take_max_protocol(Use& use) { return take_protocol(use, &ServerConf::max_protocol); }

Result<void> take_cipher_suite(Use& use) {
  if (auto wrong = need_words(use, 1, 2, "[TLSv1.3] and a cipher list as SSLCipherSuite has it");
      !wrong) {
    return wrong;
  }
  const std::string& spec = use.words.back();
  if (use.words.size() == 1) {
    if (auto wrong = policy::check_cipher_suite(spec); !wrong) return wrong;
    use.conf.cipher_suite = written(use, spec);
    return {};
  }
  if (!equal_ignoring_case(use.words[0], "TLSv1.3")) {
    return fail(
        fmt::format("unknown protocol '{}': only TLSv1.3 may stand before the list", use.words[0]));
  }
  if (auto wrong = policy::check_tls13_cipher_suite(spec); !wrong) return wrong;
  use.conf.tls13_cipher_suite = written(use, spec);
  return {};
}

using Names = std::vector<std::string>;

Result<void> take_names(Use& use, Setting<Names> ServerConf::*member,
                        Result<void> (*check)(const Names&), const char* what) {
  if (use.words.empty()) return fail(fmt::format("takes one {} at least", what));
  Names names = list(use);
  if (auto wrong = check(names); !wrong) return wrong;
  use.conf.*member = written(use, std::move(names));
  return {};
}

Result<void> take_groups(Use& use) {
  return take_names(use, &ServerConf::groups, policy::check_groups, "group");
}

Result<void> take_signature_algorithms(Use& use) {
  return take_names(use, &ServerConf::signature_algorithms, policy::check_signature_algorithms,
                    "signature algorithm");
}

Result<void> take_floor(Use& use) {
  if (use.words.empty()) return fail("takes a policy, then perhaps: except server-name …");
  Floor floor{use.words[0], {}};
  if (use.words.size() > 1) {
    if (!equal_ignoring_case(use.words[1], "except")) {
      return fail(
          fmt::format("unexpected '{}': after the policy only 'except' and server names "
                      "may follow",
                      use.words[1]));
    }
    if (use.words.size() == 2) return fail("'except' without a server name");
    std::transform(use.words.begin() + 2, use.words.end(), std::back_inserter(floor.except),
                   [](const std::string& name) { return to_lower(name); });
  }
  use.conf.floor = written(use, std::move(floor));
  return {};
}

Result<void> take_strict_sni(Use& use) {
  bool on = use.words.size() == 1 && equal_ignoring_case(use.words[0], "on");
  bool off = use.words.size() == 1 && equal_ignoring_case(use.words[0], "off");
  if (!on && !off) {
    return fail(fmt::format("unknown value '{}': valid are on and off", join(use.words, " ")));
  }
  use.conf.strict_sni = written(use, on);
  return {};
}

// The parsers of web/ name their directive themselves: the name is cut off again here, since the
// handler puts it before every text.
template <typename T>
Result<void> keep(Use& use, Setting<T> ServerConf::*member, Result<T> parsed) {
  if (!parsed) return tl::unexpected(parsed.error());
  use.conf.*member = written(use, std::move(*parsed));
  return {};
}

Result<void> take_hsts(Use& use) {
  return keep(use, &ServerConf::hsts, web::parse_hsts(views(use)));
}
Result<void> take_hsts_ramp(Use& use) {
  return keep(use, &ServerConf::hsts_ramp, web::parse_hsts_ramp(views(use)));
}
Result<void> take_require_https(Use& use) {
  return keep(use, &ServerConf::require_https, web::parse_require_https(join(use.words, " ")));
}
Result<void> take_trusted_proxy(Use& use) {
  return keep(use, &ServerConf::trusted_proxies, web::parse_trusted_proxies(views(use)));
}
Result<void> take_port_map(Use& use) {
  return keep(use, &ServerConf::port_map, web::parse_port_map(views(use)));
}

Result<void> take_store(Use& use) {
  if (auto wrong = need_words(use, 1, 1, "one path"); !wrong) return wrong;
  if (use.words[0].empty()) return fail("takes one path");
  use.conf.store = written(use, use.words[0]);
  return {};
}

// --- the table ------------------------------------------------------------------------------

enum class Scope { server, virtual_host };

struct Row {
  const char* name;
  Take take;
  Scope scope;
  int where;                  // httpd's override flags
  bool in_policy_definition;  // one of the five settings
  const char* help;
};

constexpr int everywhere_outside = RSRC_CONF;
constexpr int also_in_directories = RSRC_CONF | OR_AUTHCFG;

constexpr Row rows[] = {
    {"TLSGuardEngine", take_engine, Scope::virtual_host, everywhere_outside, false,
     "on, report or off: enforce the policy, judge only, do not look"},
    {"TLSGuardPolicy", take_policy, Scope::virtual_host, everywhere_outside, false,
     "the policy in force: name or name@version"},
    {"TLSGuardReportPolicy", take_report_policy, Scope::virtual_host, everywhere_outside, false,
     "a second policy, judged and counted only: name, name@version or none"},
    {"TLSGuardMinProtocol", take_min_protocol, Scope::virtual_host, everywhere_outside, true,
     "the lowest TLS version: TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
    {"TLSGuardMaxProtocol", take_max_protocol, Scope::virtual_host, everywhere_outside, true,
     "the highest TLS version: TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
    {"TLSGuardCipherSuite", take_cipher_suite, Scope::virtual_host, everywhere_outside, true,
     "[TLSv1.3] and the ciphers, as SSLCipherSuite has them"},
    {"TLSGuardGroups", take_groups, Scope::virtual_host, everywhere_outside, true,
     "the key exchange groups, in order"},
    {"TLSGuardSignatureAlgorithms", take_signature_algorithms, Scope::virtual_host,
     everywhere_outside, true, "the signature algorithms, in order"},
    {"TLSGuardFloor", take_floor, Scope::server, everywhere_outside, false,
     "a policy no virtual host may be weaker than, then perhaps: except server-name ..."},
    {"TLSGuardStrictSNI", take_strict_sni, Scope::virtual_host, everywhere_outside, false,
     "on or off: refuse handshakes with no or an unknown server name"},
    {"TLSGuardHSTS", take_hsts, Scope::virtual_host, everywhere_outside, false,
     "off, on or max-age=duration, then perhaps includeSubDomains and preload"},
    {"TLSGuardHSTSRamp", take_hsts_ramp, Scope::virtual_host, everywhere_outside, false,
     "durations that max-age is raised by, step by step"},
    {"TLSGuardRequireHTTPS", take_require_https, Scope::virtual_host, everywhere_outside, false,
     "off, temporary, permanent or refuse: what becomes of a request in clear"},
    {"TLSGuardTrustedProxy", take_trusted_proxy, Scope::virtual_host, everywhere_outside, false,
     "addresses and blocks whose X-Forwarded-Proto and Forwarded fields are believed"},
    {"TLSGuardPortMap", take_port_map, Scope::server, everywhere_outside, false,
     "http:port|- https:port|-: our ports that receive the outside's ports 80 and 443"},
    {"TLSGuardStore", take_store, Scope::server, everywhere_outside, false,
     "the directory that state is kept in"},
    // httpd's and mod_ssl's own, with their flags.
    {"ServerName", record_server_name, Scope::virtual_host, everywhere_outside, false, nullptr},
    {"SSLEngine", record_ssl_engine, Scope::virtual_host, everywhere_outside, false, nullptr},
    {"SSLProtocol", record_ssl_protocol, Scope::virtual_host, everywhere_outside, false, nullptr},
    {"SSLCipherSuite", record_ssl_cipher_suite, Scope::virtual_host, also_in_directories, false,
     nullptr},
    {"SSLHonorCipherOrder", record_ssl_honor_cipher_order, Scope::virtual_host, everywhere_outside,
     false, nullptr},
    {"SSLSessionTickets", record_ssl_session_tickets, Scope::virtual_host, everywhere_outside,
     false, nullptr},
    {"SSLSessionTicketKeyFile", record_ssl_session_ticket_key_file, Scope::virtual_host,
     everywhere_outside, false, nullptr},
    {"SSLStrictSNIVHostCheck", record_ssl_strict_sni, Scope::virtual_host, everywhere_outside,
     false, nullptr},
    {"SSLOpenSSLConfCmd", record_ssl_open_ssl_conf_cmd, Scope::virtual_host, everywhere_outside,
     false, nullptr},
    {"SSLCertificateFile", record_ssl_certificate_file, Scope::virtual_host, everywhere_outside,
     false, nullptr},
};

bool is_recorded(const Row& row) { return row.help == nullptr; }

std::vector<std::string> words_of(apr_pool_t* pool, const char* args) {
  std::vector<std::string> words;
  while (*args != '\0') {
    const char* word = ap_getword_conf(pool, &args);
    if (*word != '\0' || *args != '\0') words.emplace_back(word);
  }
  return words;
}

Place place_of(const ap_directive_t* directive) {
  return {directive->filename != nullptr ? directive->filename : "", directive->line_num};
}

const char* answer(apr_pool_t* pool, const char* directive, const Result<void>& result) {
  if (result) return nullptr;
  // Some texts begin with the directive's name already.
  if (result.error().text.starts_with(directive)) {
    return apr_pstrdup(pool, result.error().text.c_str());
  }
  return apr_pstrcat(pool, directive, ": ", result.error().text.c_str(), nullptr);
}

extern "C" const char* on_directive(cmd_parms* cmd, void*, const char* args) noexcept {
  return guard("on_directive", "an internal error, see the error log", [&]() -> const char* {
    const Row& row = *static_cast<const Row*>(cmd->info);
    if (row.scope == Scope::server) {
      if (const char* wrong = ap_check_cmd_context(cmd, NOT_IN_VIRTUALHOST)) return wrong;
    }
    Use use{*conf_of(cmd->server), place_of(cmd->directive), words_of(cmd->temp_pool, args),
            cmd->path != nullptr, ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != nullptr};
    auto result = row.take(use);
    return is_recorded(row) ? nullptr : answer(cmd->pool, row.name, result);
  });
}

// The five settings inside <TLSGuardDefinePolicy>, into a ServerConf of their own.
const char* take_definition_body(cmd_parms* cmd, ServerConf& conf) {
  for (ap_directive_t* child = cmd->directive->first_child; child != nullptr; child = child->next) {
    const Row* row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& candidate) {
      return candidate.in_policy_definition &&
             equal_ignoring_case(candidate.name, child->directive);
    });
    cmd->err_directive = child;
    if (row == std::end(rows)) {
      return apr_psprintf(cmd->pool,
                          "%s may not stand in <TLSGuardDefinePolicy>: valid are "
                          "TLSGuardMinProtocol, TLSGuardMaxProtocol, TLSGuardCipherSuite, "
                          "TLSGuardGroups and TLSGuardSignatureAlgorithms",
                          child->directive);
    }
    Use use{conf, place_of(child), words_of(cmd->temp_pool, child->args)};
    if (const char* wrong = answer(cmd->pool, row->name, row->take(use))) return wrong;
  }
  cmd->err_directive = nullptr;
  return nullptr;
}

extern "C" const char* on_define_policy(cmd_parms* cmd, void*, const char* args) noexcept {
  return guard("on_define_policy", "an internal error, see the error log", [&]() -> const char* {
    constexpr const char* name = "<TLSGuardDefinePolicy>";
    if (const char* wrong = ap_check_cmd_context(cmd, NOT_IN_VIRTUALHOST | NOT_IN_HTACCESS)) {
      return wrong;
    }
    std::string_view arguments = trim(args);
    if (!arguments.ends_with('>')) {
      return apr_pstrcat(cmd->pool, name, ": the closing '>' is missing", nullptr);
    }
    arguments.remove_suffix(1);
    auto words = words_of(cmd->temp_pool, std::string(arguments).c_str());
    constexpr std::string_view from_prefix = "from=";
    bool from_given = words.size() == 2 &&
                      equal_ignoring_case(words[1].substr(0, from_prefix.size()), from_prefix);
    if (words.empty() || words.size() > 2) {
      return apr_pstrcat(cmd->pool, name, ": takes a name, then perhaps from=policy", nullptr);
    }
    if (words.size() == 2 && (!from_given || words[1].size() == from_prefix.size())) {
      return apr_psprintf(cmd->pool,
                          "%s: '%s' is not understood: after the name, from=policy may "
                          "follow",
                          name, words[1].c_str());
    }
    ServerConf body;
    if (const char* wrong = take_definition_body(cmd, body)) return wrong;
    conf_of(cmd->server)
        ->defined_policies.push_back({words[0],
                                      from_given ? words[1].substr(from_prefix.size()) : "",
                                      settings_of(body), place_of(cmd->directive)});
    return nullptr;
  });
}

constexpr std::size_t row_count = std::size(rows);

constexpr CommandTable make_command_table() {
  CommandTable table{};
  static_assert(row_count + 2 <= std::size(table.commands));
  for (std::size_t i = 0; i < row_count; ++i) {
    const char* help = rows[i].help != nullptr ? rows[i].help : "recorded by mod_tlsguard";
    table.commands[i] = AP_INIT_RAW_ARGS(rows[i].name, on_directive, const_cast<Row*>(&rows[i]),
                                         rows[i].where, help);
  }
  table.commands[row_count] =
      AP_INIT_RAW_ARGS("<TLSGuardDefinePolicy", on_define_policy, nullptr, RSRC_CONF,
                       "a policy of one's own: name, then perhaps from=policy");
  return table;
}

}  // namespace

constinit const CommandTable command_table = make_command_table();

}  // namespace tlsguard::httpd
