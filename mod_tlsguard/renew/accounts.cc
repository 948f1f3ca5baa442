// SPDX-License-Identifier: Apache-2.0
#include "renew/accounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "crypto/base64url.h"

namespace tlsguard::renew {
namespace {

constexpr mode_t private_file = 0600;

// What fails on our side is not to be held against the CA.
tl::unexpected<Error> ours(Error error, const std::string& context) {
  error = error.within(context);
  error.kind = "store";
  return tl::unexpected(std::move(error));
}

Result<acme::ExternalAccount> decoded(const ExternalAccountSpec& spec) {
  auto hmac = crypto::from_base64url(spec.hmac);
  if (!hmac) return fail_for_good("the HMAC key of TLSGuardExternalAccount is not base64url");
  return acme::ExternalAccount{spec.kid, std::move(*hmac)};
}

}  // namespace

const ExternalAccountSpec* external_account_for(const DomainSettings& settings,
                                                std::size_t ca_index) {
  const CaSpec& ca = settings.cas.at(ca_index);
  const ExternalAccountSpec* general = nullptr;
  for (const ExternalAccountSpec& account : settings.external_accounts) {
    if (account.ca == ca.name || account.ca == ca.directory_url) return &account;
    if (account.ca.empty() && ca_index == 0) general = &account;
  }
  return general;
}

AccountId account_id(const DomainSettings& settings, std::size_t ca_index) {
  AccountId id;
  id.directory_url = settings.cas.at(ca_index).directory_url;
  id.contacts = settings.contacts;
  std::sort(id.contacts.begin(), id.contacts.end());
  if (const auto* external = external_account_for(settings, ca_index)) id.kid = external->kid;
  return id;
}

nlohmann::json to_json(const AccountSummary& account) {
  return {{"ca", account.id.directory_url},   {"account", account.account_url},
          {"contacts", account.id.contacts},  {"external_account", account.id.kid},
          {"created_at", account.created_at}, {"rolling_over", account.rolling_over}};
}

Accounts::Accounts(store::Directory directory, const crypto::SealingKey& sealing,
                   std::vector<AccountId> in_use, LogSink& log)
    : directory_(std::move(directory)), sealing_(&sealing), in_use_(std::move(in_use)), log_(log) {}

std::shared_ptr<Accounts::Entry> Accounts::entry(const AccountId& id) {
  std::lock_guard lock(mutex_);
  auto& entry = entries_[id.file()];
  if (!entry) entry = std::make_shared<Entry>();
  return entry;
}

Result<std::string> Accounts::sealed(const AccountId& id, const EVP_PKEY* key) const {
  auto der = crypto::key_to_der(key);
  if (!der) return ours(der.error(), "account key");
  auto blob = sealing_->seal(der->bytes(), "account/" + id.directory_url);
  if (!blob) return ours(blob.error(), "account key");
  return crypto::base64url(*blob);
}

Result<crypto::Key> Accounts::opened(const AccountDocument& document) const {
  return opened(document.id, document.key_type, document.sealed_key);
}

Result<crypto::Key> Accounts::opened_next(const AccountDocument& document) const {
  return opened(document.id, crypto::KeyType::p256, document.next_key);
}

Result<crypto::Key> Accounts::opened(const AccountId& id, crypto::KeyType type,
                                     const std::string& sealed_key) const {
  auto blob = crypto::from_base64url(sealed_key);
  if (!blob) return ours(blob.error(), "account key");
  auto der = sealing_->unseal(blob->text(), "account/" + id.directory_url);
  if (!der) return ours(der.error(), "account key");
  auto key = crypto::key_from_der(type, der->bytes());
  if (!key) return ours(key.error(), "account key");
  return key;
}

Result<void> Accounts::save(const AccountDocument& document) {
  std::lock_guard lock(mutex_);
  auto written = directory_.write(document.id.file(), to_json(document), private_file);
  if (!written) return ours(written.error(), "account");
  return {};
}

// Leaves entry.document empty where there is none. One that cannot be used is set aside, for
// whoever has a copy of the store, and a new account is made.
Result<void> Accounts::load(Entry& entry, const AccountId& id) {
  std::lock_guard lock(mutex_);
  auto content = directory_.read(id.file(), max_account_file);
  if (!content) return ours(content.error(), "account");
  if (!*content) return {};
  auto document = account_document_from_json(**content);
  std::string wrong = document ? "" : document.error().text;
  if (document && !(document->id == id)) wrong = "it is of another account";
  if (wrong.empty()) {
    auto key = opened(*document);
    if (!key) wrong = key.error().text;
  }
  if (wrong.empty()) {
    entry.document = std::move(*document);
    return {};
  }
  if (auto moved = directory_.set_aside(id.file()); !moved) return ours(moved.error(), "account");
  log_.write(Severity::error, "TG0117",
             fmt::format("ca={}: the account in {}/{} cannot be used ({}); it was set aside as "
                         "{}.bad, and a new one is made",
                         id.directory_url, directory_.path(), id.file(), wrong, id.file()));
  return {};
}

Result<void> Accounts::begin(Entry& entry, const AccountId& id, UnixSeconds now) {
  auto key = crypto::generate_key(crypto::KeyType::p256);
  if (!key) return ours(key.error(), "account key");
  auto blob = sealed(id, key->get());
  if (!blob) return tl::unexpected(blob.error());
  AccountDocument document{.id = id, .sealed_key = std::move(*blob), .created_at = now};
  if (auto saved = save(document); !saved) return saved;
  entry.document = std::move(document);
  return {};
}

std::optional<std::string> Accounts::file_to_take_over(const AccountId& id) {
  std::lock_guard lock(mutex_);
  std::error_code error;
  namespace fs = std::filesystem;
  for (fs::directory_iterator at(directory_.path(), error), end; !error && at != end;
       at.increment(error)) {
    std::string name = at->path().filename();
    auto content = directory_.read(name, max_account_file);
    if (!content || !*content) continue;
    auto document = account_document_from_json(**content);
    if (!document || document->account_url.empty() || document->id.file() != name) continue;
    bool same_ca = document->id.directory_url == id.directory_url && document->id.kid == id.kid;
    bool in_use = std::find(in_use_.begin(), in_use_.end(), document->id) != in_use_.end();
    if (!same_ca || in_use) continue;
    if (opened(*document)) return name;
  }
  return std::nullopt;
}

Result<void> Accounts::take_over(Entry& entry, net::HttpClient& http, const AccountId& id,
                                 const std::string& file) {
  AccountDocument document;
  {
    std::lock_guard lock(mutex_);
    auto content = directory_.read(file, max_account_file);
    if (!content || !*content) return ours(Error{"it is gone"}, "account " + file);
    auto read = account_document_from_json(**content);
    if (!read) return ours(read.error(), "account " + file);
    document = std::move(*read);
  }
  document.id = id;
  entry.document = document;
  if (auto open = open_client(entry); !open) return open;
  if (!document.next_key.empty()) {
    if (auto finished = finish_roll_over(entry, http); !finished) return finished;
  }
  auto updated = entry.client->update_contacts(http, id.contacts);
  if (!updated) return updated;
  if (auto saved = save(*entry.document); !saved) return saved;
  std::lock_guard lock(mutex_);
  auto removed = directory_.remove(file);
  if (!removed) return ours(removed.error(), "account");
  return {};
}

Result<void> Accounts::open_client(Entry& entry) {
  const AccountDocument& document = *entry.document;
  auto key = opened(document);
  if (!key) return tl::unexpected(key.error());
  entry.client = std::make_shared<acme::Client>(document.id.directory_url, std::move(*key),
                                                document.account_url);
  return {};
}

// The document and its client: as they are in the store, of an account that has other contacts
// now, or begun.
Result<void> Accounts::prepare(Entry& account, net::HttpClient& http, const AccountId& id,
                               UnixSeconds now) {
  if (!account.document) {
    if (auto loaded = load(account, id); !loaded) return loaded;
  }
  if (!account.document) {
    if (auto other = file_to_take_over(id)) return take_over(account, http, id, *other);
    if (auto begun = begin(account, id, now); !begun) return begun;
  }
  if (auto open = open_client(account); !open) return open;
  bool rolling = !account.document->account_url.empty() && !account.document->next_key.empty();
  return rolling ? finish_roll_over(account, http) : Result<void>{};
}

Result<void> Accounts::enrol(Entry& account, net::HttpClient& http, const DomainSettings& settings,
                             std::size_t ca_index) {
  acme::Registration registration{settings.contacts, settings.agreement, nullptr};
  std::optional<acme::ExternalAccount> external;
  if (const auto* spec = external_account_for(settings, ca_index)) {
    auto account_of_theirs = decoded(*spec);
    if (!account_of_theirs) return tl::unexpected(account_of_theirs.error());
    registration.external = &external.emplace(std::move(*account_of_theirs));
  }
  auto url = account.client->register_account(http, registration);
  if (!url) {
    Error error = url.error();
    if (error.kind == "externalAccountRequired") {
      error.text += "; get a key identifier and its key from the CA, for TLSGuardExternalAccount";
    }
    return tl::unexpected(std::move(error));
  }
  account.document->account_url = *url;
  return save(*account.document);
}

Result<std::shared_ptr<acme::Client>> Accounts::get(WatchedHttp& http,
                                                    const DomainSettings& settings,
                                                    std::size_t ca_index, UnixSeconds now) {
  constexpr std::int64_t same_moment = 5;  // seconds
  AccountId id = account_id(settings, ca_index);
  auto held = entry(id);
  Entry& account = *held;
  std::lock_guard lock(account.mutex);
  bool ready = account.client && !account.document->account_url.empty() &&
               account.document->next_key.empty();
  if (ready) return account.client;
  if (account.failed && now >= account.failed_at && now - account.failed_at < same_moment) {
    return tl::unexpected(*account.failed);
  }
  auto done = prepare(account, http, id, now);
  if (done && account.document->account_url.empty()) {
    done = enrol(account, http, settings, ca_index);
  }
  if (done) {
    account.failed.reset();
    return account.client;
  }
  account.client.reset();
  account.document.reset();
  account.failed = done.error();
  account.failed_at = now;
  if (!http.answered()) account.failed->kind = "unreachable";
  return tl::unexpected(*account.failed);
}

Result<std::shared_ptr<acme::Client>> Accounts::reader(const std::string& directory_url) {
  std::lock_guard lock(mutex_);
  auto& reader = readers_[directory_url];
  if (!reader) {
    auto key = crypto::generate_key(crypto::KeyType::p256);  // never used
    if (!key) return ours(key.error(), "account key");
    reader = std::make_shared<acme::Client>(directory_url, std::move(*key), "");
  }
  return reader;
}

void Accounts::forget_registration(const AccountId& id) {
  auto held = entry(id);
  std::lock_guard lock(held->mutex);
  if (!held->document) return;
  held->document->account_url.clear();
  held->client.reset();
}

Result<void> Accounts::roll_over(net::HttpClient& http, const AccountId& id) {
  auto held = entry(id);
  Entry& account = *held;
  std::lock_guard lock(account.mutex);
  if (!account.document) {
    if (auto loaded = load(account, id); !loaded) return loaded;
  }
  if (!account.document || account.document->account_url.empty()) {
    return fail_for_good("there is no account at " + id.directory_url + " yet");
  }
  if (!account.client) {
    if (auto open = open_client(account); !open) return open;
  }
  if (account.document->next_key.empty()) {
    auto key = crypto::generate_key(crypto::KeyType::p256);
    if (!key) return ours(key.error(), "account key");
    auto blob = sealed(id, key->get());
    if (!blob) return tl::unexpected(blob.error());
    account.document->next_key = std::move(*blob);
    if (auto saved = save(*account.document); !saved) {
      account.document->next_key.clear();
      return saved;
    }
  }
  return finish_roll_over(account, http);
}

// The CA may have been asked before, and its answer lost: then it knows the new key alone.
Result<void> Accounts::finish_roll_over(Entry& account, net::HttpClient& http) {
  AccountDocument& document = *account.document;
  auto key = opened_next(document);
  if (!key) return tl::unexpected(key.error());
  auto rolled = account.client->roll_over(http, std::move(*key));
  if (!rolled) {
    auto again = opened_next(document);
    if (!again) return tl::unexpected(again.error());
    auto with_new = std::make_shared<acme::Client>(document.id.directory_url, std::move(*again),
                                                   document.account_url);
    if (!with_new->update_contacts(http, document.id.contacts)) return rolled;
    account.client = std::move(with_new);
  }
  AccountDocument after = document;
  after.sealed_key = std::exchange(after.next_key, "");
  after.key_type = crypto::KeyType::p256;
  if (auto saved = save(after); !saved) return saved;
  document = std::move(after);
  return {};
}

std::vector<AccountSummary> Accounts::list() {
  std::lock_guard lock(mutex_);
  std::vector<AccountSummary> all;
  std::error_code error;
  namespace fs = std::filesystem;
  for (fs::directory_iterator at(directory_.path(), error), end; !error && at != end;
       at.increment(error)) {
    auto content = directory_.read(at->path().filename(), max_account_file);
    if (!content || !*content) continue;
    auto document = account_document_from_json(**content);
    if (!document) continue;
    all.push_back(
        {document->id, document->account_url, document->created_at, !document->next_key.empty()});
  }
  return all;
}

Result<bool> Accounts::import(const AccountId& id, const std::string& account_url,
                              const EVP_PKEY* key, UnixSeconds now) {
  auto type = crypto::key_type_of(key);
  if (!type) return fail_for_good("its key is of a type that is not used here");
  {
    std::lock_guard lock(mutex_);
    auto content = directory_.read(id.file(), max_account_file);
    if (!content) return ours(content.error(), "account");
    if (*content) return false;
  }
  auto blob = sealed(id, key);
  if (!blob) return tl::unexpected(blob.error());
  AccountDocument document{.id = id,
                           .account_url = account_url,
                           .key_type = *type,
                           .sealed_key = std::move(*blob),
                           .created_at = now};
  if (auto saved = save(document); !saved) return tl::unexpected(saved.error());
  return true;
}

}  // namespace tlsguard::renew
