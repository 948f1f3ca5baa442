// SPDX-License-Identifier: Apache-2.0
// Stands in for tlsguard-agent in tests: it takes the same descriptors and the same user, obtains
// nothing, and does what a test tells it over the control socket, one JSON object a line:
//   {"do": "put", "identity", "names", "pairs": [{"type", "chain", "key"}]}   -> {"version"}
//   {"do": "activate", "identity", "version"}                                 -> {"generation"}
//   {"do": "publish", "identity", "generation", "not_after", "errors"}
//   {"do": "slot", "identity"}                                                -> what is on the
//   board
//   {"do": "put_name", "list", "name", "identity"}
//   {"do": "put_http", "token", "name", "authorization"}, {"do": "remove_http", "token"}
//   {"do": "put_alpn", "name", "authorization", "server_name"}
//   {"do": "spec"}                                                            -> the spec's text
//   {"do": "facts"}                                  -> its ids, open descriptors and arguments
//   {"do": "die", "status"}
// An error is {"error": text}.
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "crypto/keys.h"
#include "crypto/sealing.h"
#include "crypto/self_signed.h"
#include "live/domain_board.h"
#include "store/certificate_store.h"
#include "store/challenge_store.h"
#include "store/layout.h"

namespace tlsguard {
namespace {

using nlohmann::json;

[[noreturn]] void quit(const std::string& why) {
  fmt::print(stderr, "stand-in agent: {}\n", why);
  std::exit(3);
}

template <typename T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text);
  return std::move(*result);
}

void value_of(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().text);
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

class Agent {
 public:
  explicit Agent(std::map<std::string, long> options)
      : options_(std::move(options)),
        spec_(read_all(option("--spec-fd"))),
        key_(value_of(crypto::SealingKey::from_bytes(sealing_bytes()))),
        board_(value_of(live::DomainBoard::attach(option("--board-fd")))) {
    become();
    std::string store = json::parse(spec_).at("store_path");
    certificates_.emplace(value_of(store::Directory::open(store + '/' + store::certs_directory)),
                          key_);
    challenges_.emplace(
        value_of(store::Directory::open(store + '/' + store::challenges_directory)));
  }

  [[noreturn]] void run() {
    // With -X its parent may not signal it.
    pollfd awaited[] = {
        {option("--control-fd"), POLLIN, 0},
        {static_cast<int>(::syscall(SYS_pidfd_open, option("--parent"), 0)), POLLIN, 0}};
    for (;;) {
      if (::poll(awaited, 2, -1) < 0) quit("poll");
      if (awaited[1].revents != 0) quit("the parent has gone");
      int peer = ::accept4(option("--control-fd"), nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) quit("accept");
      std::string line;
      char c = 0;
      while (::read(peer, &c, 1) == 1) {
        if (c != '\n') {
          line += c;
          continue;
        }
        std::string answer = answer_to(line) + "\n";
        if (::write(peer, answer.data(), answer.size()) < 0) break;
        line.clear();
      }
      ::close(peer);
    }
  }

 private:
  int option(const std::string& name) const { return static_cast<int>(options_.at(name)); }

  std::vector<std::uint8_t> sealing_bytes() const {
    std::string text = read_all(option("--seal-fd"));
    return {text.begin(), text.end()};
  }

  void become() const {
    ::prctl(PR_SET_DUMPABLE, 0);
    auto group = static_cast<gid_t>(option("--group"));
    auto user = static_cast<uid_t>(option("--user"));
    if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0)) quit("group");
    if (::geteuid() == 0 && user != 0 && ::setuid(user) != 0) quit("user");
    ::umask(0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != option("--parent")) quit("the parent has gone");
  }

  std::string answer_to(const std::string& line) {
    try {
      return carry_out(json::parse(line)).dump();
    } catch (const std::exception& e) {
      return json{{"error", e.what()}}.dump();
    }
  }

  json carry_out(const json& asked) {
    const std::string what = asked.at("do");
    if (what == "put") return put(asked);
    if (what == "activate") {
      auto current = value_of(
          certificates_->activate(asked.at("identity").get<std::string>(), asked.at("version")));
      return {{"generation", current.generation}};
    }
    if (what == "publish") return publish(asked);
    if (what == "slot") return slot(asked);
    if (what == "put_name") {
      bool done = board_.put_name(asked.at("list"), asked.at("name").get<std::string>(),
                                  asked.at("identity").get<std::string>());
      return {{"done", done}};
    }
    if (what == "put_http") {
      value_of(
          challenges_->put_http(asked.at("token"), {asked.at("name"), asked.at("authorization")}));
      return json::object();
    }
    if (what == "remove_http") {
      value_of(challenges_->remove_http(asked.at("token")));
      return json::object();
    }
    if (what == "put_alpn") {
      auto pem = value_of(crypto::make_alpn_certificate_pem(
          asked.at("name"), asked.at("authorization").get<std::string>(), ::time(nullptr)));
      value_of(challenges_->put_alpn(asked.at("server_name"), pem));
      return json::object();
    }
    if (what == "spec") return {{"spec", spec_}};
    if (what == "facts") return facts();
    if (what == "die") std::_Exit(asked.at("status"));
    throw std::runtime_error("what is '" + what + "'?");
  }

  json put(const json& asked) {
    store::Version version;
    for (const std::string name : asked.at("names")) version.meta.names.push_back(name);
    version.meta.ca = "stand-in";
    version.meta.issued_at = ::time(nullptr);
    for (const json& pair : asked.at("pairs")) {
      auto key = value_of(crypto::key_from_pem(pair.at("key").get<std::string>()));
      auto type = value_of(crypto::parse_key_type(pair.at("type").get<std::string>()));
      version.pairs.push_back({type, pair.at("chain"), value_of(crypto::key_to_der(key.get()))});
    }
    return {{"version",
             value_of(certificates_->put(asked.at("identity").get<std::string>(), version))}};
  }

  json publish(const json& asked) {
    live::DomainSlot* slot = board_.claim(asked.at("identity").get<std::string>());
    if (slot == nullptr) throw std::runtime_error("the board is full");
    slot->not_after = asked.value("not_after", std::int64_t{0});
    slot->errors = asked.value("errors", 0U);
    slot->generation.store(asked.at("generation"), std::memory_order_release);
    return json::object();
  }

  json slot(const json& asked) const {
    const live::DomainSlot* slot = board_.find(asked.at("identity").get<std::string>());
    if (slot == nullptr) return nullptr;
    return {{"identity", slot->identity()},
            {"generation", slot->generation.load()},
            {"failed_loads", slot->failed_loads.load()}};
  }

  json facts() const {
    json descriptors = json::object();
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code error;
      auto target = std::filesystem::read_symlink(entry.path(), error);
      if (!error) descriptors[entry.path().filename().string()] = target.string();
    }
    return {{"pid", ::getpid()},   {"parent", ::getppid()}, {"user", ::getuid()},
            {"group", ::getgid()}, {"pgid", ::getpgrp()},   {"descriptors", descriptors}};
  }

  std::map<std::string, long> options_;
  std::string spec_;
  crypto::SealingKey key_;
  live::DomainBoard board_;
  std::optional<store::CertificateStore> certificates_;
  std::optional<store::ChallengeStore> challenges_;
};

}  // namespace
}  // namespace tlsguard

int main(int argc, char** argv) {
  std::map<std::string, long> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = std::strtol(argv[i + 1], nullptr, 10);
  try {
    tlsguard::Agent(std::move(options)).run();
  } catch (const std::exception& e) {
    tlsguard::quit(e.what());
  }
}
