// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "core/date.h"
#include "core/text.h"
#include "httpd/advise.h"
#include "httpd/conf_of.h"
#include "httpd/domain_resolver.h"
#include "httpd/static_certificates.h"
#include "renew/spec_ca.h"
#include "renew/windows.h"

namespace tlsguard::httpd {

namespace {

// Virtual hosts under one line.
struct Affected {
  Place place;
  std::vector<std::string> names;
  std::size_t others = 0;  // that it is right for
};
class ByLine {
 public:
  Affected& at(const Place& place) {
    return lines_.try_emplace(line_of(place), Affected{place, {}, 0}).first->second;
  }
  [[nodiscard]] auto begin() const { return lines_.begin(); }
  [[nodiscard]] auto end() const { return lines_.end(); }

 private:
  std::map<LineKey, Affected> lines_;
};

// A CA whose certificates name a responder, or one of which that is not known.
bool may_have_ocsp(const renew::DomainSettings& settings) {
  return std::any_of(settings.cas.begin(), settings.cas.end(), [](const renew::CaSpec& ca) {
    const renew::KnownCa* known = renew::find_known_ca(ca);
    return known == nullptr || known->offers_ocsp;
  });
}

// In doubt it has.
bool may_have_staples(const VirtualHost& host, CertificateFiles& files) {
  const ServerConf& conf = *conf_of(host.server);
  const ManagedHost& managed = host.managed;
  if (conf.ssl_staple_url || (conf.ssl_certificate_files.empty() && !managed.fully)) return true;
  bool in_file = std::any_of(conf.ssl_certificate_files.begin(), conf.ssl_certificate_files.end(),
                             [&](const Written<std::string>& written) {
                               const auto& file = files.read(written.value);
                               return !file || !file->facts || file->facts->has_ocsp;
                             });
  bool managed_one =
      std::any_of(managed.own.begin(), managed.own.end(),
                  [](const ManagedDomain* own) { return may_have_ocsp(*own->settings); }) ||
      std::any_of(managed.lists.begin(), managed.lists.end(),
                  [](const ManagedList* list) { return may_have_ocsp(*list->settings); }) ||
      (managed.otherwise != nullptr && may_have_ocsp(*managed.otherwise->settings));
  return in_file || managed_one;
}

// certbot's own directory ("/etc/letsencrypt"), where a file is one of its live ones; else empty.
std::string certbot_directory(const std::string& file) {
  const std::filesystem::path lineage = std::filesystem::path(file).parent_path();
  if (lineage.parent_path().filename() != "live") return "";
  const std::filesystem::path top = lineage.parent_path().parent_path();
  std::error_code error;
  bool renews =
      std::filesystem::exists(top / "renewal" / (lineage.filename().string() + ".conf"), error);
  return renews || top == "/etc/letsencrypt" ? top.string() : "";
}

struct Unattended {
  const CertificateFile* file = nullptr;
  Place place;  // where it is first named
  std::vector<std::string> hosts;
  bool ends_soon = false;
};

std::int64_t warn_window(const ServerConf& conf, const CertificateFile& file) {
  std::optional<renew::Window> written;
  if (conf.domain_conf != nullptr && conf.domain_conf->warn_window) {
    written = conf.domain_conf->warn_window->value;
  }
  return renew::warn_window_of({file.facts->not_before, file.facts->not_after}, written);
}

std::set<std::string> names_of_mod_md(const server_rec* base) {
  std::set<std::string> names;
  for (const server_rec* s = base; s != nullptr; s = s->next) {
    for (const auto& written : conf_of(s)->md_names) {
      names.insert(written.value.begin(), written.value.end());
    }
  }
  return names;
}

class Files {
 public:
  explicit Files(const AdviceInput& input) {
    const std::set<std::string> mod_md = names_of_mod_md(input.base);
    const std::int64_t now = apr_time_sec(apr_time_now());
    for (const VirtualHost* host : hosts_in_order(input.runtime)) {
      if (is_managed(*host) || mod_md.contains(to_lower(host->name))) continue;
      const bool watched = watches_files(*host);
      input.files.each(*conf_of(host->server), [&](const CertificateFile& file, const Place& at) {
        if (watched) {
          watched_.insert(file.path);
        } else {
          note(*host, file, at, now);
        }
      });
    }
  }

  // By what is left of their time.
  [[nodiscard]] std::vector<const Unattended*> found() const {
    std::vector<const Unattended*> found;
    for (const auto& [path, one] : files_) {
      if (!watched_.contains(path)) found.push_back(&one);
    }
    std::stable_sort(found.begin(), found.end(), [](const Unattended* a, const Unattended* b) {
      return a->file->facts->not_after < b->file->facts->not_after;
    });
    return found;
  }

