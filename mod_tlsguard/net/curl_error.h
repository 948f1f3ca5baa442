// SPDX-License-Identifier: Apache-2.0
// Why a request failed, in words for who configured it. Pure; thread-safe.
#ifndef TLSGUARD_NET_CURL_ERROR_H
#define TLSGUARD_NET_CURL_ERROR_H

#include <curl/curl.h>

#include <string>

#include "core/error.h"
#include "net/curl_client.h"

namespace tlsguard::net {

struct CurlFailure {
  CURLcode code = CURLE_OK;
  std::string host;      // with the port, where the URL has one; of the URL that failed
  std::string detail;    // libcurl's own words; may be empty
  std::string os_error;  // of the connection; may be empty
  std::string proxy;     // its host; empty: none is configured
  std::string trust_file;
  std::chrono::seconds timeout{0};
  bool connected = false;  // TCP, and TLS where there is any
  int max_redirects = 0;
};

[[nodiscard]] Error to_error(const CurlFailure& failure, Peer peer);

}  // namespace tlsguard::net

#endif
