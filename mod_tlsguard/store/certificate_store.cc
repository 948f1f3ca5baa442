// SPDX-License-Identifier: Apache-2.0
// Reading, and making versions live. Writing versions and deleting them: certificate_writer.cc.
#include "store/certificate_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.h"
#include "crypto/certificate.h"
#include "store/domain_directory.h"
#include "store/layout.h"
#include "store/version_files.h"

namespace tlsguard::store {
namespace {

constexpr std::size_t max_domains = 1'000'000;

// That key and chain fit each other and the names. At a moment when the leaf is valid: dates are
// for whoever serves it.
Result<void> check_pair(const StoredKeyPair& pair, const std::vector<std::string>& names) {
  auto chain = crypto::parse_chain(pair.chain_pem);
  if (!chain) return tl::unexpected(chain.error());
  auto key = crypto::key_from_der(pair.type, pair.key_der.bytes());
  if (!key) return tl::unexpected(key.error());
  auto facts = crypto::facts_of(chain->front().get());
  if (!facts) return tl::unexpected(facts.error());
  return crypto::check_servable(*chain, key->get(), names, facts->not_before);
}

// A generation above any that readers may have seen while `current` was whole.
std::uint64_t lost_generation(const Directory& domain) {
  auto previous = read_previous(domain);
  auto numbers = version_numbers(domain);
  std::uint64_t known = numbers ? numbers->size() : 0;
  return previous ? std::max(previous->generation + 1, known) : known;
}

// What the newest readable version says; empty: none does.
std::string identity_in(const Directory& domain) {
  auto numbers = version_numbers(domain);
  if (!numbers) return {};
  for (auto number = numbers->rbegin(); number != numbers->rend(); ++number) {
    auto version = domain.below(std::to_string(*number));
    if (!version || !*version) continue;
    auto text = (*version)->read(meta_file, max_meta_file);
    if (!text || !*text) continue;
    if (auto file = version_from_json(**text)) return file->identity;
  }
  return {};
}

}  // namespace

CertificateStore::CertificateStore(Directory certs, const crypto::SealingKey& key)
    : certs_(std::move(certs)), key_(&key) {}

Result<std::optional<Current>> CertificateStore::current(std::string_view identity) const {
  auto domain = certs_.below(directory_of(identity));
  if (!domain) return tl::unexpected(domain.error());
  if (!*domain) return std::nullopt;
  return read_current(**domain);
}

std::optional<Current> CertificateStore::previous(std::string_view identity) const {
  auto domain = certs_.below(directory_of(identity));
  if (!domain || !*domain) return std::nullopt;
  return read_previous(**domain);
}

Result<Version> CertificateStore::load(std::string_view identity, std::uint32_t number) const {
  const std::string name = to_lower(identity);
  const std::string where = fmt::format("version {} of '{}'", number, name);
  const std::string path = directory_of(name);
  auto domain = certs_.below(path);
  if (!domain) return tl::unexpected(domain.error());
  if (!*domain) return torn(where + " is missing");
  auto directory = (*domain)->below(std::to_string(number));
  if (!directory) return tl::unexpected(directory.error());
  if (!*directory) return torn(where + " is missing");
  auto file = read_version_file(**directory, name, number);
  if (!file) return tl::unexpected(file.error().within(where));
  Version version{number, std::move(file->meta), {}};
  for (const auto& certificate : file->certificates) {
    auto chain = read_chain(**directory, certificate);
    if (!chain) return tl::unexpected(chain.error().within(where));
    auto sealed = read_sealed_key(**directory, certificate);
    if (!sealed) return tl::unexpected(sealed.error().within(where));
    auto key = key_->unseal(*sealed, key_purpose(name, number, certificate.type));
    if (!key) {
      return torn(fmt::format("{}: {}: {}", where, key_file(certificate.type), key.error().text));
    }
    version.pairs.push_back({certificate.type, std::move(*chain), std::move(*key)});
  }
  return version;
}

Result<std::vector<std::uint32_t>> CertificateStore::versions(std::string_view identity) const {
  const std::string name = to_lower(identity);
  auto domain = certs_.below(directory_of(name));
  if (!domain) return tl::unexpected(domain.error());
  if (!*domain) return std::vector<std::uint32_t>();
  auto numbers = version_numbers(**domain);
  if (!numbers) return numbers;
  std::vector<std::uint32_t> complete;
  for (std::uint32_t number : *numbers) {
    auto checked = check_complete(**domain, name, number);
    if (checked) complete.push_back(number);
    if (!checked && checked.error().kind != torn_kind) return tl::unexpected(checked.error());
  }
  std::reverse(complete.begin(), complete.end());
  return complete;
}

Result<std::vector<std::string>> CertificateStore::identities() const {
  auto names = certs_.names(max_domains);
  if (!names) return names;
  std::vector<std::string> found;
  for (const std::string& name : *names) {
    auto domain = certs_.below(name);
    if (!domain || !*domain) continue;
    std::string identity = identity_in(**domain);
    if (!identity.empty() && directory_of(identity) == name) found.push_back(std::move(identity));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> CertificateStore::check(std::string_view identity, std::uint32_t number) const {
  auto version = load(identity, number);
  if (!version) return tl::unexpected(version.error());
  for (const StoredKeyPair& pair : version->pairs) {
    if (auto checked = check_pair(pair, version->meta.names); !checked) {
      return torn(fmt::format("version {} of '{}', {}: {}", number, identity,
                              crypto::key_type_name(pair.type), checked.error().text));
    }
  }
  return {};
}

Result<Current> CertificateStore::activate(std::string_view identity, std::uint32_t number) {
  if (auto checked = check(identity, number); !checked) {
    return tl::unexpected(checked.error());
  }
  auto domain = certs_.below(directory_of(identity));
  if (!domain || !*domain) return fail(fmt::format("the directory of '{}' is gone", identity));
  auto old = read_current(**domain);
  if (!old && old.error().kind != torn_kind) return tl::unexpected(old.error());
  if (old && *old && (*old)->version == number) return **old;
  Current next{1, number};
  if (!old) next.generation = lost_generation(**domain) + 1;
  if (old && *old) {
    next.generation = (*old)->generation + 1;
    if (auto kept = (*domain)->link(current_file, previous_file); !kept) {
      return tl::unexpected(kept.error());
    }
  }
  auto written =
      (*domain)->write(current_file, to_text(next), shared_file_mode, Durability::synced_alone);
  if (!written) return tl::unexpected(written.error());
  return next;
}

Result<Healed> CertificateStore::heal(std::string_view identity,
                                      const std::function<bool(std::uint32_t)>& may_serve) {
  auto domain = certs_.below(directory_of(identity));
  if (!domain) return tl::unexpected(domain.error());
  if (!*domain) return Healed{};
  auto current = read_current(**domain);
  if (current && !*current) return Healed{};
  Error wrong;
  if (!current) {
    wrong = current.error();
  } else {
    auto usable = check(identity, (*current)->version);
    if (usable) return Healed{*current, {}};
    wrong = usable.error();
  }
  if (wrong.kind != torn_kind) return tl::unexpected(wrong);
  auto numbers = version_numbers(**domain);
  if (!numbers) return tl::unexpected(numbers.error());
  for (auto number = numbers->rbegin(); number != numbers->rend(); ++number) {
    auto usable = check(identity, *number);
    if (!usable && usable.error().kind != torn_kind) return tl::unexpected(usable.error());
    if (!usable || !may_serve(*number)) continue;
    // The name stays until the new content is there, so a crash in between changes nothing.
    if (auto kept = (*domain)->link(current_file, torn_current_file); !kept) {
      return tl::unexpected(kept.error());
    }
    auto healed = activate(identity, *number);
    if (!healed) return tl::unexpected(healed.error());
    return Healed{*healed, wrong.text};
  }
  // Nothing else can be served. What names a version that does not open is left as it is: with
  // files from a backup (seal.key above all) it is right again.
  if (current) return Healed{std::nullopt, wrong.text};
  if (auto aside = (*domain)->set_aside(current_file); !aside) {
    return tl::unexpected(aside.error());
  }
  return Healed{std::nullopt, wrong.text};
}

}  // namespace tlsguard::store
