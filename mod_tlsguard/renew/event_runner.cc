// SPDX-License-Identifier: Apache-2.0
#include "renew/event_runner.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "core/date.h"
#include "core/text.h"
#include "crypto/digest.h"
#include "crypto/secret_bytes.h"
#include "renew/command.h"
#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr std::size_t longest_key = 4096;
constexpr int webhook_tries = 3;

Result<crypto::SecretBytes> key_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail("key file '" + path + "' cannot be read");
  crypto::SecretBytes content(longest_key);
  file.read(reinterpret_cast<char*>(content.bytes().data()),
            static_cast<std::streamsize>(content.size()));
  auto size = static_cast<std::size_t>(file.gcount());
  // An editor's end of line is no part of the key.
  return crypto::SecretBytes(trim(content.text().substr(0, size)));
}

std::string signature_of(std::string_view body, const crypto::SecretBytes& key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), key.bytes().data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(body.data()), body.size(), mac.data(), &size);
  return "sha256=" + crypto::hex({mac.data(), size});
}

}  // namespace

std::string_view event_name(Event event) {
  constexpr std::array<std::string_view, 8> names{"renewing", "renewed",      "activated",
                                                  "expiring", "failed",       "recovered",
                                                  "revoked",  "action-needed"};
  return names.at(static_cast<std::size_t>(event));
}

EventRunner::EventRunner(net::HttpClientFactory webhooks, LogSink& log, Clock now, Pace pace)
    : factories_{std::move(webhooks), {}},
      log_(log),
      now_(std::move(now)),
      pace_(pace),
      pool_({.busy = 8, .threads = 32}, factories_) {}

// false: it ran, and did not end well.
bool EventRunner::run(const EventSpec& line, Event event, const std::string& identity) {
  std::vector<std::string> argv = line.arguments;
  argv.emplace_back(event_name(event));
  argv.push_back(identity);
  auto end = run_command(argv, net::Patience(pace_.command));
  std::string wrong = end ? end->text() : end.error().text;
  if (wrong.empty()) return true;
  std::string output = end ? std::string(trim(end->output)) : "";
  log_.write(Severity::warning, "TG0140",
             fmt::format("domain={}: command {} for event '{}': {}{}", identity, argv.front(),
                         event_name(event), wrong, output.empty() ? "" : ": " + output));
  return !end;  // one that cannot be started has no opinion
}

bool EventRunner::allows(const DomainSpec& domain) {
  bool allowed = true;
  for (const EventSpec& line : domain.settings->events) {
    if (line.kind != EventSpec::Kind::command) continue;
    allowed = run(line, Event::renewing, domain.identity) && allowed;
  }
  if (allowed) tell(Event::renewing, domain, "a new certificate is about to be obtained");
  return allowed;
}

bool EventRunner::too_soon(Event event, const std::string& identity) {
  std::lock_guard lock(mutex_);
  if (event == Event::activated) failed_at_.erase(identity);
  if (event != Event::failed) return false;
  UnixSeconds now = now_();
  auto [last, fresh] = failed_at_.try_emplace(identity, now);
  if (fresh) return false;
  bool soon = now >= last->second && now - last->second < pace_.failed_every;
  if (!soon) last->second = now;
  return soon;
}

std::string EventRunner::body_of(Event event, const DomainSpec& domain,
                                 const std::string& text) const {
  return dump({{"event", event_name(event)},
               {"domain", domain.identity},
               {"names", domain.names},
               {"text", text},
               {"time", format_date(now_())}});
}

void EventRunner::tell(Event event, const DomainSpec& domain, const std::string& text) {
  if (domain.settings->events.empty() || too_soon(event, domain.identity)) return;
  auto task = [this, event, domain, body = body_of(event, domain, text)](HttpClients& clients) {
    for (const EventSpec& line : domain.settings->events) {
      if (line.arguments.empty()) continue;
      if (line.kind == EventSpec::Kind::webhook) {
        call(line, event, domain.identity, body, clients.to_ca(DomainSettings{}));
      } else if (event != Event::renewing) {  // that one was asked before
        run(line, event, domain.identity);
      }
    }
  };
  {
    std::lock_guard lock(mutex_);
    auto [told, first] = told_.try_emplace(domain.identity);
    told->second.emplace_back(std::move(task));
    if (!first) return;
  }
  pool_.submit(
      [this, identity = domain.identity](HttpClients& clients) { drain(identity, clients); });
}

void EventRunner::drain(const std::string& identity, HttpClients& clients) {
  for (;;) {
    WorkerPool::Task next;
    {
      std::lock_guard lock(mutex_);
      auto told = told_.find(identity);
      if (told->second.empty()) {
        told_.erase(told);
        return;
      }
      next = std::move(told->second.front());
      told->second.pop_front();
    }
    next(clients);
  }
}

void EventRunner::call(const EventSpec& line, Event event, const std::string& identity,
                       const std::string& body, net::HttpClient& http) {
  net::HttpRequest request;
  request.method = "POST";
  request.url = line.arguments.front();
  request.fields = {{"Content-Type", "application/json"}};
  request.body = body;
  std::string wrong;
  if (line.arguments.size() > 1) {
    auto key = key_in(line.arguments[1]);
    if (key) request.fields.emplace_back("TLSGuard-Signature", signature_of(body, *key));
    if (!key) wrong = key.error().text;
  }
  for (int i = 0; wrong.empty() && i < webhook_tries; ++i) {
    if (i > 0) pool_.sleep(i == 1 ? pace_.again : 6 * pace_.again);
    auto response = http.send(request);
    if (response && response->status / 100 == 2) return;
    if (i + 1 < webhook_tries) continue;
    wrong = response ? fmt::format("HTTP status {}", response->status) : response.error().text;
  }
  log_.write(
      Severity::warning, "TG0141",
      fmt::format("domain={}: webhook for event '{}': {}", identity, event_name(event), wrong));
}

}  // namespace tlsguard::renew
