// SPDX-License-Identifier: Apache-2.0
// Managed domains as resolved: which there are, with which settings, and which of them each virtual
// host may serve. Made by domain_resolver.h at configuration time; then immutable and read by all,
// but for the places on the board, which post_config fills in.
#ifndef TLSGUARD_HTTPD_MANAGED_DOMAINS_H
#define TLSGUARD_HTTPD_MANAGED_DOMAINS_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "httpd/written.h"
#include "live/domain_board.h"
#include "renew/spec.h"
#include "web/require_https.h"

struct server_rec;

namespace tlsguard::httpd {

using DomainSettingsPtr = std::shared_ptr<const renew::DomainSettings>;

// One certificate (or one of each key type) for these names.
struct ManagedDomain {
  std::size_t position = 0;        // in ManagedDomains::domains()
  std::string identity;            // the first name
  std::vector<std::string> names;  // lower case, the identity first
  DomainSettingsPtr settings;
  web::RequireHttps require_https = web::RequireHttps::off;  // written inside <TLSGuardDomain>
  Place place;
  std::optional<Place> renew_place;  // of TLSGuardRenew
  live::DomainSlot* slot = nullptr;  // null: no board, or it is full
};

struct ManagedList {
  std::string path;
  std::uint32_t id = 0;  // live::NameSlot's
  DomainSettingsPtr settings;
  const server_rec* server = nullptr;  // the base server: every default virtual host serves it
  Place place;
  std::optional<Place> renew_place;  // of TLSGuardRenew
};

// What one virtual host may serve. Empty: it is none of ours.
struct ManagedHost {
  // No certificate of its own: it serves every managed domain, and a placeholder until then.
  bool fully = false;
  bool has_address = false;  // an IP address is among the names it declares
  // Those it declares itself. Where it has a certificate of its own it serves no others.
  std::vector<const ManagedDomain*> own;
  std::vector<const ManagedList*> lists;
  std::string server_name;  // in lower case
  // For clients that ask for no name of ours: its ServerName's, else the first it declares.
  const ManagedDomain* otherwise = nullptr;

  [[nodiscard]] bool any() const { return fully || !own.empty() || !lists.empty(); }
  [[nodiscard]] bool may_serve(const ManagedDomain& domain) const;
};

class ManagedDomains {
 public:
  // name: exact, or asked for by a client: then a wildcard stands for its first label. nullptr:
  // nobody declared it.
  [[nodiscard]] const ManagedDomain* declared(std::string_view name) const;
  [[nodiscard]] const ManagedDomain* find(std::string_view asked) const;

  [[nodiscard]] bool any() const { return !domains_.empty() || !lists_.empty(); }
  [[nodiscard]] const std::vector<std::unique_ptr<ManagedDomain>>& domains() const {
    return domains_;
  }
  [[nodiscard]] const std::vector<std::unique_ptr<ManagedList>>& lists() const { return lists_; }

  // While they are resolved. A name belongs to one domain; what is there already stays.
  ManagedDomain& add(std::unique_ptr<ManagedDomain> domain);
  void add_name(ManagedDomain& domain, const std::string& name);
  ManagedList& add(std::unique_ptr<ManagedList> list);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<std::unique_ptr<ManagedDomain>> domains_;
  std::vector<std::unique_ptr<ManagedList>> lists_;
  std::unordered_map<std::string, ManagedDomain*, Hash, std::equal_to<>> names_;
};

}  // namespace tlsguard::httpd

#endif
