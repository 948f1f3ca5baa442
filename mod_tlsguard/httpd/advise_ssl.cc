// SPDX-License-Identifier: Apache-2.0
// Lines of mod_ssl without which exactly the same would be in force, as the policy is stricter.
// Each is judged by what OpenSSL makes of the configuration without it.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>

#include "core/text.h"
#include "httpd/advise.h"
#include "httpd/conf_of.h"
#include "httpd/ssl_directives.h"

namespace tlsguard::httpd {

namespace {

using policy::SslDirectives;

// How much of one directive is taken out: the line in force, or what would come back then, too, for
// that may be advised as well.
enum class Gone { none, line, all };

// One virtual host, and what is left of mod_ssl's directives without the lines that may go.
struct Left {
  const VirtualHost* host = nullptr;
  SslDirectives directives;
};

struct Settings {
  hello::ServerSettings own;
  hello::ServerSettings in_force;
};

// Few distinct configurations, so few contexts are built.
class Trial {
 public:
  // nullptr: nothing would be in force, or mod_ssl would not take it.
  const Settings* with(const Plan& plan, const SslDirectives& directives) {
    auto& tried = tried_[&plan];
    auto known = std::find_if(tried.begin(), tried.end(),
                              [&](const auto& one) { return one.first == directives; });
    if (known == tried.end()) {
      tried.emplace_back(directives, make(plan.key, directives));
      known = tried.end() - 1;
    }
    return known->second ? &*known->second : nullptr;
  }

 private:
  static std::optional<Settings> make(const PlanKey& key, const SslDirectives& directives) {
    auto scratch = policy::build_scratch(directives);
    if (!scratch) return std::nullopt;
    auto own = policy::read_back(scratch->get());
    if (!own) return std::nullopt;
    own->keys = key.keys;
    auto outcome = policy::tighten(scratch->get(), *own, key.policy, directives);
    if (!outcome) return std::nullopt;
    return Settings{std::move(*own), std::move(outcome->settings)};
  }

  // What is returned stays where it is.
  std::map<const Plan*, std::deque<std::pair<SslDirectives, std::optional<Settings>>>> tried_;
};

// The virtual hosts that a line is in force for.
struct Candidate {
  Place place;
  bool says = false;  // something, of one of them at least
  bool needed = false;
  std::vector<std::size_t> hosts;
};
using Candidates = std::map<LineKey, Candidate>;

// What is said of one directive: where it is recorded, and what it decides.
template <typename T>
struct Kind {
  const char* name;
  Setting<T> ServerConf::*member;
  Setting<T> ServerConf::*above;
  void (*put)(SslDirectives& directives, const T* value);  // nullptr: it is not written
  // Whether the line says anything, beside what comes back without it.
  bool (*says)(const T& value, const T* without);
};

constexpr ProtocolSet all_versions = ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_3);

constexpr Kind<ProtocolSet> protocol_kind{
    "SSLProtocol", &ServerConf::ssl_protocol, &ServerConf::ssl_protocol_above,
    [](SslDirectives& directives, const ProtocolSet* value) {
      directives.protocols = value != nullptr ? std::optional(*value) : std::nullopt;
    },
    [](const ProtocolSet& value, const ProtocolSet* without) {
      return value != (without != nullptr ? *without : all_versions);
    }};

class Judge {
 public:
  explicit Judge(const AdviceInput& input) : input_(input) {
    for (const auto& host : input.runtime.virtual_hosts) {
      left_.push_back({host.get(), host->plan->key.directives});
    }
  }

  template <typename T>
  void look_at(const Kind<T>& kind, bool decides_protocols) {
    Candidates candidates;
    for (std::size_t i = 0; i < left_.size(); ++i) note(kind, i, candidates);
    if (decides_protocols) compare_addresses(candidates);
    for (const auto& [key, candidate] : candidates) {
      if (candidate.needed || !candidate.says) continue;
      for (std::size_t i : candidate.hosts) {
        left_[i].directives = without(kind, i, Gone::all);
      }
      say(kind.name, candidate);
    }
  }

 private:
  // What comes back where the line is taken out: one above it, else that of the base server.
  template <typename T>
  [[nodiscard]] const Setting<T>& fallback(const Kind<T>& kind, std::size_t i) const {
    const ServerConf& conf = *conf_of(left_[i].host->server);
    const Setting<T>& base = conf_of(input_.base)->*kind.member;
    const Setting<T>& above = conf.*kind.above;
    bool inherited = base && line_of(base->place) == line_of((conf.*kind.member)->place);
    return above || inherited ? above : base;
  }

  template <typename T>
  [[nodiscard]] SslDirectives without(const Kind<T>& kind, std::size_t i, Gone gone) const {
    SslDirectives directives = left_[i].directives;
    const Setting<T>& then = fallback(kind, i);
    kind.put(directives, gone == Gone::line && then ? &then->value : nullptr);
    return directives;
  }

  template <typename T>
  void note(const Kind<T>& kind, std::size_t i, Candidates& candidates) {
    const VirtualHost& host = *left_[i].host;
    const ServerConf& conf = *conf_of(host.server);
    const Setting<T>& written = conf.*kind.member;
    if (!written) return;
    Candidate& candidate = candidates[line_of(written->place)];
    candidate.place = written->place;
    candidate.hosts.push_back(i);
    if (host.engine != Engine::on || host.plan->unfit) candidate.needed = true;
    if (candidate.needed) return;
    const Settings* with = trial_.with(*host.plan, left_[i].directives);
    for (Gone gone : {Gone::line, Gone::all}) {
      const Settings* after = trial_.with(*host.plan, without(kind, i, gone));
      bool same = with != nullptr && after != nullptr && with->in_force == after->in_force;
      if (!same) candidate.needed = true;
    }
    const Setting<T>& then = fallback(kind, i);
    if (kind.says(written->value, then ? &then->value : nullptr)) candidate.says = true;
  }

