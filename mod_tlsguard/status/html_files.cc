// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "core/text.h"
#include "status/chart.h"
#include "status/html.h"
#include "status/markup.h"

namespace tlsguard::status {
namespace {

constexpr std::size_t hosts_named = 3;

std::string_view state_words(Health health) {
  if (health == Health::expired) return "expired";
  return health == Health::expiring ? "expiring" : "valid";
}

std::string names_words(const CertificateFile& file) {
  std::string text;
  if (!file.names.empty()) text = fmt::format("<h3>{}</h3>", escaped(file.names.front()));
  if (file.names.size() > 1) {
    text += fmt::format(R"(<small class="muted">and {}</small>)",
                        counted(file.names.size() - 1, "more name"));
  }
  return text + fmt::format(R"(<p class="file"><code>{}</code></p>)", escaped(file.file));
}

std::string hosts_words(const CertificateFile& file) {
  std::vector<std::string> some(
      file.hosts.begin(),
      file.hosts.begin() + static_cast<std::ptrdiff_t>(std::min(hosts_named, file.hosts.size())));
  bool more = file.hosts.size() > hosts_named;
  return "For " + escaped(join(some, ", ")) + (more ? " and others" : "");
}

std::string trouble(const CertificateFile& file, Health health, UnixSeconds now) {
  std::string text;
  if (file.newer_since > 0) {
    text = fmt::format("A newer certificate is in the file since {}, valid until {}: reload httpd.",
                       minute(file.newer_since), day(file.newer_until));
  } else if (health == Health::expired) {
    text =
        "Clients see an expired certificate. It is not renewed here: replace it and reload "
        "httpd.";
  } else if (health == Health::expiring) {
    text = fmt::format("It expires {}, and is not renewed here: replace it and reload httpd.",
                       distance(file.not_after, now));
  }
  return text.empty() ? "" : fmt::format(R"(<div class="trouble"><p>{}</p></div>)", text);
}

std::string_view watched_words(const CertificateFile& file) {
  if (!file.watched) return R"(<small class="muted">not watched: no TLSGuardEvent</small>)";
  if (file.readable) return "";
  return R"(<small class="muted">watched as httpd has loaded it: the agent may not read it</small>)";
}

std::string row(const CertificateFile& file, UnixSeconds now) {
  Health health = health_of(file, now);
  std::string_view color = color_of(health);
  return fmt::format(
      R"(<li class="domain {}"><div class="name">{}</div>)"
      R"(<div class="state"><span class="badge {}">{}</span></div><div class="expiry">{}</div>)"
      R"(<div class="next"><p>{}</p><small class="muted">issued by {}</small>{}</div>{}</li>)",
      color, names_words(file), color, state_words(health),
      expiry({file.not_before, file.not_after, now, 0}, color), hosts_words(file),
      escaped(file.issuer), watched_words(file), trouble(file, health, now));
}

}  // namespace

std::string files_section(const Model& model) {
  if (model.files.empty()) return "";
  std::string rows;
  for (const CertificateFile& file : model.files) rows += row(file, model.now);
  std::string shown;
  if (model.files_matched > model.files.size()) {
    shown = fmt::format("the first {} of {} to expire", grouped(model.files.size()),
                        counted(model.files_matched, "file"));
  }
  return fmt::format(R"(<section id="files"><h2>Certificate files</h2><p class="muted lead">Of )"
                     R"(SSLCertificateFile, not managed here, as httpd has loaded them.</p>)"
                     R"(<ul class="domains">{}</ul>{}</section>)",
                     rows, foot(shown, ""));
}

}  // namespace tlsguard::status
