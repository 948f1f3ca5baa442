// SPDX-License-Identifier: Apache-2.0
// What a job hands to solvers and pre-flight, in a temporary store.
#ifndef TLSGUARD_T_UNIT_SOLVER_FIXTURE_H
#define TLSGUARD_T_UNIT_SOLVER_FIXTURE_H

#include "suites.h"

#include <sys/stat.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "dns_server.h"
#include "expect.h"
#include "list_log.h"
#include "net/curl_client.h"
#include "renew/solver.h"
#include "temp_dir.h"

namespace tlsguard::test {

class SolverFixture {
 public:
  SolverFixture() {
    reach.http = 80;
    reach.https = 443;
    reach.addresses = {"*"};
    context.propagation.limit = std::chrono::seconds(60);
    context.propagation.silence = std::chrono::milliseconds(300);
    context.propagation.first_pause = std::chrono::milliseconds(20);
    context.propagation.longest_pause = std::chrono::milliseconds(100);
    context.propagation.command_limit = std::chrono::seconds(60);
    context.dns = dns.settings();
    context.now = [this] { return now; };
    context.action_needed = [this](const std::string& text) { actions.push_back(text); };
  }

  // TLSGuardDNSCommand: a shell script.
  void set_dns_command(const std::string& body) {
    std::string path = dir / "hook";
    write_file(path, "#!/bin/sh\n" + body);
    ck_assert_int_eq(chmod(path.c_str(), 0700), 0);
    settings.dns_command = {path};
  }
  // One that only writes down how it was called.
  void record_dns_command() { set_dns_command("echo \"$@\" >>" + (dir / "calls") + "\n"); }
  [[nodiscard]] std::string calls() const {
    return std::filesystem::exists(dir / "calls") ? content_of(dir / "calls") : "";
  }
  [[nodiscard]] std::string challenges_path() const { return dir / "challenges"; }

  TempDir dir;
  DnsServer dns;
  std::unique_ptr<net::HttpClient> http = net::curl_clients(net::Peer::self_check)({});
  renew::DomainSettings settings;
  renew::Reachability reach;
  store::ChallengeStore challenges{
      value_of(store::Directory::open_or_create(dir / "challenges", 0700))};
  ListLog log;
  UnixSeconds now = 1'800'000'000;
  std::vector<std::string> actions;
  renew::SolverContext context{*http,
                               settings,
                               reach,
                               challenges,
                               log,
                               "https://ca.example/acct/1",
                               "https://ca.example/dir",
                               {}};
};

}  // namespace tlsguard::test

#endif