  // A virtual host behind another of its address gets the protocols of that one too, unless it has
  // an SSLProtocol. Every combination of lines kept and taken out must leave it what it has.
  void compare_addresses(Candidates& candidates) {
    std::vector<Candidate*> candidate_of(left_.size(), nullptr);
    for (auto& [key, candidate] : candidates) {
      for (std::size_t i : candidate.hosts) candidate_of[i] = &candidate;
    }
    for (const auto& index : input_.runtime.addresses.all()) {
      const std::size_t first = index->default_target().host->position;
      for (const VirtualHost* host : index->hosts()) {
        const std::size_t i = host->position;
        if (i == first || stays_reachable(i, candidate_of[i], first, candidate_of[first])) continue;
        if (candidate_of[i] != nullptr) candidate_of[i]->needed = true;
        if (candidate_of[first] != nullptr) candidate_of[first]->needed = true;
      }
    }
  }

  [[nodiscard]] bool stays_reachable(std::size_t i, const Candidate* line, std::size_t first,
                                     const Candidate* first_line) {
    constexpr Gone all[] = {Gone::none, Gone::line, Gone::all};
    auto may_go = [](const Candidate* each) { return each != nullptr && !each->needed; };
    const ProtocolSet now = reached(i, Gone::none, first, Gone::none);
    for (Gone gone : all) {
      for (Gone first_gone : all) {
        if ((gone != Gone::none && !may_go(line)) ||
            (first_gone != Gone::none && !may_go(first_line))) {
          continue;
        }
        if (reached(i, gone, first, first_gone) != now) return false;
      }
    }
    return true;
  }

  // Protocols of host i behind the default one of its address.
  [[nodiscard]] ProtocolSet reached(std::size_t i, Gone gone, std::size_t first, Gone first_gone) {
    auto own = [&](std::size_t which, Gone by) {
      const Plan& plan = *left_[which].host->plan;
      if (by == Gone::none) return plan.own.protocols;
      const Settings* after = trial_.with(plan, without(protocol_kind, which, by));
      return after != nullptr ? after->own.protocols : plan.own.protocols;
    };
    const VirtualHost& host = *left_[i].host;
    bool set = gone == Gone::none ? host.protocol_set
                                  : gone == Gone::line && fallback(protocol_kind, i).has_value();
    ProtocolSet all = host.engine == Engine::on ? host.plan->in_force().protocols : own(i, gone);
    return set ? all : all & own(first, first_gone);
  }

  void say(const char* directive, const Candidate& candidate) {
    std::vector<std::string> hosts;
    std::vector<std::string> policies;
    // httpd has the last one first.
    for (auto i = candidate.hosts.rbegin(); i != candidate.hosts.rend(); ++i) {
      const VirtualHost& host = *left_[*i].host;
      hosts.push_back(host.name);
      if (std::find(policies.begin(), policies.end(), host.policy_id) == policies.end()) {
        policies.push_back(host.policy_id);
      }
    }
    input_.advice.add(
        std::string("redundant ") + directive,
        {candidate.place, directive,
         fmt::format("{}: the line can go: policy {} of {} allows exactly the same without it",
                     directive, some_of(policies), some_of(hosts))});
  }

  const AdviceInput& input_;
  std::vector<Left> left_;  // by VirtualHost::position
  Trial trial_;
};

// A list of ciphers by their names grows old and has to be looked after. One of OpenSSL's keywords,
// as distributions ship it ("HIGH:!aNULL"), does no harm where it is.
bool names_a_cipher(const std::string& spec, const std::string*) {
  auto parts = split(spec, ":, ");
  return std::any_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.find_first_of("!-+@") != 0 && part.find('-') != std::string::npos;
  });
}

using Text = std::optional<std::string>;
Text text_of(const std::string* value) { return value != nullptr ? Text(*value) : std::nullopt; }

}  // namespace

void advise_redundant_lines(const AdviceInput& input) {
  if (!input.runtime.enforcing) return;
  Judge judge(input);
  // One after the other: what may go together, goes together.
  judge.look_at(protocol_kind, true);
  judge.look_at(
      Kind<std::string>{
          "SSLCipherSuite", &ServerConf::ssl_cipher_suite, &ServerConf::ssl_cipher_suite_above,
          [](SslDirectives& d, const std::string* value) { d.cipher_suite = text_of(value); },
          names_a_cipher},
      false);
  judge.look_at(Kind<std::string>{"SSLCipherSuite", &ServerConf::ssl_tls13_cipher_suite,
                                  &ServerConf::ssl_tls13_cipher_suite_above,
                                  [](SslDirectives& d, const std::string* value) {
                                    d.tls13_cipher_suite = text_of(value);
                                  },
                                  [](const std::string&, const std::string*) { return true; }},
                false);
  judge.look_at(Kind<bool>{"SSLHonorCipherOrder", &ServerConf::ssl_honor_cipher_order,
                           &ServerConf::ssl_honor_cipher_order_above,
                           [](SslDirectives& d, const bool* value) {
                             d.honor_cipher_order = value != nullptr && *value;
                           },
                           [](const bool& value, const bool* without) {
                             return value != (without != nullptr && *without);
                           }},
                false);
}

}  // namespace tlsguard::httpd
