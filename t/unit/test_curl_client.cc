// SPDX-License-Identifier: Apache-2.0
#include "loopback_server.h"

#include "suites.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "crypto/certificate_builder.h"
#include "crypto/keys.h"
#include "expect.h"
#include "net/curl_client.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using net::Peer;

// http too, so that most tests need no TLS.
std::unique_ptr<net::HttpClient> client(const net::HttpSettings& settings = {}) {
  return net::curl_clients(Peer::self_check)(settings);
}

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

std::string answer(const std::string& body, const std::string& fields = "") {
  return "HTTP/1.1 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Says this on each connection, once, and ends it.
LoopbackServer::Behave says(const std::string& text) {
  return [text](Stream& stream) {
    (void)stream.request();
    (void)stream.write(text);
  };
}

// Answers each request with itself, and keeps the connection.
void echo(Stream& stream) {
  for (std::string request = stream.request(); !request.empty(); request = stream.request()) {
    if (!stream.write(answer(request, "X-One: a\r\nx-one:  b \r\n"))) return;
  }
}

START_TEST(requests_say_what_they_shall) {
  LoopbackServer server(echo);
  auto http = client();
  HttpRequest request = get(server.url("/path?x=y"));
  request.fields.emplace_back("Accept", "text/x");
  std::string got = value_of(http->send(request)).body;
  ck_assert(got.starts_with("GET /path?x=y HTTP/1.1\r\n"));
  expect_contains(got, "\r\nUser-Agent: mod_tlsguard/" TLSGUARD_VERSION " libcurl/");
  expect_contains(got, "\r\nAccept-Language: en\r\n");
  expect_contains(got, "\r\nAccept: text/x\r\n");
  for (const char* field : {"Cookie", "Authorization", "Accept-Encoding", "Referer", "Expect"}) {
    ck_assert_msg(got.find(field) == std::string::npos, "%s", got.c_str());
  }
  request.method = "POST";
  request.body = std::string("a\0b", 3) + std::string(5000, 'x');
  got = value_of(http->send(request)).body;
  ck_assert(got.starts_with("POST /path?x=y HTTP/1.1\r\n"));
  ck_assert(got.ends_with("\r\n\r\n" + request.body));
  ck_assert(got.find("Expect") == std::string::npos);
  // A GET after a POST has no body.
  got = value_of(http->send(get(server.url()))).body;
  ck_assert(got.starts_with("GET / ") && got.ends_with("\r\n\r\n"));
  ck_assert(got.find("Content-") == std::string::npos);
  ck_assert_int_eq(server.connections(), 1);
}
END_TEST

START_TEST(responses_come_as_they_are) {
  LoopbackServer server(echo);
  auto response = value_of(client()->send(get(server.url())));
  ck_assert_int_eq(response.status, 200);
  expect_text(*response.field("x-one"), "a");
  ck_assert(response.fields[1] == (std::pair<std::string, std::string>{"x-one", "b"}));
  ck_assert(!response.field("X-One"));
  LoopbackServer refusing(says("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"));
  response = value_of(client()->send(get(refusing.url())));
  ck_assert_int_eq(response.status, 404);
  expect_text(response.body, "no");
}
END_TEST

START_TEST(a_head_has_no_body) {
  LoopbackServer server([](Stream& stream) {
    while (!stream.request().empty()) {
      (void)stream.write("HTTP/1.1 200 OK\r\nReplay-Nonce: n\r\nContent-Length: 77\r\n\r\n");
    }
  });
  auto http = client();
  HttpRequest request = get(server.url());
  request.method = "HEAD";
  for (int i = 0; i < 3; ++i) {
    auto response = value_of(http->send(request));
    ck_assert(response.body.empty());
    expect_text(*response.field("replay-nonce"), "n");
  }
  ck_assert_int_eq(server.connections(), 1);
}
END_TEST

START_TEST(only_the_last_header_counts) {
  LoopbackServer server(
      says("HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\n"
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n0\r\nX-A: trailer\r\n\r\n"));
  auto response = value_of(client()->send(get(server.url())));
  expect_text(response.body, "abc");
  ck_assert(!response.field("x-a"));
}
END_TEST

// --- bounds ---

START_TEST(a_body_beyond_the_bound_ends_the_transfer) {
  for (bool announced : {true, false}) {
    std::atomic<std::size_t> sent = 0;
    LoopbackServer server([&](Stream& stream) {
      (void)stream.request();
      std::string header = "HTTP/1.1 200 OK\r\n";
      header += announced ? "Content-Length: 1073741824\r\n\r\n" : "Connection: close\r\n\r\n";
      if (!stream.write(header)) return;
      const std::string block(65536, ' ');
      while (sent < 1073741824 && stream.write(block)) sent += block.size();
    });
    HttpRequest request = get(server.url());
    request.max_bytes = 100000;
    auto ended = client()->send(request);
    expect_text(error_of(ended), "the answer is larger than 100000 bytes");
    expect_text(ended.error().kind, net::unusable_answer);
    ck_assert_uint_lt(sent, 32U << 20);
  }
}
END_TEST

START_TEST(a_body_of_just_the_bound_fits) {
  LoopbackServer server(says(answer(std::string(1000, 'x'))));
  HttpRequest request = get(server.url());
  request.max_bytes = 1000;
  ck_assert_uint_eq(value_of(client()->send(request)).body.size(), 1000);
  request.max_bytes = 999;
  ck_assert(!client()->send(request));
}
END_TEST

START_TEST(a_header_beyond_the_bounds_ends_the_transfer) {
  std::string many;
  for (int i = 0; i < 250; ++i) many += "X: y\r\n";
  std::string hints;
  for (int i = 0; i < 5000; ++i) hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
  for (const std::string& text :
       {answer("", "X: " + std::string(70000, 'y') + "\r\n"), answer("", many),
        "HTTP/1.1 200 " + std::string(70000, 'y') + "\r\n\r\n", hints}) {
    LoopbackServer server(says(text));
    expect_contains(error_of(client()->send(get(server.url()))), "header of the answer is larger");
  }
  LoopbackServer server(says(answer("", "Link: <" + std::string(60000, 'y') + "\r\n")));
  ck_assert_uint_eq(value_of(client()->send(get(server.url()))).field("link")->size(), 60001);
}
END_TEST

START_TEST(an_answer_has_its_time) {
  LoopbackServer server([](Stream& stream) {
    (void)stream.request();
    // A byte at a time, for ever.
    (void)stream.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (stream.write("x")) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  HttpRequest request = get(server.url());
  request.timeout = std::chrono::seconds(1);
  expect_contains(error_of(client()->send(request)), "no whole answer from 127.0.0.1:");
}
END_TEST

START_TEST(answers_that_end_early) {
  for (const char* text : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    LoopbackServer server(says(text));
    auto ended = client()->send(get(server.url()));
    expect_contains(error_of(ended), "ended before the answer was complete");
    ck_assert(ended.error().next == Next::back_off);
  }
}
END_TEST

START_TEST(answers_that_are_no_http) {
  for (const char* text :
       {"SSH-2.0-OpenSSH\r\n", "<html></html>", "\x15\x03\x01\x00\x02\x02\x46"}) {
    LoopbackServer server(says(text));
    expect_contains(error_of(client()->send(get(server.url()))), "is no HTTP");
  }
}
END_TEST

// --- redirects ---

START_TEST(redirects_are_followed_where_that_was_asked) {
  LoopbackServer server([](Stream& stream) {
    for (std::string request = stream.request(); !request.empty(); request = stream.request()) {
      bool first = request.find(" /first ") != std::string::npos;
      (void)stream.write(first ? "HTTP/1.1 302 Found\r\nLocation: /second\r\nX-A: first\r\n"
                                 "Content-Length: 3\r\n\r\nabc"
                               : answer("done"));
    }
  });
  HttpRequest request = get(server.url("/first"));
  ck_assert_int_eq(value_of(client()->send(request)).status, 302);
  request.max_redirects = 1;
  auto response = value_of(client()->send(request));
  expect_text(response.body, "done");
  ck_assert(!response.field("x-a"));
  request.method = "POST";
  ck_assert_int_eq(value_of(client()->send(request)).status, 302);
}
END_TEST

START_TEST(redirect_loops_end) {
  std::atomic<int> asked = 0;
  LoopbackServer server([&](Stream& stream) {
    while (!stream.request().empty()) {
      ++asked;
      (void)stream.write("HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
    }
  });
  HttpRequest request = get(server.url());
  request.max_redirects = 4;
  auto ended = client()->send(request);
  expect_text(error_of(ended), "the server redirects more than 4 times");
  expect_text(ended.error().kind, net::unusable_answer);
  ck_assert_int_eq(asked, 5);
}
END_TEST

START_TEST(redirects_lead_to_http_only) {
  for (const char* target : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"}) {
    LoopbackServer server(says("HTTP/1.1 302 Found\r\nLocation: " + std::string(target) +
                               "\r\nContent-Length: 0\r\n\r\n"));
    HttpRequest request = get(server.url());
    request.max_redirects = 3;
    expect_contains(error_of(client()->send(request)), "neither an http nor an https URL");
  }
}
END_TEST

// --- what is asked of it ---

START_TEST(requests_that_are_none) {
  auto http = client();
  for (const char* url :
       {"", "http://", "http://a b/", "http://127.0.0.1:99999/", "nonsense://x"}) {
    ck_assert_msg(!http->send(get(url)), "%s", url);
  }
  HttpRequest request = get("http://127.0.0.1:1/");
  request.fields.emplace_back("X", "a\r\nY: b");
  ck_assert(http->send(request).error().next == Next::never);
  request.fields.front() = {"X\n", "a"};
  ck_assert(http->send(request).error().next == Next::never);
  request.fields.clear();
  request.method = "DELETE";
  ck_assert(http->send(request).error().next == Next::never);
}
END_TEST

START_TEST(what_cannot_be_reached_is_named) {
  int port = 0;
  {
    LoopbackServer closed(echo);
    port = std::stoi(closed.url().substr(closed.url().rfind(':') + 1));
  }
  std::string there = "127.0.0.1:" + std::to_string(port);
  expect_text(error_of(client()->send(get("http://" + there + "/"))),
              "no connection to " + there + ": Connection refused");
  auto ca = net::curl_clients(Peer::ca)({});
  // RFC 6761 6.4: never resolves.
  expect_text(error_of(ca->send(get("https://ca.invalid:14000/dir"))),
              "the CA's name ca.invalid does not resolve");
  expect_text(error_of(net::curl_clients(Peer::webhook)({})->send(get("https://hook.invalid/"))),
              "the webhook's name hook.invalid does not resolve");
  expect_text(error_of(ca->send(get("http://" + there + "/"))),
              "not an https URL, or a redirect to one that is not");
  net::HttpSettings through;
  through.proxy = "http://user:secret@" + there;
  std::string told = error_of(client(through)->send(get("http://a.invalid/")));
  expect_text(told, "no connection through the proxy " + there +
                        " (TLSGuardHTTPProxy) to a.invalid: Connection refused");
  through.proxy = "http://proxy.invalid:3128";
  expect_text(error_of(client(through)->send(get("http://a.invalid/"))),
              "the proxy's name proxy.invalid does not resolve (TLSGuardHTTPProxy)");
}
END_TEST

START_TEST(a_proxy_is_used_where_it_is_set_and_no_other) {
  LoopbackServer proxy(echo);
  LoopbackServer server(echo);
  net::HttpSettings settings;
  settings.proxy = proxy.url();
  std::string got = value_of(client(settings)->send(get("http://a.invalid/x"))).body;
  ck_assert(got.starts_with("GET http://a.invalid/x HTTP/1.1\r\n"));
  ck_assert_int_eq(proxy.connections(), 1);
  // The environment is somebody else's.
  for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) {
    ::setenv(name, proxy.url().c_str(), 1);
  }
  ck_assert(client()->send(get(server.url())).has_value());
  ck_assert_int_eq(proxy.connections(), 1);
  ::setenv("no_proxy", "*", 1);
  ck_assert(client(settings)->send(get("http://a.invalid/x")).has_value());
  ck_assert_int_eq(proxy.connections(), 2);
}
END_TEST

// --- TLS ---

// A server certificate for this name that signs itself, in a context and as a file.
struct TlsIdentity {
  explicit TlsIdentity(const std::string& name) : context(SSL_CTX_new(TLS_server_method())) {
    UnixSeconds now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
    auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
    crypto::CertificateBuilder builder(key.get(), nullptr);
    builder.subject("", "server").valid(now - 3600, now + 3600);
    builder.names(value_of(crypto::general_names({name})).get(), false);
    auto certificate = value_of(builder.sign(key.get()));
    ck_assert_int_eq(
        SSL_CTX_use_cert_and_key(context.get(), certificate.get(), key.get(), nullptr, 1), 1);
    crypto::Bio bio(BIO_new_file((directory / "root.pem").c_str(), "w"));
    ck_assert_int_eq(PEM_write_bio_X509(bio.get(), certificate.get()), 1);
  }
  [[nodiscard]] net::HttpSettings trust() const { return {directory / "root.pem", ""}; }

  TempDir directory;
  crypto::SslCtx context;
};

START_TEST(a_connection_is_kept_and_its_session) {
  TlsIdentity identity("127.0.0.1");
  std::atomic<int> resumed = 0;
  std::atomic<int> requests = 0;
  SSL_CTX_set_app_data(identity.context.get(), &resumed);
  SSL_CTX_set_info_callback(identity.context.get(), [](const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_DONE) == 0 || SSL_session_reused(ssl) == 0) return;
    ++*static_cast<std::atomic<int>*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  });
  // The first connection ends after two requests.
  LoopbackServer server(
      [&](Stream& stream) {
        for (std::string request = stream.request(); !request.empty(); request = stream.request()) {
          ++requests;
          bool last = requests == 2;
          (void)stream.write(answer("x", last ? "Connection: close\r\n" : ""));
          if (last) return;
        }
      },
      identity.context.get());
  auto http = net::curl_clients(Peer::ca)(identity.trust());
  for (int i = 0; i < 2; ++i) ck_assert(http->send(get(server.url())).has_value());
  ck_assert_int_eq(server.connections(), 1);
  for (int i = 0; i < 3; ++i) ck_assert(http->send(get(server.url())).has_value());
  ck_assert_int_eq(server.connections(), 2);
  ck_assert_int_ge(resumed, 1);
}
END_TEST

START_TEST(a_webhook_may_be_in_clear_and_a_ca_may_not) {
  LoopbackServer server(echo);
  ck_assert(net::curl_clients(Peer::webhook)({})->send(get(server.url())).has_value());
  expect_contains(error_of(net::curl_clients(Peer::ca)({})->send(get(server.url()))),
                  "not an https URL");
}
END_TEST

START_TEST(a_cas_certificate_is_verified) {
  TlsIdentity identity("127.0.0.1");
  TlsIdentity other("127.0.0.1");
  TlsIdentity named("ca.example");
  LoopbackServer server(echo, identity.context.get());
  LoopbackServer misnamed(echo, named.context.get());
  ck_assert(net::curl_clients(Peer::ca)(identity.trust())->send(get(server.url())).has_value());
  for (Peer peer : {Peer::ca, Peer::webhook}) {
    auto refused = net::curl_clients(peer)({})->send(get(server.url()));
    expect_contains(error_of(refused), "the certificate of 127.0.0.1:");
    expect_contains(error_of(refused), "is not trusted: self");
    ck_assert((error_of(refused).find("TLSGuardCATrust") != std::string::npos) ==
              (peer == Peer::ca));
    ck_assert(refused.error().next == Next::back_off);
  }
  expect_contains(error_of(net::curl_clients(Peer::ca)(other.trust())->send(get(server.url()))),
                  "(TLSGuardCATrust is " + other.trust().trust_file + ")");
  expect_contains(error_of(net::curl_clients(Peer::ca)(named.trust())->send(get(misnamed.url()))),
                  "is not trusted: ");
  // A CA looks at none of that when it comes for http-01 (RFC 8555 8.3).
  ck_assert(client()->send(get(server.url())).has_value());
  ck_assert(client()->send(get(misnamed.url())).has_value());
}
END_TEST

START_TEST(trust_is_a_file_or_a_directory) {
  TlsIdentity identity("127.0.0.1");
  LoopbackServer server(echo, identity.context.get());
  std::string file = identity.trust().trust_file;
  crypto::Bio bio(BIO_new_file(file.c_str(), "r"));
  crypto::Certificate root(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  char name[32];
  std::snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(root.get()));
  auto trusting = [&](const std::string& path) {
    return net::curl_clients(Peer::ca)({path, ""})->send(get(server.url()));
  };
  std::string directory = identity.directory.path();
  ck_assert(!trusting(directory));
  write_file(identity.directory / name, content_of(file));
  ck_assert(trusting(directory).has_value());
  expect_text(error_of(trusting(directory + "/none.pem")),
              "no certificates can be read from " + directory + "/none.pem (TLSGuardCATrust)");
  write_file(identity.directory / "no.pem", "no certificate");
  ck_assert(!trusting(identity.directory / "no.pem"));
}
END_TEST

START_TEST(redirects_of_a_ca_stay_encrypted) {
  TlsIdentity identity("127.0.0.1");
  LoopbackServer plain(echo);
  LoopbackServer server(
      says("HTTP/1.1 302 Found\r\nLocation: " + plain.url() + "\r\nContent-Length: 0\r\n\r\n"),
      identity.context.get());
  HttpRequest request = get(server.url());
  request.max_redirects = 3;
  auto http = net::curl_clients(Peer::ca)(identity.trust());
  expect_contains(error_of(http->send(request)), "not an https URL, or a redirect");
  ck_assert_int_eq(plain.connections(), 0);
}
END_TEST

START_TEST(old_tls_is_refused) {
  TlsIdentity identity("127.0.0.1");
  SSL_CTX_set_security_level(identity.context.get(), 0);
  SSL_CTX_set_max_proto_version(identity.context.get(), TLS1_1_VERSION);
  LoopbackServer server(echo, identity.context.get());
  auto http = net::curl_clients(Peer::ca)(identity.trust());
  expect_contains(error_of(http->send(get(server.url()))), "no TLS with 127.0.0.1:");
}
END_TEST

// Whoever writes to a connection that the server has reset gets the signal.
START_TEST(no_signal_gets_out) {
  std::signal(SIGPIPE, SIG_DFL);
  TlsIdentity identity("127.0.0.1");
  LoopbackServer server([](Stream&) {}, identity.context.get());
  HttpRequest request = get(server.url());
  request.method = "POST";
  request.body = std::string(4UL << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    ck_assert(!net::curl_clients(Peer::ca)(identity.trust())->send(request));
  }
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  ck_assert_int_eq(sigismember(&blocked, SIGPIPE), 0);
}
END_TEST

}  // namespace

Suite* curl_client_suite() {
  Suite* suite = suite_create("curl_client");
  TCase* tcase = tcase_create("curl_client");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, requests_say_what_they_shall);
  tcase_add_test(tcase, responses_come_as_they_are);
  tcase_add_test(tcase, a_head_has_no_body);
  tcase_add_test(tcase, only_the_last_header_counts);
  tcase_add_test(tcase, a_body_beyond_the_bound_ends_the_transfer);
  tcase_add_test(tcase, a_body_of_just_the_bound_fits);
  tcase_add_test(tcase, a_header_beyond_the_bounds_ends_the_transfer);
  tcase_add_test(tcase, an_answer_has_its_time);
  tcase_add_test(tcase, answers_that_end_early);
  tcase_add_test(tcase, answers_that_are_no_http);
  tcase_add_test(tcase, redirects_are_followed_where_that_was_asked);
  tcase_add_test(tcase, redirect_loops_end);
  tcase_add_test(tcase, redirects_lead_to_http_only);
  tcase_add_test(tcase, requests_that_are_none);
  tcase_add_test(tcase, what_cannot_be_reached_is_named);
  tcase_add_test(tcase, a_proxy_is_used_where_it_is_set_and_no_other);
  tcase_add_test(tcase, a_connection_is_kept_and_its_session);
  tcase_add_test(tcase, a_webhook_may_be_in_clear_and_a_ca_may_not);
  tcase_add_test(tcase, a_cas_certificate_is_verified);
  tcase_add_test(tcase, trust_is_a_file_or_a_directory);
  tcase_add_test(tcase, redirects_of_a_ca_stay_encrypted);
  tcase_add_test(tcase, old_tls_is_refused);
  tcase_add_test(tcase, no_signal_gets_out);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
