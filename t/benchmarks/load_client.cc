// SPDX-License-Identifier: Apache-2.0
// The client of t/bench: handshakes, resumed handshakes, keep-alive requests, idle connections.
//
// It prepares (a session to resume, a connection for requests), says "ready" and then does what
// its standard input asks for: "run N" does N more, over all threads together, and answers with one
// line of JSON. End of input closes everything. So the caller may read a server's counters between
// the preparation and the work.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int patience = 60;  // seconds; a server under callgrind is slow

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Free<SSL_free>>;
using Session = std::unique_ptr<SSL_SESSION, Free<SSL_SESSION_free>>;

enum class Mode : std::uint8_t { full, resumed, requests, hold };

struct Options {
  int port = 0;
  std::string name = "localhost";
  std::string path = "/";
  int version = TLS1_3_VERSION;
  Mode mode = Mode::full;
  unsigned threads = 1;
  bool tickets = true;
  bool vary = false;  // each ClientHello offers another list
};

struct Tally {
  long done = 0;
  long failed = 0;
  long resumed = 0;

  Tally& operator+=(const Tally& other) {
    done += other.done;
    failed += other.failed;
    resumed += other.resumed;
    return *this;
  }
};

class Socket {
 public:
  explicit Socket(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval wait{patience, 0};
    int on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  int fd_;
  bool connected_ = false;
};

struct Connection {
  explicit Connection(int port) : socket(port) {}
  Socket socket;
  Ssl ssl;
};

// One thread of load, with what it keeps from run to run.
class Loader {
 public:
  explicit Loader(const Options& options, unsigned number)
      : options_(options), random_(number), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX* ctx = context_.get();
    SSL_CTX_set_min_proto_version(ctx, options.version);
    SSL_CTX_set_max_proto_version(ctx, options.version);
    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384");
    if (!options.tickets) SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_session);
  }

  bool prepare() {
    if (options_.mode == Mode::resumed) {
      auto connection = open();
      if (!connection) return false;
      finish(std::move(connection));
      return session_ != nullptr;
    }
    if (options_.mode == Mode::requests) {
      open_.push_back(open());
      return open_.back() != nullptr && request(*open_.back());
    }
    return true;
  }

  Tally run(long count) {
    Tally tally;
    for (long i = 0; i < count && tally.failed < 10; ++i) {
      if (step(tally)) {
        ++tally.done;
      } else {
        ++tally.failed;
      }
    }
    return tally;
  }

  [[nodiscard]] const std::string& negotiated() const { return negotiated_; }
  [[nodiscard]] const std::string& head() const { return head_; }

 private:
  bool step(Tally& tally) {
    if (options_.mode == Mode::requests) return request(*open_.front());
    auto connection = open();
    if (!connection) return false;
    bool resumed = SSL_session_reused(connection->ssl.get()) == 1;
    if (resumed) ++tally.resumed;
    if (options_.mode == Mode::hold) {
      open_.push_back(std::move(connection));
      return request(*open_.back());
    }
    finish(std::move(connection));
    return resumed == (options_.mode == Mode::resumed);
  }

  static int keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<Loader*>(SSL_get_app_data(ssl));
    if (self->options_.mode != Mode::resumed) return 0;
    self->session_.reset(session);
    return 1;  // it is ours now
  }

  std::unique_ptr<Connection> open() {
    auto connection = std::make_unique<Connection>(options_.port);
    if (!connection->socket.connected()) return nullptr;
    connection->ssl.reset(SSL_new(context_.get()));
    SSL* ssl = connection->ssl.get();
    SSL_set_app_data(ssl, this);
    SSL_set_fd(ssl, connection->socket.fd());
    std::string name = options_.name;
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
    if (options_.vary) vary(ssl);
    if (session_) SSL_set_session(ssl, session_.get());
    if (SSL_connect(ssl) != 1) {
      ERR_print_errors_fp(stderr);
      return nullptr;
    }
    if (negotiated_.empty()) describe(ssl);
    return connection;
  }

  // Six ciphers in a row of their own, after those the server chooses from: as many ClientHellos
  // as anyone asks for, all with the same outcome.
  void vary(SSL* ssl) {
    std::vector<std::string> tail{
        "AES128-SHA",        "AES256-SHA",        "AES128-SHA256",        "AES256-SHA256",
        "AES128-GCM-SHA256", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA"};
    std::shuffle(tail.begin(), tail.end(), random_);
    std::string list =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
    for (const auto& cipher : tail) list += ':' + cipher;
    SSL_set_cipher_list(ssl, list.c_str());
  }

  // Waits for the server to close as well, so that all its work for this connection is done; a
  // TLS 1.3 server's tickets come in on the way.
  static void finish(std::unique_ptr<Connection> connection) {
    SSL* ssl = connection->ssl.get();
    SSL_shutdown(ssl);
    shutdown(connection->socket.fd(), SHUT_WR);
    std::array<char, 4096> buffer{};
    while (SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size())) > 0) {
    }
    while (read(connection->socket.fd(), buffer.data(), buffer.size()) > 0) {
    }
  }

  bool request(Connection& connection) {
    SSL* ssl = connection.ssl.get();
    std::string text = "GET " + options_.path + " HTTP/1.1\r\nHost: " + options_.name +
                       "\r\nUser-Agent: load_client\r\nAccept: */*\r\n\r\n";
    if (SSL_write(ssl, text.data(), static_cast<int>(text.size())) <= 0) return false;
    std::string answer;
    std::optional<std::size_t> whole;
    while (!whole || answer.size() < *whole) {
      std::array<char, 16384> buffer{};
      int got = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0) return false;
      answer.append(buffer.data(), static_cast<std::size_t>(got));
      if (!whole) whole = whole_length(answer);
    }
    head_ = answer.substr(0, answer.find("\r\n\r\n") + 2);
    return answer.starts_with("HTTP/1.1 200 ") && answer.size() == *whole;
  }

  static std::optional<std::size_t> whole_length(const std::string& answer) {
    std::size_t end = answer.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    constexpr std::string_view field = "\r\nContent-Length: ";
    std::size_t at = answer.find(field);
    std::size_t body = 0;
    if (at < end) {
      std::from_chars(answer.data() + at + field.size(), answer.data() + end, body);
    }
    return end + 4 + body;
  }

  void describe(SSL* ssl) {
    negotiated_ = std::string(SSL_get_version(ssl)) + ' ' + SSL_get_cipher_name(ssl);
    if (const char* group = SSL_group_to_name(ssl, static_cast<int>(SSL_get_negotiated_group(ssl)));
        group != nullptr) {
      negotiated_ += ' ' + std::string(group);
    }
  }

  const Options& options_;
  std::minstd_rand random_;
  Context context_;
  Session session_;
  std::vector<std::unique_ptr<Connection>> open_;
  std::string negotiated_;
  std::string head_;
};

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '\r') continue;
    if (c == '\n') {
      quoted += "\\n";
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + '"';
}

