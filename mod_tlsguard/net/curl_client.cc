// SPDX-License-Identifier: Apache-2.0
#include "net/curl_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <system_error>

#include "net/curl_error.h"
#include "net/transfer.h"

namespace tlsguard::net {
namespace {

Error unusable(std::string text) {
  Error error{std::move(text)};
  error.kind = unusable_answer;
  return error;
}

// OpenSSL writes to sockets whose other end may be gone; what that signals is for this thread to
// drop, whatever the process does with it.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    if (sigismember(&before_, SIGPIPE) == 1) return;
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

struct FreeEasy {
  void operator()(CURL* easy) const {
    WithoutSigpipe guard;
    curl_easy_cleanup(easy);
  }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using List = std::unique_ptr<curl_slist, FreeList>;
using Url = std::unique_ptr<CURLU, FreeUrl>;

template <typename Value>
void set(const Easy& easy, CURLoption option, Value value) {
  // Each option is one that every libcurl of configure's minimum has.
  curl_easy_setopt(easy.get(), option, value);
}

// What libcurl calls; nothing may be thrown through it.
extern "C" std::size_t tlsguard_net_header(char* data, std::size_t size, std::size_t count,
                                           void* transfer) noexcept {
  try {
    return static_cast<Transfer*>(transfer)->take_header({data, size * count}) ? size * count : 0;
  } catch (...) {  // out of memory
    return 0;
  }
}
extern "C" std::size_t tlsguard_net_body(char* data, std::size_t size, std::size_t count,
                                         void* transfer) noexcept {
  try {
    // Fewer bytes than were given end the transfer, 0 of 0 do not.
    return static_cast<Transfer*>(transfer)->take_body({data, size * count}) ? size * count : 0;
  } catch (...) {
    return 0;
  }
}

// "acme.example.org:14000"; the text itself where it is no URL. No user information: a proxy's URL
// may have a password.
std::string host_of(const std::string& text) {
  Url url(curl_url());
  if (!url ||
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_GUESS_SCHEME) != CURLUE_OK) {
    return "the given URL";
  }
  std::string host;
  for (CURLUPart part : {CURLUPART_HOST, CURLUPART_PORT}) {
    char* value = nullptr;
    if (curl_url_get(url.get(), part, &value, 0) != CURLUE_OK) continue;
    host += (host.empty() ? "" : ":") + std::string(value);
    curl_free(value);
  }
  return host;
}

bool has_line_end(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

class CurlClient : public HttpClient {
 public:
  CurlClient(Peer peer, HttpSettings settings) : peer_(peer), settings_(std::move(settings)) {}
  Result<HttpResponse> send(const HttpRequest& request) override;

 private:
  bool open();
  void set_protocols();
  void set_trust();
  void set_proxy();
  Result<List> fields_of(const HttpRequest& request) const;
  void set_request(const HttpRequest& request);
  Error error_of(CURLcode code, const HttpRequest& request, const Transfer& transfer) const;

  Peer peer_;
  HttpSettings settings_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
  Easy easy_;
};

// What is the same for all requests.
bool CurlClient::open() {
  if (easy_) return true;
  easy_.reset(curl_easy_init());
  if (!easy_) return false;
  set(easy_, CURLOPT_ERRORBUFFER, detail_.data());
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(connect_timeout.count()));
  set(easy_, CURLOPT_HEADERFUNCTION, &tlsguard_net_header);
  set(easy_, CURLOPT_WRITEFUNCTION, &tlsguard_net_body);
  // RFC 8555 6.1.
  std::string agent =
      fmt::format("mod_tlsguard/{} libcurl/{}", TLSGUARD_VERSION,
                  static_cast<const char*>(curl_version_info(CURLVERSION_NOW)->version));
  set(easy_, CURLOPT_USERAGENT, agent.c_str());
  set_protocols();
  set_trust();
  set_proxy();
  return true;
}

void CurlClient::set_protocols() {
  bool http_too = peer_ != Peer::ca;
#if LIBCURL_VERSION_NUM >= 0x075500
  const char* allowed = http_too ? "http,https" : "https";
  set(easy_, CURLOPT_PROTOCOLS_STR, allowed);
  set(easy_, CURLOPT_REDIR_PROTOCOLS_STR, allowed);
#else
  long allowed = http_too ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS;
  set(easy_, CURLOPT_PROTOCOLS, allowed);
  set(easy_, CURLOPT_REDIR_PROTOCOLS, allowed);
#endif
}

void CurlClient::set_trust() {
  bool verify = peer_ != Peer::self_check;
  set(easy_, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
  if (settings_.trust_file.empty()) return;
  struct stat status {};
  bool is_directory = stat(settings_.trust_file.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  const char* none = nullptr;
  set(easy_, CURLOPT_CAINFO, is_directory ? none : settings_.trust_file.c_str());
  set(easy_, CURLOPT_CAPATH, is_directory ? settings_.trust_file.c_str() : none);
}

void CurlClient::set_proxy() {
  // Set, though empty, so that the environment's is not used.
  set(easy_, CURLOPT_PROXY, settings_.proxy.c_str());
  set(easy_, CURLOPT_NOPROXY, "");
  set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

Result<List> CurlClient::fields_of(const HttpRequest& request) const {
  List list;
  auto add = [&list](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) return false;
    (void)list.release();
    list.reset(longer);
    return true;
  };
  // RFC 8555 6.1. An Expect would cost a round trip.
  bool added = add("Accept-Language: en") && add("Expect:");
  for (const auto& [name, value] : request.fields) {
    if (has_line_end(name) || has_line_end(value)) {
      return fail_for_good("a request's field has a line end in it");
    }
    added = added && add(fmt::format("{}: {}", name, value));
  }
  if (!added) return fail("out of memory");
  return list;
}

void CurlClient::set_request(const HttpRequest& request) {
  set(easy_, CURLOPT_URL, request.url.c_str());
  // 0 would be no limit at all.
  set(easy_, CURLOPT_TIMEOUT, std::max(1L, static_cast<long>(request.timeout.count())));
  set(easy_, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request.max_bytes));
  set(easy_, CURLOPT_MAXREDIRS, static_cast<long>(request.max_redirects));
  bool follow = request.method == "GET" && request.max_redirects > 0;
  set(easy_, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);
  // The order matters: each of these changes the method.
  set(easy_, CURLOPT_NOBODY, 0L);
  set(easy_, CURLOPT_HTTPGET, 1L);
  if (request.method == "HEAD") set(easy_, CURLOPT_NOBODY, 1L);
  if (request.method == "POST") {
    set(easy_, CURLOPT_POST, 1L);
    set(easy_, CURLOPT_POSTFIELDS, request.body.data());
    set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
}

Error CurlClient::error_of(CURLcode code, const HttpRequest& request,
                           const Transfer& transfer) const {
  if (transfer.exceeded() == Transfer::Bound::header) {
    return unusable("the header of the answer is larger than any that is taken");
  }
  if (transfer.exceeded() == Transfer::Bound::body || code == CURLE_FILESIZE_EXCEEDED) {
    return unusable(fmt::format("the answer is larger than {} bytes", request.max_bytes));
  }
  CurlFailure failure;
  failure.code = code;
  failure.detail = detail_.data();
  failure.trust_file = settings_.trust_file;
  failure.timeout = request.timeout;
  failure.max_redirects = request.max_redirects;
  if (!settings_.proxy.empty()) failure.proxy = host_of(settings_.proxy);
  const char* url = nullptr;
  curl_easy_getinfo(easy_.get(), CURLINFO_EFFECTIVE_URL, &url);
  failure.host = host_of(url != nullptr && *url != '\0' ? url : request.url);
  long number = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &number);
  if (number != 0) failure.os_error = std::system_category().message(static_cast<int>(number));
  curl_off_t connected = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &connected);
  failure.connected = connected > 0;
  return to_error(failure, peer_);
}

Result<HttpResponse> CurlClient::send(const HttpRequest& request) {
  if (!open()) return fail("libcurl cannot be used: out of memory");
  if (request.method != "GET" && request.method != "HEAD" && request.method != "POST") {
    return fail_for_good("no such method: " + request.method);
  }
  auto fields = fields_of(request);
  if (!fields) return tl::unexpected(fields.error());
  Transfer transfer(request.max_bytes, max_header_bytes, max_header_fields);
  set_request(request);
  set(easy_, CURLOPT_HTTPHEADER, fields->get());
  set(easy_, CURLOPT_HEADERDATA, &transfer);
  set(easy_, CURLOPT_WRITEDATA, &transfer);
  detail_.fill('\0');
  CURLcode code = CURLE_OK;
  {
    WithoutSigpipe guard;
    code = curl_easy_perform(easy_.get());
  }
  if (code != CURLE_OK) return tl::unexpected(error_of(code, request, transfer));
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  transfer.response().status = static_cast<int>(status);
  return std::move(transfer.response());
}

}  // namespace

HttpClientFactory curl_clients(Peer peer) {
  // Once for the process, and not thread-safe in every version: a local static is.
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  (void)ready;
  return
      [peer](const HttpSettings& settings) { return std::make_unique<CurlClient>(peer, settings); };
}

}  // namespace tlsguard::net
