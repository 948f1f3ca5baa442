// SPDX-License-Identifier: Apache-2.0
#include "httpd/guard_directives.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/text.h"

namespace tlsguard::httpd {

namespace {

template <typename T>
Written<T> written(const Use& use, T value) {
  return {std::move(value), use.place};
}

std::vector<std::string_view> views(const Use& use) { return {use.words.begin(), use.words.end()}; }

// Lists may be written with spaces or as OpenSSL does, with colons.
std::vector<std::string> list(const Use& use) { return split(join(use.words, ":"), ":"); }

Result<void> take_protocol(Use& use, Setting<Protocol> ServerConf::*member) {
  if (auto wrong = need_words(use, 1, 1, "one of TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3"); !wrong) {
    return wrong;
  }
  auto protocol = parse_protocol(use.words[0]);
  if (!protocol) return tl::unexpected(protocol.error());
  use.conf.*member = written(use, *protocol);
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

// The parsers of web/ name their directive themselves: the name is cut off again here, since the
// handler puts it before every text.
template <typename T>
Result<void> keep(Use& use, Setting<T> ServerConf::*member, Result<T> parsed) {
  if (!parsed) return tl::unexpected(parsed.error());
  use.conf.*member = written(use, std::move(*parsed));
  return {};
}

}  // namespace

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

Result<void> take_groups(Use& use) {
  return take_names(use, &ServerConf::groups, policy::check_groups, "group");
}

Result<void> take_signature_algorithms(Use& use) {
  return take_names(use, &ServerConf::signature_algorithms, policy::check_signature_algorithms,
                    "signature algorithm");
}

Result<void> take_floor(Use& use) {
  if (use.words.empty()) return fail("takes a policy, then perhaps: except server-name ...");
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

}  // namespace tlsguard::httpd
