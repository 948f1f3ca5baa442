// SPDX-License-Identifier: Apache-2.0
#include "import/certbot.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "import/certbot_files.h"
#include "import/checked_pair.h"
#include "import/jwk.h"
#include "import/settings_text.h"

namespace tlsguard::import {
namespace {

constexpr std::string_view conf_end = ".conf";
// accounts/<host>/<path …>/<id>: as deep as any CA's directory URL.
constexpr int max_account_depth = 8;
constexpr std::size_t max_account_directories = 10'000;

struct PemFiles {
  std::string chain;
  std::string key;
};

// The number in "fullchain17.pem"; 0: another name.
unsigned number_in(std::string_view name) {
  constexpr std::string_view begin = "fullchain";
  constexpr std::string_view end = ".pem";
  if (!name.starts_with(begin) || !name.ends_with(end)) return 0;
  name.remove_prefix(begin.size());
  name.remove_suffix(end.size());
  unsigned number = 0;
  auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && stop == name.data() + name.size() ? number : 0;
}

std::string_view host_of(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == std::string_view::npos) return {};
  url.remove_prefix(begin + 3);
  return url.substr(0, url.find('/'));
}

std::vector<std::string> own_names(const crypto::CertificateFacts& facts,
                                   const std::string& first) {
  std::vector<std::string> names = facts.dns_names;
  names.insert(names.end(), facts.ip_addresses.begin(), facts.ip_addresses.end());
  // certbot calls a certificate after its first name.
  auto at = std::find(names.begin(), names.end(), first);
  if (at != names.end()) std::rotate(names.begin(), at, at + 1);
  return names;
}

class Reader {
 public:
  Reader(const ForeignTree& tree, UnixSeconds now) : tree_(tree), now_(now) {}

  Result<Imported> read() {
    if (!tree_.is_directory("renewal")) {
      return fail("'" + tree_.path() + "' has no renewal/: it is no directory of certbot");
    }
    auto files = tree_.names("renewal");
    if (!files) return tl::unexpected(files.error());
    for (const std::string& file : *files) {
      if (file.ends_with(conf_end)) read_lineage(file.substr(0, file.size() - conf_end.size()));
    }
    read_accounts("accounts", 0);
    return std::move(out_);
  }

 private:
  void note(const std::string& where, const std::string& what) {
    out_.notes.push_back(where + ": " + what);
  }

  std::optional<std::string> text_of(const std::string& path) {
    auto text = tree_.read(path);
    if (!text) note(path, text.error().text);
    return text.value_or(std::nullopt);
  }
  std::optional<crypto::SecretBytes> secret_of(const std::string& path) {
    auto secret = tree_.read_secret(path);
    if (!secret) note(path, secret.error().text);
    return secret ? std::move(*secret) : std::nullopt;
  }

  // What is live; where its links are broken (a copied directory), the newest in the archive.
  std::optional<PemFiles> files_of(const std::string& name) {
    PemFiles live{"live/" + name + "/fullchain.pem", "live/" + name + "/privkey.pem"};
    auto chain = tree_.read(live.chain);
    auto key = tree_.read(live.key);
    if (chain && *chain && key && *key) return live;
    const std::string archive = "archive/" + name;
    auto files = tree_.names(archive);
    unsigned newest = 0;
    for (const std::string& file : files.value_or(std::vector<std::string>())) {
      newest = std::max(newest, number_in(file));
    }
    if (newest == 0) return std::nullopt;
    return PemFiles{fmt::format("{}/fullchain{}.pem", archive, newest),
                    fmt::format("{}/privkey{}.pem", archive, newest)};
  }

  void read_lineage(const std::string& name) {
    const std::string conf_file = "renewal/" + name + std::string(conf_end);
    auto text = text_of(conf_file);
    if (!text) return;
    auto conf = parse_renewal_conf(*text);
    if (!conf) return note(conf_file, conf.error().text);
    auto files = files_of(name);
    if (!files) return note("live/" + name, "its certificate or key is missing");
    auto chain = text_of(files->chain);
    auto key = secret_of(files->key);
    if (!chain || !key) return note(files->chain, "its certificate or key is missing");
    auto parsed = crypto::key_from_pem(key->text());
    if (!parsed) return note(files->key, parsed.error().text);
    auto checked = check_pair(*chain, parsed->get(), now_);
    if (!checked) return note(files->chain, checked.error().text);
    const auto names = own_names(checked->facts, name);
    std::vector<CheckedPair> pairs;
    pairs.push_back(std::move(*checked));
    auto domain = make_domain(conf_file, std::move(pairs), names);
    if (!domain) return note(conf_file, domain.error().text);
    describe(*conf, *domain);
    out_.domains.push_back(std::move(*domain));
  }

