// SPDX-License-Identifier: Apache-2.0
#include "live/credentials.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <limits>
#include <new>
#include <set>

#include "core/date.h"
#include "core/dns_name.h"
#include "policy/context.h"

namespace tlsguard::live {
namespace {

constexpr UnixSeconds retry_after = 30;  // seconds
constexpr std::size_t max_key_sets = 256;

enum class Family { ecdsa, rsa };

Family family_of(crypto::KeyType type) {
  return type == crypto::KeyType::p256 || type == crypto::KeyType::p384 ? Family::ecdsa
                                                                        : Family::rsa;
}

void free_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); }

Result<Credential> open_pair(const store::StoredKeyPair& pair,
                             const std::vector<std::string>& names, UnixSeconds now,
                             crypto::CertificateFacts& facts) {
  Credential credential;
  credential.type = pair.type;
  auto chain = crypto::parse_chain(pair.chain_pem);
  if (!chain) return tl::unexpected(chain.error());
  if (chain->empty()) return fail("the chain is empty");
  auto key = crypto::key_from_der(pair.type, pair.key_der.bytes());
  if (!key) return tl::unexpected(key.error());
  auto leaf = crypto::facts_of(chain->front().get());
  if (!leaf) return tl::unexpected(leaf.error());
  // Its dates are looked at by the caller: expired, it may still be better than none.
  UnixSeconds within =
      std::clamp(now, leaf->not_before, std::max(leaf->not_before, leaf->not_after));
  if (auto good = crypto::check_servable(*chain, key->get(), names, within); !good) {
    return tl::unexpected(good.error());
  }
  credential.issuers = {sk_X509_new_null(), free_stack};
  if (!credential.issuers) throw std::bad_alloc();
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (sk_X509_push(credential.issuers.get(), (*chain)[i].get()) == 0) throw std::bad_alloc();
  }
  credential.chain = std::move(*chain);
  credential.key = std::move(*key);
  facts = std::move(*leaf);
  return credential;
}

// As OpenSSL sees them: on a context of their own, whatever its security level will be.
Result<KeySet> keys_of(const std::vector<Credential>& credentials) {
  crypto::SslCtx ctx(SSL_CTX_new(TLS_server_method()));
  if (!ctx) return fail(crypto::drain_errors());
  SSL_CTX_set_security_level(ctx.get(), 0);
  for (const Credential& each : credentials) {
    if (SSL_CTX_use_cert_and_key(ctx.get(), each.chain.front().get(), each.key.get(),
                                 each.issuers.get(), 1) != 1) {
      return fail(crypto::drain_errors());
    }
  }
  return policy::keys_of(ctx.get());
}

}  // namespace

Result<void> serve(SSL* ssl, const LiveCertificate& live) {
  SSL_certs_clear(ssl);
  bool any = false;
  for (const Credential& each : live.credentials) {
    any |= SSL_use_cert_and_key(ssl, each.chain.front().get(), each.key.get(), each.issuers.get(),
                                1) == 1;
  }
  if (!any) return fail(crypto::drain_errors());
  ERR_clear_error();
  return {};
}

Credentials::Credentials(DomainBoard board, const store::CertificateStore& store, LogSink& log,
                         Clock now, UnixSeconds recheck)
    : board_(board), store_(store), log_(log), now_(std::move(now)), recheck_(recheck) {
  static_assert(std::atomic<Entry*>::is_always_lock_free, "all zero is null");
  entries_.reset(static_cast<std::atomic<Entry*>*>(
      std::calloc(DomainBoard::max_domains, sizeof(std::atomic<Entry*>))));
  if (!entries_) throw std::bad_alloc();
}

Credentials::~Credentials() {
  for (Entry* entry = all_.load(); entry != nullptr;) delete std::exchange(entry, entry->next);
}

void Credentials::use_row(WorkerRow row) {
  row_ = row;
  for (std::uint32_t position = 0; row.claimed() && position < board_.used(); ++position) {
    Entry* entry = entries_[position].load(std::memory_order_acquire);
    LivePtr live = entry != nullptr ? entry->current() : nullptr;
    if (live != nullptr) row.serves(position, live->generation);
  }
}

Credentials::Entry& Credentials::entry_of(std::uint32_t position) {
  std::atomic<Entry*>& place = entries_[position];
  Entry* entry = place.load(std::memory_order_acquire);
  if (entry != nullptr) return *entry;
  auto made = std::make_unique<Entry>();
  if (!place.compare_exchange_strong(entry, made.get(), std::memory_order_acq_rel)) return *entry;
  entry = made.release();
  entry->next = all_.load(std::memory_order_relaxed);
  while (!all_.compare_exchange_weak(entry->next, entry, std::memory_order_release)) continue;
  return *entry;
}

bool Credentials::is_settled(const Entry& entry, std::uint64_t generation) const {
  if (entry.seen.load(std::memory_order_acquire) != generation + 1) return false;
  UnixSeconds again_at = entry.again_at.load(std::memory_order_relaxed);
  return again_at == 0 || now_() < again_at;
}

