// SPDX-License-Identifier: Apache-2.0
#include "renew/static_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "core/date.h"
#include "core/descriptor.h"
#include "crypto/certificate.h"
#include "crypto/secret_bytes.h"
#include "renew/schedule.h"

namespace tlsguard::renew {
namespace {

constexpr std::int64_t hour = 3600;

// The first certificate in a file, whatever else is in it, its key perhaps; nullopt: it cannot be
// read. A FIFO or a device in its place must not hold us up.
std::optional<crypto::CertificateFacts> leaf_of(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  crypto::SecretBytes bytes(
      std::min(static_cast<std::size_t>(facts.st_size), crypto::max_chain_pem));
  ssize_t got = ::pread(file.get(), bytes.bytes().data(), bytes.size(), 0);
  if (got <= 0) return {};
  auto leaf = crypto::first_certificate(bytes.text().substr(0, static_cast<std::size_t>(got)));
  if (!leaf) return {};
  auto read = crypto::facts_of(leaf->get());
  return read ? std::optional(std::move(*read)) : std::nullopt;
}

}  // namespace

StaticWatch::StaticWatch(const std::vector<StaticCertificateSpec>& certificates) {
  for (const StaticCertificateSpec& each : certificates) {
    DomainSpec to{each.server_name, each.names, each.settings};
    files_.push_back({each, "file=" + each.file + ' ' + each.server_name,
                      std::make_shared<const DomainSpec>(std::move(to))});
    subjects_.insert(files_.back().subject);
  }
}

void StaticWatch::put_files(TroubleReport& report) const {
  std::set<std::string_view> known;  // who is told is another matter
  for (const File& each : files_) {
    if (!known.insert(each.spec.file).second) continue;
    bool newer = each.newer_since > 0;
    report.files.push_back({each.spec.file, each.spec.serial, each.known, each.newer_since,
                            newer ? each.newer_until : 0});
  }
  std::stable_partition(report.files.begin(), report.files.end(),
                        [](const TroubleReport::File& file) { return file.newer_since > 0; });
}

void StaticWatch::read(File& file, UnixSeconds now) {
  if (file.read_at > 0 && now >= file.read_at && now - file.read_at < hour) return;
  file.read_at = now;
  auto leaf = leaf_of(file.spec.file);
  file.known = leaf.has_value();
  // One that was issued anew may end at the same moment, or earlier.
  bool newer = leaf && leaf->serial != file.spec.serial && leaf->not_before >= file.spec.not_before;
  if (!newer) {
    file.newer_since = 0;
  } else if (file.newer_since == 0 || file.newer_since > now) {
    file.newer_since = now;
  }
  if (newer) file.newer_until = leaf->not_after;
}

Observation StaticWatch::expiry_of(const File& file, UnixSeconds now) {
  const StaticCertificateSpec& spec = file.spec;
  Validity validity{spec.not_before, spec.not_after};
  bool wrong = now >= spec.not_after - warn_window_of(validity, spec.settings->warn_window);
  std::string about = fmt::format("the certificate in {} (serial {})", spec.file, spec.serial);
  std::string end = format_date(spec.not_after);
  std::string text =
      wrong ? fmt::format("{} {} at {}; it is not renewed here: replace it and reload httpd", about,
                          now >= spec.not_after ? "has expired" : "expires", end)
            : fmt::format("{} is valid until {}", about, end);
  return {{file.subject, AlertKind::expiring},
          wrong ? Observation::State::wrong : Observation::State::fine,
          std::move(text),
          {file.to}};
}

std::vector<Observation> StaticWatch::look(UnixSeconds now) {
  std::vector<Observation> findings;
  for (File& file : files_) {
    read(file, now);
    findings.push_back(expiry_of(file, now));
    if (!file.known) continue;
    // Whoever has just replaced it is about to reload.
    bool waits = file.newer_since > 0 && now - file.newer_since >= hour;
    if (file.newer_since > 0 && !waits) continue;
    findings.push_back(
        {{file.subject, AlertKind::awaits_reload},
         waits ? Observation::State::wrong : Observation::State::fine,
         waits ? fmt::format("{} has a certificate that is valid until {}, and httpd still serves "
                             "the one before: reload it",
                             file.spec.file, format_date(file.newer_until))
               : file.spec.file + " is what httpd serves",
         {file.to}});
  }
  return findings;
}

}  // namespace tlsguard::renew
