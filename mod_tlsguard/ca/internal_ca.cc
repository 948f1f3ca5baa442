// SPDX-License-Identifier: Apache-2.0
#include "ca/internal_ca.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "ca/constraints.h"
#include "ca/profiles.h"
#include "core/date.h"
#include "crypto/keys.h"

namespace tlsguard::ca {
namespace {

using store::Directory;

constexpr char root_file[] = "root.pem";
constexpr char root_key_file[] = "root.key";
constexpr char intermediate_file[] = "intermediate.pem";
constexpr char intermediate_key_file[] = "intermediate.key";
constexpr mode_t private_mode = 0600;
constexpr crypto::KeyType key_type = crypto::KeyType::p256;
constexpr std::size_t max_file = 64UL * 1024;
// So long before its end the root is warned of: time for a new one to reach every client.
constexpr UnixSeconds root_warning = 365 * one_day;

// What a sealed key is bound to.
std::string purpose_of(const char* file) { return fmt::format("tlsguard internal CA 1\n{}", file); }

Error lost_root(const Directory& directory, const std::string& why) {
  return {fmt::format("the root of the internal CA cannot be used: {}. Clients trust this root, so "
                      "no other is made in its place: bring back '{}' and seal.key from a backup; "
                      "or move that directory away, and give the new root to every client",
                      why, directory.path()),
          Next::never};
}

Result<crypto::Certificate> single_certificate(std::string_view pem) {
  auto chain = crypto::parse_chain(pem);
  if (!chain) return tl::unexpected(chain.error());
  if (chain->size() != 1) return fail("there is more than one certificate in it");
  return std::move(chain->front());
}

Result<std::string> pem_of(const X509* certificate) {
  crypto::Chain chain;
  X509_up_ref(const_cast<X509*>(certificate));
  chain.emplace_back(const_cast<X509*>(certificate));
  return crypto::chain_to_pem(chain);
}

// nullopt: no such file. What does not open is of the kind store::torn_kind.
Result<std::optional<crypto::Key>> read_key(const Directory& directory,
                                            const crypto::SealingKey& sealing, const char* file) {
  auto sealed = directory.read(file, max_file);
  if (!sealed) return tl::unexpected(sealed.error());
  if (!*sealed) return std::nullopt;
  auto der = sealing.unseal(**sealed, purpose_of(file));
  if (!der) return store::torn(der.error().within(file).text);
  auto key = crypto::key_from_der(key_type, der->bytes());
  if (!key) return store::torn(key.error().within(file).text);
  return std::optional<crypto::Key>(std::move(*key));
}

Result<void> write_key(const Directory& directory, const crypto::SealingKey& sealing,
                       const char* file, const EVP_PKEY* key) {
  auto der = crypto::key_to_der(key);
  if (!der) return tl::unexpected(der.error());
  auto sealed = sealing.seal(der->bytes(), purpose_of(file));
  if (!sealed) return tl::unexpected(sealed.error());
  return directory.write(file, *sealed, private_mode);
}

// The root that is there; nullopt: none was ever made.
Result<std::optional<crypto::Certificate>> read_root(const Directory& directory, UnixSeconds now) {
  auto pem = directory.read(root_file, max_file);
  if (!pem && pem.error().kind != store::torn_kind) return tl::unexpected(pem.error());
  if (!pem) return tl::unexpected(lost_root(directory, pem.error().text));
  if (!*pem) {
    // An intermediate shows that a root was in use.
    auto used = directory.read(intermediate_file, max_file);
    if (used && !*used) return std::nullopt;
    if (!used && used.error().kind != store::torn_kind) return tl::unexpected(used.error());
    return tl::unexpected(lost_root(directory, fmt::format("{} is gone", root_file)));
  }
  auto root = single_certificate(**pem);
  if (!root) return tl::unexpected(lost_root(directory, root.error().within(root_file).text));
  auto facts = crypto::facts_of(root->get());
  if (!facts) return tl::unexpected(lost_root(directory, facts.error().text));
  if (facts->not_after < now + leaf_lifetime) {
    return tl::unexpected(
        lost_root(directory, fmt::format("it ends at {}", format_date(facts->not_after))));
  }
  return std::optional<crypto::Certificate>(std::move(*root));
}

// The certificate is written last: without it, the key was never used, and is taken up again.
Result<crypto::Certificate> create_root(const Directory& directory,
                                        const crypto::SealingKey& sealing,
                                        const std::vector<std::string>& permitted,
                                        UnixSeconds now) {
  auto left = read_key(directory, sealing, root_key_file);
  if (!left) return tl::unexpected(lost_root(directory, left.error().text));
  auto key = *left ? Result<crypto::Key>(std::move(**left)) : crypto::generate_key(key_type);
  if (!key) return tl::unexpected(key.error());
  auto root = make_root(key->get(), permitted, now);
  if (!root) return root;
  auto pem = pem_of(root->get());
  if (!pem) return tl::unexpected(pem.error());
  auto written = write_key(directory, sealing, root_key_file, key->get());
  if (written) written = directory.write(root_file, *pem, private_mode);
  if (!written) return tl::unexpected(written.error());
  return root;
}

struct Intermediate {
  crypto::Certificate certificate;
  crypto::Key key;
};

// That it is this root's, its key is there, and it has more than this much time left.
bool is_usable(const Intermediate& intermediate, X509* root, UnixSeconds now, UnixSeconds left) {
  auto facts = crypto::facts_of(intermediate.certificate.get());
  X509* certificate = intermediate.certificate.get();
  return facts && now - clock_skew >= facts->not_before && facts->not_after - now > left &&
         X509_check_issued(root, certificate) == X509_V_OK &&
         X509_verify(certificate, X509_get0_pubkey(root)) == 1 &&
         X509_check_private_key(certificate, intermediate.key.get()) == 1;
}

// nullopt: there is none that can be used; what is torn is set aside.
Result<std::optional<Intermediate>> read_intermediate(const Directory& directory,
                                                      const crypto::SealingKey& sealing) {
  auto key = read_key(directory, sealing, intermediate_key_file);
  auto pem = directory.read(intermediate_file, max_file);
  for (const Error* error : {key ? nullptr : &key.error(), pem ? nullptr : &pem.error()}) {
    if (error != nullptr && error->kind != store::torn_kind) return tl::unexpected(*error);
  }
  if (key && !*key && pem && !*pem) return std::nullopt;
  if (key && *key && pem && *pem) {
    if (auto certificate = single_certificate(**pem)) {
      return std::optional<Intermediate>({std::move(*certificate), std::move(**key)});
    }
  }
  for (const char* file : {intermediate_key_file, intermediate_file}) {
    if (auto aside = directory.set_aside(file); !aside) return tl::unexpected(aside.error());
  }
  return std::nullopt;
}

Result<Intermediate> create_intermediate(const Directory& directory,
                                         const crypto::SealingKey& sealing, X509* root,
                                         UnixSeconds now) {
  auto root_key = read_key(directory, sealing, root_key_file);
  if (!root_key && root_key.error().kind != store::torn_kind) {
    return tl::unexpected(root_key.error());
  }
  if (!root_key) return tl::unexpected(lost_root(directory, root_key.error().text));
  if (!*root_key || X509_check_private_key(root, (*root_key)->get()) != 1) {
    return tl::unexpected(lost_root(directory, fmt::format("{} is not its key", root_key_file)));
  }
  auto key = crypto::generate_key(key_type);
  if (!key) return tl::unexpected(key.error());
  auto certificate = make_intermediate(key->get(), {root, (*root_key)->get()}, now);
  if (!certificate) return tl::unexpected(certificate.error());
  auto pem = pem_of(certificate->get());
  if (!pem) return tl::unexpected(pem.error());
  auto written = write_key(directory, sealing, intermediate_key_file, key->get());
  if (written) written = directory.write(intermediate_file, *pem, private_mode);
  if (!written) return tl::unexpected(written.error());
  return Intermediate{std::move(*certificate), std::move(*key)};
}

// The one that is there, or a new one where it is due or not usable. warning: it is due, but no new
// one could be made.
Result<Intermediate> open_intermediate(const Directory& directory,
                                       const crypto::SealingKey& sealing, X509* root,
                                       UnixSeconds now, std::string& warning) {
  auto kept = read_intermediate(directory, sealing);
  if (!kept) return tl::unexpected(kept.error());
  auto of_root = crypto::facts_of(root);
  if (!of_root) return tl::unexpected(of_root.error());
  // Near the root's end a new intermediate would last no longer.
  const UnixSeconds third = intermediate_lifetime / 3;
  const UnixSeconds wanted = of_root->not_after - now > third ? third : leaf_lifetime;
  if (*kept && is_usable(**kept, root, now, wanted)) return std::move(**kept);
  auto made = create_intermediate(directory, sealing, root, now);
  if (made || !*kept || !is_usable(**kept, root, now, leaf_lifetime)) return made;
  warning = made.error().text;
  return std::move(**kept);
}

}  // namespace

Result<InternalCa> InternalCa::open(const Directory& directory, const crypto::SealingKey& sealing,
                                    const InternalCaSettings& settings, UnixSeconds now) {
  auto found = read_root(directory, now);
  if (!found) return tl::unexpected(found.error());
  auto root = *found ? Result<crypto::Certificate>(std::move(**found))
                     : create_root(directory, sealing, settings.permitted_names, now);
  if (!root) return tl::unexpected(root.error());
  std::string warning;
  auto intermediate = open_intermediate(directory, sealing, root->get(), now, warning);
  if (!intermediate) return tl::unexpected(intermediate.error());
  auto root_pem = pem_of(root->get());
  if (!root_pem) return tl::unexpected(root_pem.error());
  auto root_facts = crypto::facts_of(root->get());
  if (!root_facts) return tl::unexpected(root_facts.error());
  if (warning.empty() && root_facts->not_after - now < root_warning) {
    warning = fmt::format("the root of the internal CA ends at {}, and then nothing more is issued",
                          format_date(root_facts->not_after));
  }
  InternalCa ca;
  ca.root_ = std::move(*root);
  ca.intermediate_ = std::move(intermediate->certificate);
  ca.intermediate_key_ = std::move(intermediate->key);
  ca.root_pem_ = std::move(*root_pem);
  ca.root_facts_ = std::move(*root_facts);
  ca.warning_ = std::move(warning);
  return ca;
}

Result<std::string> InternalCa::issue(const std::vector<std::string>& names,
                                      const EVP_PKEY* public_key, UnixSeconds now) const {
  auto leaf = make_leaf(names, public_key, {intermediate_.get(), intermediate_key_.get()}, now);
  if (!leaf) return tl::unexpected(leaf.error());
  if (auto checked = check_permitted(root_.get(), leaf->get()); !checked) {
    return tl::unexpected(checked.error());
  }
  auto leaf_pem = pem_of(leaf->get());
  if (!leaf_pem) return leaf_pem;
  auto intermediate_pem = pem_of(intermediate_.get());
  if (!intermediate_pem) return intermediate_pem;
  return *leaf_pem + *intermediate_pem;
}

Result<std::string> read_root_pem(const Directory& directory) {
  auto pem = directory.read(root_file, max_file);
  if (!pem) return tl::unexpected(pem.error());
  if (!*pem) {
    return fail(fmt::format("'{}' has no root: the internal CA is made when a domain first uses it",
                            directory.path()));
  }
  auto root = single_certificate(**pem);
  if (!root) return tl::unexpected(root.error().within(root_file));
  return pem_of(root->get());
}

}  // namespace tlsguard::ca