LivePtr Credentials::find(DomainSlot& slot, std::string_view identity) {
  Entry& entry = entry_of(board_.position_of(&slot));
  std::uint64_t generation = slot.generation.load(std::memory_order_acquire);
  if (is_settled(entry, generation)) return entry.current();
  return refresh(entry, slot, generation, identity);
}

LivePtr Credentials::refresh(Entry& entry, DomainSlot& slot, std::uint64_t generation,
                             std::string_view identity) {
  LivePtr old = entry.current();
  std::unique_lock lock(entry.loading, std::defer_lock);
  if (old != nullptr) {
    if (!lock.try_lock()) return old;
  } else {
    lock.lock();  // there is nothing else to serve
  }
  if (is_settled(entry, generation)) return entry.current();
  old = entry.current();
  auto loaded = load(identity, old);
  if (loaded) {
    entry.again_at.store(recheck_ != 0 ? now_() + recheck_ : 0, std::memory_order_relaxed);
    if (*loaded != nullptr && *loaded != old) {
      std::lock_guard pointing(entry.pointing);
      entry.live = *loaded;
    }
    if (entry.complained_of == generation) slot.forget_failed_load();
    entry.complained_of.reset();
    if (*loaded != nullptr) row_.serves(board_.position_of(&slot), (*loaded)->generation);
  } else {
    entry.again_at.store(now_() + retry_after, std::memory_order_relaxed);
    complain(entry, slot, generation, identity, loaded.error());
  }
  entry.seen.store(generation + 1, std::memory_order_release);
  return entry.current();
}

void Credentials::complain(Entry& entry, DomainSlot& slot, std::uint64_t generation,
                           std::string_view identity, const Error& error) {
  if (entry.complained_of == generation) return;
  entry.complained_of = generation;
  slot.count_failed_load();
  row_.could_not_load(board_.position_of(&slot));
  log_.write(Severity::error, "TG0060",
             fmt::format("domain={}: {}; {}", identity, error.text,
                         entry.current() != nullptr ? "what was served before is served on"
                                                    : "nothing of it can be served"));
}

Result<LivePtr> Credentials::load(std::string_view identity, const LivePtr& old) {
  auto current = store_.current(identity);
  if (!current) return tl::unexpected(current.error());
  // Nothing is live; what is served is served on, should its files be gone.
  if (!*current) return LivePtr();
  if (old != nullptr && old->generation == (*current)->generation &&
      old->version == (*current)->version) {
    return old;
  }
  auto live = read_version(identity, **current);
  if (!live) return live;
  UnixSeconds now = now_();
  bool wrong_dates = now < (*live)->not_before || now >= (*live)->not_after;
  if (wrong_dates) {
    std::string dates =
        fmt::format("version {} is valid from {} to {} only", (*live)->version,
                    format_date((*live)->not_before), format_date((*live)->not_after));
    bool old_is_better = old != nullptr && old->not_before <= now && now < old->not_after;
    if (old_is_better) return fail(dates);
    log_.write(Severity::warning, "TG0061",
               fmt::format("domain={}: {}; it is served all the same", identity, dates));
  }
  log_.write(Severity::info, "TG0062",
             fmt::format("domain={}: version {} is served now, valid until {}", identity,
                         (*live)->version, format_date((*live)->not_after)));
  return live;
}

Result<LivePtr> Credentials::read_version(std::string_view identity,
                                          const store::Current& current) {
  auto version = store_.load(identity, current.version);
  if (!version) return tl::unexpected(version.error());
  auto live = std::make_shared<LiveCertificate>();
  live->generation = current.generation;
  live->version = current.version;
  for (const std::string& name : version->meta.names) {
    (is_ip_literal(name) ? live->names.ip_addresses : live->names.dns_names).push_back(name);
  }
  live->not_after = std::numeric_limits<UnixSeconds>::max();
  std::set<Family> taken;
  for (const store::StoredKeyPair& pair : version->pairs) {
    if (!taken.insert(family_of(pair.type)).second) continue;
    crypto::CertificateFacts facts;
    auto credential = open_pair(pair, version->meta.names, now_(), facts);
    if (!credential) {
      return tl::unexpected(credential.error().within(
          fmt::format("version {}, {}", current.version, crypto::key_type_name(pair.type))));
    }
    live->not_before = std::max(live->not_before, facts.not_before);
    live->not_after = std::min(live->not_after, facts.not_after);
    live->credentials.push_back(std::move(*credential));
  }
  if (live->credentials.empty()) {
    return fail(fmt::format("version {} has no certificate", current.version));
  }
  auto keys = keys_of(live->credentials);
  if (!keys) return tl::unexpected(keys.error().within(fmt::format("version {}", current.version)));
  live->keys = shared_keys(std::move(*keys));
  return LivePtr(std::move(live));
}

const KeySet* Credentials::shared_keys(KeySet keys) {
  std::lock_guard lock(key_sets_lock_);
  auto known = std::find_if(key_sets_.begin(), key_sets_.end(),
                            [&](const auto& each) { return *each == keys; });
  if (known != key_sets_.end()) return known->get();
  if (key_sets_.size() >= max_key_sets) return nullptr;
  key_sets_.push_back(std::make_unique<const KeySet>(std::move(keys)));
  return key_sets_.back().get();
}

}  // namespace tlsguard::live
