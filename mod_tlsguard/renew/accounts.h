// SPDX-License-Identifier: Apache-2.0
// Accounts at CAs (RFC 8555 7.1.2), one for each directory URL, contacts and key id of an external
// account, each a document in agent/accounts. Its key (ES256, P-256; of an imported account any
// that RFC 8555 6.2 leaves) is stored, sealed, before the
// CA hears of it; during a roll-over both are. Thread-safe: an account is registered once, however
// many jobs want it. Blocking.
#ifndef TLSGUARD_RENEW_ACCOUNTS_H
#define TLSGUARD_RENEW_ACCOUNTS_H

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "acme/client.h"
#include "core/error.h"
#include "core/log_sink.h"
#include "core/unix_time.h"
#include "crypto/sealing.h"
#include "net/http_client.h"
#include "renew/account_document.h"
#include "renew/http_clients.h"
#include "renew/spec.h"
#include "store/state_file.h"

namespace tlsguard::renew {

// The external account of these settings for their CA at index; nullptr: none. One without a CA
// is the first CA's alone.
[[nodiscard]] const ExternalAccountSpec* external_account_for(const DomainSettings& settings,
                                                              std::size_t ca_index);
// The account that a domain of these settings uses at its CA at index.
[[nodiscard]] AccountId account_id(const DomainSettings& settings, std::size_t ca_index);

struct AccountSummary {
  AccountId id;
  std::string account_url;  // empty: not registered yet
  UnixSeconds created_at = 0;
  bool rolling_over = false;
};

// For account show: ca, account, contacts, external_account, created_at, rolling_over.
[[nodiscard]] nlohmann::json to_json(const AccountSummary& account);

class Accounts {
 public:
  // in_use: accounts that the configuration asks for; what is none of them may be taken over when
  // nothing but contacts has changed (records of dns-persist-01 name the account).
  // sealing and log must outlive this.
  Accounts(store::Directory directory, const crypto::SealingKey& sealing,
           std::vector<AccountId> in_use, LogSink& log);

  // Registered, if need be now. settings.agreement must have been looked at. Errors of the CA as
  // acme::Client's, kind "unreachable" where nobody answered; of the store: Next::back_off, kind
  // "store". Many who ask at once get the error of the first one.
  [[nodiscard]] Result<std::shared_ptr<acme::Client>> get(WatchedHttp& http,
                                                          const DomainSettings& settings,
                                                          std::size_t ca_index, UnixSeconds now);
  // For what needs no account (RFC 9773): of one CA, the directory is fetched once for all domains.
  [[nodiscard]] Result<std::shared_ptr<acme::Client>> reader(const std::string& directory_url);
  // The CA says that it does not know the account: the next get() registers anew, with its key.
  void forget_registration(const AccountId& id);
  // RFC 8555 7.3.5.
  [[nodiscard]] Result<void> roll_over(net::HttpClient& http, const AccountId& id);
  [[nodiscard]] std::vector<AccountSummary> list();
  // Keeps an account that another program has registered, unless there is one of this id: false.
  [[nodiscard]] Result<bool> import(const AccountId& id, const std::string& account_url,
                                    const EVP_PKEY* key, UnixSeconds now);

 private:
  struct Entry {
    std::mutex mutex;
    std::optional<AccountDocument> document;
    std::shared_ptr<acme::Client> client;
    std::optional<Error> failed;
    UnixSeconds failed_at = 0;
  };
  std::shared_ptr<Entry> entry(const AccountId& id);
  Result<void> prepare(Entry& entry, net::HttpClient& http, const AccountId& id, UnixSeconds now);
  Result<void> enrol(Entry& entry, net::HttpClient& http, const DomainSettings& settings,
                     std::size_t ca_index);
  Result<void> load(Entry& entry, const AccountId& id);
  Result<void> begin(Entry& entry, const AccountId& id, UnixSeconds now);
  Result<void> take_over(Entry& entry, net::HttpClient& http, const AccountId& id,
                         const std::string& file);
  std::optional<std::string> file_to_take_over(const AccountId& id);
  Result<void> open_client(Entry& entry);
  Result<void> finish_roll_over(Entry& entry, net::HttpClient& http);
  Result<void> save(const AccountDocument& document);
  Result<std::string> sealed(const AccountId& id, const EVP_PKEY* key) const;
  Result<crypto::Key> opened(const AccountDocument& document) const;
  Result<crypto::Key> opened_next(const AccountDocument& document) const;
  Result<crypto::Key> opened(const AccountId& id, crypto::KeyType type,
                             const std::string& sealed_key) const;

  std::mutex mutex_;  // of the map and of the directory
  store::Directory directory_;
  const crypto::SealingKey* sealing_;
  std::vector<AccountId> in_use_;
  LogSink& log_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;         // by file name
  std::map<std::string, std::shared_ptr<acme::Client>> readers_;  // by directory URL
};

}  // namespace tlsguard::renew

#endif
