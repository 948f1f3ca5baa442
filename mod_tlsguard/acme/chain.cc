// SPDX-License-Identifier: Apache-2.0
// The certificate, downloaded: which of the CA's chains (RFC 8555 7.4.2).
#include "acme/ca_url.h"
#include "acme/state.h"
#include "core/text.h"
#include "crypto/certificate.h"
#include "net/response_fields.h"

namespace tlsguard::acme {
namespace {

constexpr std::size_t max_alternates = 8;

Result<std::string> pem_of(net::HttpResponse& response) {
  std::string_view body = trim(response.body);
  if (body.starts_with("-----BEGIN ")) return std::move(response.body);
  if (body.empty()) return fail("the CA sent an empty certificate");
  if (body.front() == '<') return fail("the CA sent HTML instead of a certificate");
  return fail("what the CA sent as a certificate is no PEM");
}

}  // namespace

Result<std::string> Client::certificate(net::HttpClient& http, const std::string& url,
                                        const std::string& preferred_chain) {
  auto download = [&](const std::string& from) {
    return state_->post_as_account(
        http, {from, "", "application/pem-certificate-chain", crypto::max_chain_pem});
  };
  auto response = download(url);
  if (!response) return tl::unexpected(response.error().within("certificate"));
  auto alternates = net::links(*response, "alternate", max_alternates);
  auto first = pem_of(*response);
  if (!first || preferred_chain.empty()) return first;
  auto chain = crypto::parse_chain(*first);
  if (!chain || crypto::leads_to(*chain, preferred_chain)) return first;
  // One that cannot be had, or is torn, is no reason to do without the first.
  for (const std::string& alternate : alternates) {
    if (!is_ca_url(alternate)) continue;
    auto other = download(alternate);
    if (!other) continue;
    auto pem = pem_of(*other);
    auto parsed = pem ? crypto::parse_chain(*pem) : fail("");
    if (parsed && crypto::leads_to(*parsed, preferred_chain)) return pem;
  }
  return first;
}

}  // namespace tlsguard::acme
