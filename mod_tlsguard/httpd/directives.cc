// SPDX-License-Identifier: Apache-2.0
#include "httpd/directives.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "core/text.h"
#include "httpd/conf_of.h"
#include "httpd/domain_directives.h"
#include "httpd/guard.h"
#include "httpd/guard_directives.h"
#include "httpd/ssl_directives.h"

namespace tlsguard::httpd {

namespace {

enum class Scope { server, virtual_host };
// The section of ours that it may stand in, too.
enum class Inside { none, policy_definition, domain };

struct Row {
  const char* name;
  Take take;
  Scope scope;
  int where;  // httpd's override flags
  Inside inside;
  const char* help;
};

constexpr int everywhere_outside = RSRC_CONF;
constexpr int also_in_directories = RSRC_CONF | OR_AUTHCFG;

constexpr Row rows[] = {
    {"TLSGuardEngine", take_engine, Scope::virtual_host, everywhere_outside, Inside::none,
     "on, report or off: enforce the policy, judge only, do not look"},
    {"TLSGuardPolicy", take_policy, Scope::virtual_host, everywhere_outside, Inside::none,
     "the policy in force: name or name@version"},
    {"TLSGuardReportPolicy", take_report_policy, Scope::virtual_host, everywhere_outside,
     Inside::none, "a second policy, judged and counted only: name, name@version or none"},
    {"TLSGuardMinProtocol", take_min_protocol, Scope::virtual_host, everywhere_outside,
     Inside::policy_definition, "the lowest TLS version: TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
    {"TLSGuardMaxProtocol", take_max_protocol, Scope::virtual_host, everywhere_outside,
     Inside::policy_definition, "the highest TLS version: TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"},
    {"TLSGuardCipherSuite", take_cipher_suite, Scope::virtual_host, everywhere_outside,
     Inside::policy_definition, "[TLSv1.3] and the ciphers, as SSLCipherSuite has them"},
    {"TLSGuardGroups", take_groups, Scope::virtual_host, everywhere_outside,
     Inside::policy_definition, "the key exchange groups, in order"},
    {"TLSGuardSignatureAlgorithms", take_signature_algorithms, Scope::virtual_host,
     everywhere_outside, Inside::policy_definition, "the signature algorithms, in order"},
    {"TLSGuardFloor", take_floor, Scope::server, everywhere_outside, Inside::none,
     "a policy no virtual host may be weaker than, then perhaps: except server-name ..."},
    {"TLSGuardStrictSNI", take_strict_sni, Scope::virtual_host, everywhere_outside, Inside::none,
     "on or off: refuse handshakes with no or an unknown server name"},
    {"TLSGuardHSTS", take_hsts, Scope::virtual_host, everywhere_outside, Inside::none,
     "off, on or max-age=duration, then perhaps includeSubDomains and preload"},
    {"TLSGuardHSTSRamp", take_hsts_ramp, Scope::virtual_host, everywhere_outside, Inside::none,
     "durations that max-age is raised by, step by step"},
    {"TLSGuardRequireHTTPS", take_require_https, Scope::virtual_host, everywhere_outside,
     Inside::domain, "off, temporary, permanent or refuse: what becomes of a request in clear"},
    {"TLSGuardTrustedProxy", take_trusted_proxy, Scope::virtual_host, everywhere_outside,
     Inside::none,
     "addresses and blocks whose X-Forwarded-Proto and Forwarded fields are believed"},
    {"TLSGuardPortMap", take_port_map, Scope::server, everywhere_outside, Inside::none,
     "http:port|- https:port|-: our ports that receive the outside's ports 80 and 443"},
    {"TLSGuardStore", take_store, Scope::server, everywhere_outside, Inside::none,
     "the directory that state is kept in"},
    {"TLSGuardDomain", take_domain, Scope::virtual_host, everywhere_outside, Inside::none,
     "the names of one managed certificate; none: those of the virtual host"},
    {"TLSGuardDomainList", take_domain_list, Scope::virtual_host, everywhere_outside, Inside::none,
     "a file with the names of one managed certificate a line"},
    {"TLSGuardCA", take_ca, Scope::virtual_host, everywhere_outside, Inside::domain,
     "CAs in order, by name or by the URL of an ACME directory"},
    {"TLSGuardAgreement", take_agreement, Scope::virtual_host, everywhere_outside, Inside::domain,
     "accepted: the terms of service of every CA listed"},
    {"TLSGuardContact", take_contact, Scope::virtual_host, everywhere_outside, Inside::domain,
     "e-mail addresses for the CA"},
    {"TLSGuardExternalAccount", take_external_account, Scope::virtual_host, everywhere_outside,
     Inside::domain, "[ca] kid hmac, or [ca] file: the account that a CA gave out"},
    {"TLSGuardChallenges", take_challenges, Scope::virtual_host, everywhere_outside, Inside::domain,
     "challenge types, in order"},
    {"TLSGuardDNSCommand", take_dns_command, Scope::virtual_host, everywhere_outside,
     Inside::domain, "the program that sets and removes TXT records, and its arguments"},
    {"TLSGuardKeyTypes", take_key_types, Scope::virtual_host, everywhere_outside, Inside::domain,
     "P-256, P-384, rsa2048, rsa3072, rsa4096: one certificate each"},
    {"TLSGuardCAProfile", take_ca_profile, Scope::virtual_host, everywhere_outside, Inside::domain,
     "the CA's profile for certificates, then perhaps required"},
    {"TLSGuardPreferredChain", take_preferred_chain, Scope::virtual_host, everywhere_outside,
     Inside::domain, "the name of the issuer that the chain shall lead to"},
    {"TLSGuardRenewWindow", take_renew_window, Scope::virtual_host, everywhere_outside,
     Inside::domain, "how long before its end a certificate is renewed: duration or percent"},
    {"TLSGuardARI", take_ari, Scope::virtual_host, everywhere_outside, Inside::domain,
     "on or off: ask the CA when to renew"},
    {"TLSGuardWarnWindow", take_warn_window, Scope::virtual_host, everywhere_outside,
     Inside::domain, "how long before its end an alert is given: duration or percent"},
    {"TLSGuardRenew", take_renew, Scope::virtual_host, everywhere_outside, Inside::domain,
     "auto or manual"},
    {"TLSGuardCATrust", take_ca_trust, Scope::virtual_host, everywhere_outside, Inside::domain,
     "the roots by which the CA's server is trusted"},
    {"TLSGuardHTTPProxy", take_http_proxy, Scope::virtual_host, everywhere_outside, Inside::domain,
     "the proxy through which the CA's server is reached"},
    {"TLSGuardInternalCANames", take_internal_ca_names, Scope::server, everywhere_outside,
     Inside::none, "names and networks that the internal CA's root is constrained to"},
    {"TLSGuardEvent", take_event, Scope::virtual_host, everywhere_outside, Inside::domain,
     "command path [arg ...], webhook url [keyfile], or none: who is told of events"},
    {"TLSGuardAgentUser", take_agent_user, Scope::server, everywhere_outside, Inside::none,
     "the user that obtains certificates"},
    {"TLSGuardAgentProgram", take_agent_program, Scope::server, everywhere_outside, Inside::none,
     "the path of tlsguard-agent"},
    // httpd's, mod_ssl's and mod_md's own, with their flags.
    {"ServerName", record_server_name, Scope::virtual_host, everywhere_outside, Inside::none,
     nullptr},
    {"SSLEngine", record_ssl_engine, Scope::virtual_host, everywhere_outside, Inside::none,
     nullptr},
    {"SSLProtocol", record_ssl_protocol, Scope::virtual_host, everywhere_outside, Inside::none,
     nullptr},
    {"SSLCipherSuite", record_ssl_cipher_suite, Scope::virtual_host, also_in_directories,
     Inside::none, nullptr},
    {"SSLHonorCipherOrder", record_ssl_honor_cipher_order, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
    {"SSLSessionTickets", record_ssl_session_tickets, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
    {"SSLSessionTicketKeyFile", record_ssl_session_ticket_key_file, Scope::virtual_host,
     everywhere_outside, Inside::none, nullptr},
    {"SSLStrictSNIVHostCheck", record_ssl_strict_sni, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
    {"SSLOpenSSLConfCmd", record_ssl_open_ssl_conf_cmd, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
    {"SSLUseStapling", record_ssl_use_stapling, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
    {"SSLStaplingForceURL", record_ssl_stapling_force_url, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
    {"CoreDumpDirectory", record_core_dump_directory, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
    {"MDomain", record_md_names, Scope::virtual_host, everywhere_outside, Inside::none,
     "recorded by mod_tlsguard"},
    {"MDMember", record_md_names, Scope::virtual_host, everywhere_outside, Inside::none,
     "recorded by mod_tlsguard"},
    {"SSLCertificateFile", record_ssl_certificate_file, Scope::virtual_host, everywhere_outside,
     Inside::none, nullptr},
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

// What a <TLSGuardDomain> has collected; its directive's `data` while its body is read.
struct DomainSection {
  ServerConf conf;
};

constexpr const char* domain_section = "<TLSGuardDomain";

// Null: the directive does not stand inside of one.
DomainSection* section_of(const ap_directive_t* directive) {
  const ap_directive_t* parent = directive->parent;
  bool inside = parent != nullptr && equal_ignoring_case(parent->directive, domain_section);
  return inside ? static_cast<DomainSection*>(parent->data) : nullptr;
}

extern "C" const char* on_directive(cmd_parms* cmd, void*, const char* args) noexcept {
  return guard("on_directive", "an internal error, see the error log", [&]() -> const char* {
    const Row& row = *static_cast<const Row*>(cmd->info);
    if (row.scope == Scope::server) {
      if (const char* wrong = ap_check_cmd_context(cmd, NOT_IN_VIRTUALHOST)) return wrong;
    }
    DomainSection* section = section_of(cmd->directive);
    Use use{cmd->temp_pool,           section != nullptr ? section->conf : *conf_of(cmd->server),
            place_of(cmd->directive), words_of(cmd->temp_pool, args),
            cmd->path != nullptr,     ap_check_cmd_context(cmd, NOT_IN_HTACCESS) != nullptr};
    auto result = row.take(use);
    return is_recorded(row) ? nullptr : answer(cmd->pool, row.name, result);
  });
}

// The five settings inside <TLSGuardDefinePolicy>, into a ServerConf of their own.
const char* take_definition_body(cmd_parms* cmd, ServerConf& conf) {
  for (ap_directive_t* child = cmd->directive->first_child; child != nullptr; child = child->next) {
    const Row* row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& candidate) {
      return candidate.inside == Inside::policy_definition &&
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
    Use use{cmd->temp_pool, conf, place_of(child), words_of(cmd->temp_pool, child->args)};
    if (const char* wrong = answer(cmd->pool, row->name, row->take(use))) return wrong;
  }
  cmd->err_directive = nullptr;
  return nullptr;
}

// What stands behind a section's name.
Result<std::vector<std::string>> section_words(const cmd_parms* cmd, const char* args) {
  std::string_view arguments = trim(args);
  if (!arguments.ends_with('>')) return fail("the closing '>' is missing");
  arguments.remove_suffix(1);
  return words_of(cmd->temp_pool, std::string(arguments).c_str());
}

extern "C" const char* on_define_policy(cmd_parms* cmd, void*, const char* args) noexcept {
  return guard("on_define_policy", "an internal error, see the error log", [&]() -> const char* {
    constexpr const char* name = "<TLSGuardDefinePolicy>";
    if (const char* wrong = ap_check_cmd_context(cmd, NOT_IN_VIRTUALHOST | NOT_IN_HTACCESS)) {
      return wrong;
    }
    auto arguments = section_words(cmd, args);
    if (!arguments) return answer(cmd->pool, name, tl::unexpected(arguments.error()));
    const auto& words = *arguments;
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

// Others' directives would be taken as if they stood outside.
const char* check_domain_body(cmd_parms* cmd) {
  for (const ap_directive_t* child = cmd->directive->first_child; child != nullptr;
       child = child->next) {
    std::vector<std::string> valid;
    bool known = false;
    for (const Row& row : rows) {
      if (row.inside != Inside::domain) continue;
      valid.emplace_back(row.name);
      known |= equal_ignoring_case(row.name, child->directive);
    }
    if (known) continue;
    cmd->err_directive = child;
    return apr_psprintf(cmd->pool, "%s may not stand in <TLSGuardDomain>: valid are %s",
                        child->directive, join(valid, ", ").c_str());
  }
  return nullptr;
}

extern "C" const char* on_domain_section(cmd_parms* cmd, void*, const char* args) noexcept {
  return guard("on_domain_section", "an internal error, see the error log", [&]() -> const char* {
    constexpr const char* name = "<TLSGuardDomain>";
    if (const char* wrong = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT)) return wrong;
    auto words = section_words(cmd, args);
    if (!words) return answer(cmd->pool, name, tl::unexpected(words.error()));
    DeclaredDomain domain;
    domain.place = place_of(cmd->directive);
    if (!words->empty()) {
      auto names = domain_names(*words);
      if (!names) return answer(cmd->pool, name, tl::unexpected(names.error()));
      domain.names = std::move(*names);
    }
    if (const char* wrong = check_domain_body(cmd)) return wrong;
    auto section = std::make_unique<DomainSection>();
    cmd->directive->data = section.get();
    const char* wrong =
        ap_walk_config(cmd->directive->first_child, cmd, cmd->server->lookup_defaults);
    cmd->directive->data = nullptr;
    if (wrong != nullptr) return wrong;
    domain.settings = std::move(section->conf.domain_conf);
    domain.require_https = std::move(section->conf.require_https);
    conf_of(cmd->server)->domains.push_back(std::move(domain));
    return nullptr;
  });
}

// mod_md's sections; their bodies are mod_md's to walk through.
extern "C" const char* on_md_section(cmd_parms* cmd, void*, const char* args) noexcept {
  return guard("on_md_section", "an internal error, see the error log", [&]() -> const char* {
    auto words = section_words(cmd, args);
    if (!words) return nullptr;  // mod_md's to complain of
    Use use{cmd->temp_pool, *conf_of(cmd->server), place_of(cmd->directive), std::move(*words)};
    return answer(cmd->pool, "<MDomain>", record_md_names(use));
  });
}

constexpr std::size_t row_count = std::size(rows);

constexpr CommandTable make_command_table() {
  CommandTable table{};
  constexpr std::size_t sections = 4;
  static_assert(row_count + sections + 1 <= std::size(table.commands));
  for (std::size_t i = 0; i < row_count; ++i) {
    const char* help = rows[i].help != nullptr ? rows[i].help : "recorded by mod_tlsguard";
    table.commands[i] = AP_INIT_RAW_ARGS(rows[i].name, on_directive, const_cast<Row*>(&rows[i]),
                                         rows[i].where, help);
  }
  table.commands[row_count] =
      AP_INIT_RAW_ARGS("<TLSGuardDefinePolicy", on_define_policy, nullptr, RSRC_CONF,
                       "a policy of one's own: name, then perhaps from=policy");
  table.commands[row_count + 1] =
      AP_INIT_RAW_ARGS("<TLSGuardDomain", on_domain_section, nullptr, RSRC_CONF,
                       "the names of one managed certificate; inside, settings of its own");
  table.commands[row_count + 2] =
      AP_INIT_RAW_ARGS("<MDomain", on_md_section, nullptr, RSRC_CONF, "recorded by mod_tlsguard");
  table.commands[row_count + 3] = AP_INIT_RAW_ARGS("<MDomainSet", on_md_section, nullptr, RSRC_CONF,
                                                   "recorded by mod_tlsguard");
  return table;
}

}  // namespace

std::string Use::resolve(const std::string& path) const {
  const char* resolved = ap_server_root_relative(pool, path.c_str());
  return resolved != nullptr ? resolved : path;
}

Result<void> need_words(const Use& use, std::size_t least, std::size_t most, const char* syntax) {
  if (use.words.size() >= least && use.words.size() <= most) return {};
  return fail(fmt::format("takes {}", syntax));
}

constinit const CommandTable command_table = make_command_table();

}  // namespace tlsguard::httpd
