// SPDX-License-Identifier: Apache-2.0
#include "renew/revocation.h"

#include <fmt/format.h>
#include <openssl/x509.h>

#include <algorithm>

#include "crypto/certificate.h"

namespace tlsguard::renew {
namespace {

Result<std::string> leaf_der(const store::StoredKeyPair& pair) {
  auto chain = crypto::parse_chain(pair.chain_pem);
  if (!chain) return tl::unexpected(chain.error());
  unsigned char* der = nullptr;
  int size = ::i2d_X509(chain->front().get(), &der);
  if (size <= 0) return fail("the certificate cannot be encoded: " + crypto::drain_errors());
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

Result<void> check_still_good(const store::Version& version, UnixSeconds now) {
  if (version.pairs.empty()) return fail("there is nothing in it");
  for (const store::StoredKeyPair& pair : version.pairs) {
    auto chain = crypto::parse_chain(pair.chain_pem);
    if (!chain) return tl::unexpected(chain.error());
    auto key = crypto::key_from_der(pair.type, pair.key_der.bytes());
    if (!key) return tl::unexpected(key.error());
    auto servable = crypto::check_servable(*chain, key->get(), version.meta.names, now);
    if (!servable) return servable;
  }
  return {};
}

// The CA at which what is live was issued, by its place in the settings.
Result<std::size_t> issuing_ca(const DomainSettings& settings, const LiveState& live) {
  for (std::size_t i = 0; i < settings.cas.size(); ++i) {
    if (settings.cas[i].internal() && settings.cas[i].name == live.ca) {
      return fail_for_good(
          "the internal CA does not revoke: its certificates last for days; 'renew' replaces it");
    }
    if (!settings.cas[i].internal() && settings.cas[i].directory_url == live.ca_url) return i;
  }
  return fail_for_good("it was issued by " + live.ca +
                       ", which is no CA of TLSGuardCA here: revoke it there");
}

}  // namespace

Result<store::Version> version_before(const store::CertificateStore& certificates,
                                      const std::string& identity, const JobState& state,
                                      UnixSeconds now) {
  if (!state.live) return fail_for_good("nothing is live");
  auto versions = certificates.versions(identity);
  if (!versions) return tl::unexpected(versions.error());
  std::string why = "there is no older version";
  for (std::uint32_t number : *versions) {
    bool revoked =
        std::find(state.revoked.begin(), state.revoked.end(), number) != state.revoked.end();
    if (number >= state.live->version || revoked) continue;
    auto version = certificates.load(identity, number);
    auto good =
        version ? check_still_good(*version, now) : Result<void>(tl::unexpected(version.error()));
    if (good) return version;
    why = fmt::format("version {} cannot be gone back to: {}", number, good.error().text);
  }
  return fail_for_good(why);
}

Result<void> revoke_live(const Workshop& shop, HttpClients& clients, const DomainSpec& spec,
                         JobState& state, std::optional<int> reason) {
  if (!state.live) return fail_for_good("nothing is live");
  auto ca = issuing_ca(*spec.settings, *state.live);
  if (!ca) return tl::unexpected(ca.error());
  auto version = shop.certificates.load(spec.identity, state.live->version);
  if (!version) return tl::unexpected(version.error());
  WatchedHttp http(clients.to_ca(*spec.settings));
  auto client = shop.accounts.get(http, *spec.settings, *ca, shop.world.now());
  if (!client) return tl::unexpected(client.error());
  for (const store::StoredKeyPair& pair : version->pairs) {
    auto der = leaf_der(pair);
    if (!der) return tl::unexpected(der.error());
    auto revoked = (*client)->revoke(http, *der, reason);
    // Half of them may have been revoked before something failed.
    if (!revoked && revoked.error().kind != "alreadyRevoked") return revoked;
  }
  constexpr std::size_t most = 256;
  if (state.revoked.size() >= most) state.revoked.erase(state.revoked.begin());
  state.revoked.push_back(version->number);
  state.forced = true;
  std::string text = fmt::format("version {} was revoked at {}", version->number, state.live->ca);
  state.remember(shop.world.now(), "revoked", text);
  shop.log.write(Severity::notice, "TG0116", fmt::format("domain={}: {}", spec.identity, text));
  shop.events.tell(Event::revoked, spec, text);
  return {};
}

}  // namespace tlsguard::renew