void answer(std::vector<std::unique_ptr<Loader>>& loaders, long count) {
  auto began = std::chrono::steady_clock::now();
  std::vector<Tally> tallies(loaders.size());
  auto share = [&](std::size_t i) {
    auto n = static_cast<long>(loaders.size());
    return count / n + (static_cast<long>(i) < count % n ? 1 : 0);
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < loaders.size(); ++i) {
    threads.emplace_back([&, i] { tallies[i] = loaders[i]->run(share(i)); });
  }
  tallies[0] = loaders[0]->run(share(0));
  for (auto& thread : threads) thread.join();
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  Tally sum;
  for (const Tally& tally : tallies) sum += tally;
  std::cout << "{\"done\": " << sum.done << ", \"failed\": " << sum.failed
            << ", \"resumed\": " << sum.resumed << ", \"seconds\": " << took.count()
            << ", \"negotiated\": " << json_text(loaders[0]->negotiated())
            << ", \"head\": " << json_text(loaders[0]->head()) << "}" << std::endl;
}

bool read_options(int argc, char** argv, Options& options) {
  static const std::map<std::string_view, Mode> modes{{"full", Mode::full},
                                                      {"resumed", Mode::resumed},
                                                      {"requests", Mode::requests},
                                                      {"hold", Mode::hold}};
  std::vector<std::string_view> words(argv + 1, argv + argc);
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    std::string value(words[i + 1]);
    if (words[i] == "--port") {
      options.port = std::stoi(value);
    } else if (words[i] == "--name") {
      options.name = value;
    } else if (words[i] == "--path") {
      options.path = value;
    } else if (words[i] == "--tls" && (value == "1.2" || value == "1.3")) {
      options.version = value == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
    } else if (words[i] == "--mode" && modes.contains(value)) {
      options.mode = modes.at(value);
    } else if (words[i] == "--threads") {
      options.threads = static_cast<unsigned>(std::stoul(value));
    } else if (words[i] == "--tickets") {
      options.tickets = value == "yes";
    } else if (words[i] == "--vary") {
      options.vary = value == "yes";
    } else {
      return false;
    }
  }
  return words.size() % 2 == 0 && options.port > 0 && options.threads > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, options)) {
    std::cerr << "usage: load_client --port N [--name HOST] [--path P] [--tls 1.2|1.3]\n"
                 "  [--mode full|resumed|requests|hold] [--threads N] [--tickets yes|no]\n"
                 "  [--vary yes|no]\n";
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::unique_ptr<Loader>> loaders;
  for (unsigned i = 0; i < options.threads; ++i) {
    loaders.push_back(std::make_unique<Loader>(options, i + 1));
    if (!loaders.back()->prepare()) {
      std::cerr << "load_client: the preparation failed\n";
      return 1;
    }
  }
  std::cout << "ready" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (!line.starts_with("run ")) return 2;
    answer(loaders, std::stol(line.substr(4)));
  }
  return 0;
}