 private:
  void note(const VirtualHost& host, const CertificateFile& file, const Place& place,
            std::int64_t now) {
    Unattended& one = files_.try_emplace(file.path).first->second;
    if (one.file == nullptr ||
        std::tie(place.file, place.line) < std::tie(one.place.file, one.place.line)) {
      one.place = place;
    }
    one.file = &file;
    one.hosts.push_back(host.name);
    if (file.facts->not_after - now <= warn_window(*conf_of(host.server), file))
      one.ends_soon = true;
  }

  std::map<std::string, Unattended> files_;
  std::set<std::string> watched_;
};

std::string day(std::int64_t at) { return format_date(at).substr(0, 10); }

constexpr const char* what_would =
    "TLSGuardDomain in the virtual host would, and TLSGuardEvent would tell you in time";

// Who else might have renewed it.
std::string what_would_for(const CertificateFile& file) {
  std::string certbot = certbot_directory(file.path);
  if (certbot.empty()) return what_would;
  return fmt::format("certbot has not, and 'tlsguardctl import certbot {}' takes it over", certbot);
}

void warn_of_ending(const std::vector<const Unattended*>& ending, Complaints& complaints) {
  constexpr std::size_t most = 5;
  const std::int64_t now = apr_time_sec(apr_time_now());
  if (ending.size() <= most) {
    for (const Unattended* one : ending) {
      complaints.warning(
          one->place,
          fmt::format("SSLCertificateFile: the certificate of {} {} on {}, and nothing here renews "
                      "it: {}",
                      some_of(one->hosts), one->file->facts->not_after <= now ? "ended" : "ends",
                      day(one->file->facts->not_after), what_would_for(*one->file)));
    }
    return;
  }
  std::vector<std::string> hosts;
  hosts.reserve(ending.size());
  for (const Unattended* one : ending) hosts.push_back(one->hosts.front());
  complaints.warning(ending.front()->place,
                     fmt::format("SSLCertificateFile: {} certificates end soon or have ended, the "
                                 "first on {}, and nothing here renews them: those of {}. {}",
                                 ending.size(), day(ending.front()->file->facts->not_after),
                                 some_of(hosts), what_would));
}

void advise_manual(const AdviceInput& input) {
  ByLine lines;
  auto note = [&](const renew::DomainSettings& settings, const std::optional<Place>& place,
                  const std::string& name) {
    if (!settings.automatic && place) lines.at(*place).names.push_back(name);
  };
  for (const auto& domain : input.runtime.domains.domains()) {
    note(*domain->settings, domain->renew_place, domain->identity);
  }
  for (const auto& list : input.runtime.domains.lists()) {
    note(*list->settings, list->renew_place, list->path);
  }
  for (const auto& [key, affected] : lines) {
    input.advice.add("manual",
                     {affected.place, "TLSGuardRenew",
                      fmt::format("TLSGuardRenew manual: only 'tlsguardctl renew' renews the "
                                  "certificates of {}; 'auto' does it in time",
                                  some_of(affected.names))});
  }
}

}  // namespace

void advise_stapling(const AdviceInput& input) {
  ByLine lines;
  for (const VirtualHost* host : hosts_in_order(input.runtime)) {
    const auto& stapling = conf_of(host->server)->ssl_use_stapling;
    if (!stapling || !stapling->value) continue;
    Affected& affected = lines.at(stapling->place);
    if (may_have_staples(*host, input.files)) {
      ++affected.others;
    } else {
      affected.names.push_back(host->name);
    }
  }
  for (const auto& [key, affected] : lines) {
    if (affected.names.empty()) continue;
    bool all = affected.others == 0;
    input.advice.add(
        all ? "stapling" : "stapling of some",
        {affected.place, "SSLUseStapling",
         fmt::format("SSLUseStapling: there is nothing to staple for {}, as their "
                     "certificates name no OCSP responder; {}",
                     some_of(affected.names), all ? "the line can go" : "it can be off there")});
  }
}

void advise_renewal(const AdviceInput& input, Complaints& complaints) {
  std::vector<const Unattended*> ending;
  Files files(input);
  for (const Unattended* one : files.found()) {
    if (one->ends_soon) {
      ending.push_back(one);
      continue;
    }
    std::string certbot = certbot_directory(one->file->path);
    std::string text =
        certbot.empty()
            ? fmt::format(
                  "SSLCertificateFile: nothing here renews the certificate of {}, which "
                  "ends on {}: {}",
                  some_of(one->hosts), day(one->file->facts->not_after), what_would)
            : fmt::format(
                  "SSLCertificateFile: the certificate of {}, which ends on {}, is renewed "
                  "by certbot and live after a reload only: 'tlsguardctl import certbot {}' "
                  "takes it over",
                  some_of(one->hosts), day(one->file->facts->not_after), certbot);
    input.advice.add(certbot.empty() ? "not renewed" : "certbot",
                     {one->place, "SSLCertificateFile", std::move(text)});
  }
  warn_of_ending(ending, complaints);
  advise_manual(input);
}

}  // namespace tlsguard::httpd
