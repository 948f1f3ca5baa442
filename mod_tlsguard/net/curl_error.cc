// SPDX-License-Identifier: Apache-2.0
#include "net/curl_error.h"

#include <fmt/format.h>

namespace tlsguard::net {
namespace {

struct Words {
  const char* its_name;  // "the CA's name"
  const char* it;
};

Words words(Peer peer) {
  switch (peer) {
    case Peer::ca:
      return {"the CA's name", "the CA"};
    case Peer::webhook:
      return {"the webhook's name", "the webhook"};
    case Peer::self_check:
      break;
  }
  return {"the name", "the server"};
}

// libcurl begins with the same words whatever is wrong with the certificate.
std::string certificate_problem(const std::string& detail) {
  for (std::string_view prefix : {"SSL certificate problem: ", "SSL: "}) {
    if (detail.starts_with(prefix)) return detail.substr(prefix.size());
  }
  return detail;
}

std::string not_trusted(const CurlFailure& failure, Peer peer) {
  std::string text = fmt::format("the certificate of {} is not trusted: {}", failure.host,
                                 certificate_problem(failure.detail));
  if (peer != Peer::ca) return text;
  if (failure.trust_file.empty()) return text + " (TLSGuardCATrust names other roots)";
  return text + fmt::format(" (TLSGuardCATrust is {})", failure.trust_file);
}

std::string too_late(const CurlFailure& failure) {
  if (failure.connected) {
    return fmt::format("no whole answer from {} within {} s", failure.host,
                       failure.timeout.count());
  }
  return fmt::format("no connection to {} in time", failure.host);
}

// A reason only where there is one.
std::string because(const std::string& text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

std::string no_http(const std::string& host) {
  return fmt::format("the answer of {} is no HTTP", host);
}

std::string without_port(const std::string& host) { return host.substr(0, host.rfind(':')); }

std::string text_of(const CurlFailure& failure, Peer peer) {
  const std::string& host = failure.host;
  switch (failure.code) {
    case CURLE_URL_MALFORMAT:
      return because("not a URL", failure.detail);
    case CURLE_UNSUPPORTED_PROTOCOL:
      // Anything that does not begin as HTTP/1 could be HTTP/0.9.
      if (failure.detail.find("HTTP/0.9") != std::string::npos) return no_http(host);
      return peer == Peer::ca ? "not an https URL, or a redirect to one that is not"
                              : "neither an http nor an https URL";
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("{} {} does not resolve", words(peer).its_name, without_port(host));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return fmt::format("the proxy's name {} does not resolve (TLSGuardHTTPProxy)",
                         without_port(failure.proxy));
    case CURLE_COULDNT_CONNECT:
      if (!failure.proxy.empty()) {
        return because(fmt::format("no connection through the proxy {} (TLSGuardHTTPProxy) to {}",
                                   failure.proxy, host),
                       failure.os_error);
      }
      return because("no connection to " + host, failure.os_error);
    case CURLE_OPERATION_TIMEDOUT:
      return too_late(failure);
    case CURLE_PEER_FAILED_VERIFICATION:
      return not_trusted(failure, peer);
    case CURLE_SSL_CACERT_BADFILE:
      return fmt::format("no certificates can be read from {} (TLSGuardCATrust)",
                         failure.trust_file.empty() ? "the system's roots" : failure.trust_file);
    case CURLE_SSL_CONNECT_ERROR:
      return because("no TLS with " + host, failure.detail);
    case CURLE_TOO_MANY_REDIRECTS:
      return fmt::format("{} redirects more than {} times", words(peer).it, failure.max_redirects);
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return because("the connection to " + host + " ended before the answer was complete",
                     failure.detail);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return no_http(host);
    default:
      return because("no answer from " + host,
                     failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail);
  }
}

}  // namespace

Error to_error(const CurlFailure& failure, Peer peer) {
  Error error{text_of(failure, peer)};
  if (failure.code == CURLE_URL_MALFORMAT) error.next = Next::never;
  if (failure.code == CURLE_TOO_MANY_REDIRECTS) error.kind = unusable_answer;
  return error;
}

}  // namespace tlsguard::net
