// SPDX-License-Identifier: Apache-2.0
#include "import/mod_md.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "import/checked_pair.h"
#include "import/mod_md_files.h"

namespace tlsguard::import {
namespace {

constexpr std::string_view chain_begin = "pubcert";
constexpr std::string_view key_begin = "privkey";
constexpr std::string_view pem_end = ".pem";
constexpr const char* not_in_the_store[] = {
    "mod_md's store does not have all of its configuration. What takes the place of the rest:",
    "MDNotifyCmd, MDMessageCmd: TLSGuardEvent command   MDHttpProxy: TLSGuardHTTPProxy",
    "MDCACertificateFile: TLSGuardCATrust   MDPortMap: TLSGuardPortMap",
    "md-status: SetHandler tlsguard-status"};

class Reader {
 public:
  Reader(const ForeignTree& store, UnixSeconds now) : store_(store), now_(now) {}

  Result<ImportedModMd> read() {
    auto passphrase = read_passphrase();
    if (!passphrase) return tl::unexpected(passphrase.error());
    passphrase_ = std::move(*passphrase);
    auto domains = store_.names("domains");
    if (!domains) return tl::unexpected(domains.error());
    for (const std::string& name : *domains) read_domain(name);
    auto accounts = store_.names("accounts");
    if (!accounts) return tl::unexpected(accounts.error());
    for (const std::string& id : *accounts) read_account(id);
    out_.agreed = any_ && agreed_;
    if (any_) out_.remarks.assign(std::begin(not_in_the_store), std::end(not_in_the_store));
    return std::move(out_);
  }

 private:
  Result<crypto::SecretBytes> read_passphrase() {
    auto text = store_.read("md_store.json");
    if (!text) return tl::unexpected(text.error());
    if (!*text) {
      return fail("'" + store_.path() + "' has no md_store.json: it is no MDStoreDir of mod_md");
    }
    auto passphrase = passphrase_from_store_json(**text);
    if (!passphrase) return tl::unexpected(passphrase.error().within("md_store.json"));
    return passphrase;
  }

  void note(const std::string& where, const std::string& what) {
    out_.imported.notes.push_back(where + ": " + what);
  }

  std::optional<std::string> text_of(const std::string& path) {
    auto text = store_.read(path);
    if (!text) note(path, text.error().text);
    return text.value_or(std::nullopt);
  }
  std::optional<crypto::SecretBytes> secret_of(const std::string& path) {
    auto secret = store_.read_secret(path);
    if (!secret) note(path, secret.error().text);
    return secret ? std::move(*secret) : std::nullopt;
  }

  void read_domain(const std::string& name) {
    const std::string directory = "domains/" + name;
    if (!store_.is_directory(directory)) return;
    auto text = text_of(directory + "/md.json");
    if (!text) return;
    auto file = parse_md_json(*text);
    if (!file) return note(directory + "/md.json", file.error().text);
    std::vector<CheckedPair> pairs;
    read_pairs(directory, pairs);
    read_pairs("staging/" + name, pairs);
    auto domain = make_domain(directory, std::move(pairs), file->domains);
    if (!domain) return note(directory, domain.error().text);
    domain->profile = file->profile;
    domain->settings = std::move(file->settings);
    domain->notes.insert(domain->notes.end(), file->notes.begin(), file->notes.end());
    any_ = true;
    agreed_ = agreed_ && file->agreed;
    out_.imported.domains.push_back(std::move(*domain));
  }

  // Every "pubcert<x>.pem" that has a "privkey<x>.pem".
  void read_pairs(const std::string& directory, std::vector<CheckedPair>& pairs) {
    auto files = store_.names(directory);
    if (!files) return note(directory, files.error().text);
    for (const std::string& file : *files) {
      if (!file.starts_with(chain_begin) || !file.ends_with(pem_end)) continue;
      const std::string path = directory + "/" + file;
      auto chain = text_of(path);
      auto key =
          secret_of(directory + "/" + std::string(key_begin) + file.substr(chain_begin.size()));
      if (!chain || !key) continue;
      auto parsed = crypto::key_from_pem(key->text(), passphrase_.bytes());
      if (!parsed) {
        note(path, "its key: " + parsed.error().text);
        continue;
      }
      auto checked = check_pair(*chain, parsed->get(), now_);
      if (checked) pairs.push_back(std::move(*checked));
      if (!checked) note(path, checked.error().text);
    }
  }

  void read_account(const std::string& id) {
    const std::string directory = "accounts/" + id;
    if (!store_.is_directory(directory)) return;
    auto text = text_of(directory + "/account.json");
    auto key = secret_of(directory + "/account.pem");
    if (!text || !key) return;
    auto file = parse_md_account_json(*text);
    if (!file) return note(directory + "/account.json", file.error().text);
    if (!file->usable) return note(directory, "the account is not valid any more");
    auto parsed = crypto::key_from_pem(key->text(), passphrase_.bytes());
    if (!parsed) return note(directory + "/account.pem", parsed.error().text);
    out_.imported.accounts.push_back({std::move(file->directory_url), std::move(file->account_url),
                                      std::move(file->contacts), std::move(*parsed)});
  }

  const ForeignTree& store_;
  UnixSeconds now_;
  crypto::SecretBytes passphrase_;
  ImportedModMd out_;
  bool any_ = false;
  bool agreed_ = true;
};

}  // namespace

Result<ImportedModMd> import_mod_md(const ForeignTree& store, UnixSeconds now) {
  return Reader(store, now).read();
}

}  // namespace tlsguard::import