  static void describe(const RenewalConf& conf, ImportedDomain& domain) {
    add_setting(domain.settings, "TLSGuardCA", {conf.server});
    std::vector<std::string> challenges = conf.challenges;
    const bool dns = conf.authenticator.starts_with("dns-");
    if (challenges.empty() && dns) challenges.emplace_back("dns-01");
    bool by_dns = add_challenges(domain.settings, challenges, domain.names);
    add_setting(domain.settings, "TLSGuardRenewWindow", {conf.renew_window});
    if (!conf.automatic) add_setting(domain.settings, "TLSGuardRenew", {"manual"});
    domain.profile = conf.profile;
    if (!conf.profile.empty()) {
      add_setting(domain.settings, "TLSGuardCAProfile",
                  {conf.profile, conf.profile_required ? "required" : ""});
    }
    add_setting(domain.settings, "TLSGuardPreferredChain", {conf.preferred_chain});
    domain.notes.insert(domain.notes.end(), conf.notes.begin(), conf.notes.end());
    if (by_dns) {
      domain.notes.push_back(fmt::format(
          "certbot's '{}' wrote the DNS records: name a program that does in TLSGuardDNSCommand, "
          "or use dns-persist-01, which needs one record once",
          conf.authenticator));
    }
    if (conf.has_hooks) {
      domain.notes.emplace_back(
          "certbot ran programs at renewals: TLSGuardEvent command does; httpd needs none to serve "
          "a new certificate");
    }
  }

  // Accounts are where a private_key.json is.
  void read_accounts(const std::string& path, int depth) {
    if (++directories_ > max_account_directories) return;
    auto names = tree_.names(path);
    if (!names) return note(path, names.error().text);
    if (std::find(names->begin(), names->end(), "private_key.json") != names->end()) {
      return read_account(path);
    }
    if (depth == max_account_depth) return;
    for (const std::string& name : *names) {
      if (tree_.is_directory(path + "/" + name)) read_accounts(path + "/" + name, depth + 1);
    }
  }

  void read_account(const std::string& path) {
    // accounts/<host>/<path>/<id>: the CA's directory URL without its scheme.
    constexpr std::string_view begin = "accounts/";
    const auto end = path.rfind('/');
    if (!path.starts_with(begin) || end <= begin.size()) return;
    auto jwk = secret_of(path + "/private_key.json");
    auto regr = text_of(path + "/regr.json");
    if (!jwk || !regr) return;
    auto url = account_url_from_regr_json(*regr);
    if (!url) return note(path + "/regr.json", url.error().text);
    auto key = key_from_jwk(jwk->text());
    if (!key) return note(path + "/private_key.json", key.error().text);
    std::string directory = keep_url("https://" + path.substr(begin.size(), end - begin.size()));
    if (directory.empty()) return note(path, "this is no CA's directory URL");
    add_account({std::move(directory), std::move(*url), {}, std::move(*key)});
  }

  // certbot links the accounts of one server from another's directory: the one whose host is the
  // account's counts.
  void add_account(ImportedAccount account) {
    auto fits = [](const ImportedAccount& each) {
      return host_of(each.directory_url) == host_of(each.account_url);
    };
    for (ImportedAccount& known : out_.accounts) {
      if (known.account_url != account.account_url) continue;
      if (!fits(known) && fits(account)) known = std::move(account);
      return;
    }
    out_.accounts.push_back(std::move(account));
  }

  const ForeignTree& tree_;
  UnixSeconds now_;
  Imported out_;
  std::size_t directories_ = 0;  // below accounts/, that were looked into
};

}  // namespace

Result<Imported> import_certbot(const ForeignTree& directory, UnixSeconds now) {
  return Reader(directory, now).read();
}

}  // namespace tlsguard::import
