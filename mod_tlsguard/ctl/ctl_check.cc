// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl_check.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "core/date.h"
#include "core/dns_name.h"
#include "ctl/check_report.h"
#include "ctl/in_force.h"
#include "ctl/output.h"
#include "ctl/probe.h"
#include "ctl/progress.h"
#include "ctl/running_server.h"
#include "ctl/store_access.h"

namespace tlsguard::ctl {
namespace {

using policy::Policy;

std::string machine_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

CheckRun new_run() {
  CheckRun run;
  run.date = format_date(std::time(nullptr));
  run.machine = machine_name();
  run.tlsguard = TLSGUARD_VERSION;
  run.openssl = OpenSSL_version(OPENSSL_VERSION);
  return run;
}

// The addresses that stand for one of the configuration: a wildcard is reached on the loopback.
Result<std::vector<Address>> addresses_of(const Endpoint& endpoint) {
  if (endpoint.host != "*" && endpoint.host != "0.0.0.0" && endpoint.host != "::") {
    return resolve(endpoint);
  }
  std::vector<Address> all;
  for (const char* loopback : {"127.0.0.1", "::1"}) {
    auto addresses = resolve({loopback, endpoint.port});
    if (addresses) all.insert(all.end(), addresses->begin(), addresses->end());
  }
  if (all.empty()) return fail("this machine has no loopback address");
  return all;
}

void carry_out(Check& check, const Endpoint& endpoint, ProbeRequest request, const Policy& policy) {
  auto addresses = addresses_of(endpoint);
  if (!addresses) {
    check.error = addresses.error().text;
    return;
  }
  request.addresses = *std::move(addresses);
  Progress progress(check.target);
  auto facts = probe(request, progress);
  if (!facts) {
    check.error = facts.error().text;
    return;
  }
  check.facts = *std::move(facts);
  check.grade = grade(*check.facts, policy);
}

ProbeRequest request_for(const CheckOptions& options, const std::string& name) {
  ProbeRequest request;
  request.server_name = is_ip_literal(name) ? "" : name;
  request.name = name;
  request.http_host = name;
  request.plain_port = options.plain_port;
  request.timeout = std::chrono::seconds(options.timeout);
  return request;
}

Check check_endpoint(const CheckOptions& options, const Endpoint& endpoint, const Policy& policy) {
  Check check;
  check.target = to_text(endpoint);
  check.policy = policy.id();
  carry_out(check, endpoint, request_for(options, options.server_name.value_or(endpoint.host)),
            policy);
  return check;
}

Check check_virtual_host(const CheckOptions& options, const live::RuntimeHost& host,
                         const std::string& address, const Result<Policy>& policy) {
  Check check;
  check.target = address;
  check.virtual_host = host;
  check.policy = policy ? policy->id() : host.policy;
  auto endpoint = parse_endpoint(address);
  if (!policy) {
    check.error = policy.error().text;
  } else if (!endpoint) {
    check.error = endpoint.error().text;
  } else {
    carry_out(check, *endpoint, request_for(options, options.server_name.value_or(host.name)),
              *policy);
  }
  return check;
}

int finish(const CheckRun& run, bool json) {
  if (json) {
    print_json(to_json(run));
  } else {
    print(to_text(run));
  }
  return run.fits() ? exit_fine : exit_trouble;
}

int check_one(const CheckOptions& options, const Policy& policy) {
  auto endpoint = parse_endpoint(*options.target);
  if (!endpoint) return wrong_arguments(endpoint.error());
  CheckRun run = new_run();
  run.checks.push_back(check_endpoint(options, *endpoint, policy));
  return finish(run, options.json);
}

int check_all(const CheckOptions& options, const std::optional<Policy>& policy) {
  if (auto may = check_rights(options.store); !may) return trouble(may.error());
  CheckRun run = new_run();
  auto server = read_server(options.store);
  if (!server) return trouble(server.error());
  if (server->virtual_hosts.empty()) return trouble(Error{"this server has no TLS virtual host"});
  // As DUMP_TLSGUARD has them: httpd's own list is in another order than its files.
  std::stable_sort(server->virtual_hosts.begin(), server->virtual_hosts.end(),
                   [](const live::RuntimeHost& a, const live::RuntimeHost& b) {
                     return std::tie(a.file, a.line) < std::tie(b.file, b.line);
                   });
  for (const live::RuntimeHost& host : server->virtual_hosts) {
    const Result<Policy> against = policy ? Result<Policy>(*policy) : policy_in_force(host);
    for (const std::string& address : host.addresses) {
      run.checks.push_back(check_virtual_host(options, host, address, against));
    }
  }
  run.server = *std::move(server);
  return finish(run, options.json);
}

}  // namespace

int check(const CheckOptions& options) {
  std::optional<Policy> policy;
  if (options.policy || options.target) {
    auto found = policy::Catalogue{}.find(options.policy.value_or("baseline"));
    if (!found) return wrong_arguments(found.error());
    policy = *std::move(found);
  }
  return options.target ? check_one(options, *policy) : check_all(options, policy);
}

}  // namespace tlsguard::ctl
