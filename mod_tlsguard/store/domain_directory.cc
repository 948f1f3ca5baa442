// SPDX-License-Identifier: Apache-2.0
#include "store/domain_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "store/layout.h"

namespace tlsguard::store {
namespace {

constexpr std::size_t max_entries = 10'000;
constexpr std::string_view unfinished_end = ".tmp";
constexpr std::array<std::string_view, 4> own_files{current_file, torn_current_file, previous_file,
                                                    numbers_file};

// The highest number that was deleted; 0: none was, or the file is torn.
Result<std::uint32_t> deleted_number(const Directory& domain) {
  auto text = domain.read(numbers_file, max_current_file);
  if (!text) return tl::unexpected(text.error());
  std::string line = text->value_or("");
  if (line.ends_with('\n')) line.pop_back();
  return version_from_name(line).value_or(0);
}

}  // namespace

Result<std::optional<Current>> read_current(const Directory& domain) {
  auto text = domain.read(current_file, max_current_file);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::nullopt;
  auto current = current_from_text(**text);
  if (!current) return torn(fmt::format("'{}/{}' is torn", domain.path(), current_file));
  return *current;
}

std::optional<Current> read_previous(const Directory& domain) {
  auto text = domain.read(previous_file, max_current_file);
  if (!text || !*text) return std::nullopt;
  auto previous = current_from_text(**text);
  if (!previous) return std::nullopt;
  return *previous;
}

Result<std::vector<std::uint32_t>> version_numbers(const Directory& domain) {
  auto names = domain.names(max_entries);
  if (!names) return tl::unexpected(names.error());
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : *names) {
    if (auto number = version_from_name(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<VersionFile> read_version_file(const Directory& version, const std::string& identity,
                                      std::uint32_t number) {
  auto text = version.read(meta_file, max_meta_file);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return torn(fmt::format("{} is missing", meta_file));
  auto file = version_from_json(**text);
  if (!file) return torn(file.error().text);
  if (file->identity != identity || file->number != number) {
    return torn(
        fmt::format("{} is that of version {} of '{}'", meta_file, file->number, file->identity));
  }
  return file;
}

Result<std::string> read_chain(const Directory& version,
                               const VersionFile::Certificate& certificate) {
  auto chain = version.read(chain_file(certificate.type), crypto::max_chain_pem);
  if (!chain) return tl::unexpected(chain.error());
  if (!*chain || crypto::hex(crypto::sha256(**chain)) != certificate.chain_sha256) {
    return torn(fmt::format("{} is missing or torn", chain_file(certificate.type)));
  }
  return std::move(**chain);
}

Result<std::string> read_sealed_key(const Directory& version,
                                    const VersionFile::Certificate& certificate) {
  auto key = version.read(key_file(certificate.type), max_key_file);
  if (!key) return tl::unexpected(key.error());
  if (!*key || (*key)->empty()) {
    return torn(fmt::format("{} is missing or empty", key_file(certificate.type)));
  }
  return std::move(**key);
}

Result<void> check_complete(const Directory& domain, const std::string& identity,
                            std::uint32_t number) {
  auto version = domain.below(std::to_string(number));
  if (!version) return tl::unexpected(version.error());
  if (!*version) return torn("it is missing");
  auto file = read_version_file(**version, identity, number);
  if (!file) return tl::unexpected(file.error());
  for (const auto& certificate : file->certificates) {
    auto chain = read_chain(**version, certificate);
    if (!chain) return tl::unexpected(chain.error());
    auto key = read_sealed_key(**version, certificate);
    if (!key) return tl::unexpected(key.error());
  }
  return {};
}

Result<std::uint32_t> next_number(const Directory& domain) {
  auto numbers = version_numbers(domain);
  if (!numbers) return tl::unexpected(numbers.error());
  auto deleted = deleted_number(domain);
  if (!deleted) return tl::unexpected(deleted.error());
  std::uint32_t highest = *deleted;
  if (!numbers->empty()) highest = std::max(highest, numbers->back());
  if (auto current = read_current(domain); current && *current) {
    highest = std::max(highest, (*current)->version);
  }
  if (auto previous = read_previous(domain)) highest = std::max(highest, previous->version);
  if (highest == std::numeric_limits<std::uint32_t>::max()) {
    return fail_for_good("'" + domain.path() + "' has no version number left: remove it");
  }
  return highest + 1;
}

Result<void> remember_number(const Directory& domain, std::uint32_t number) {
  auto deleted = deleted_number(domain);
  if (!deleted) return tl::unexpected(deleted.error());
  if (*deleted >= number) return {};
  return domain.write(numbers_file, std::to_string(number) + "\n", shared_file_mode,
                      Durability::synced_alone);
}

std::string unfinished_name(std::uint32_t number) {
  return "." + std::to_string(number) + std::string(unfinished_end);
}

Result<void> remove_unfinished(const Directory& domain) {
  auto names = domain.names(max_entries);
  if (!names) return tl::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!name.starts_with('.') || !name.ends_with(unfinished_end)) continue;
    const auto what = std::string_view(name).substr(1, name.size() - 1 - unfinished_end.size());
    const bool is_file = std::find(own_files.begin(), own_files.end(), what) != own_files.end();
    if (!is_file && !version_from_name(what)) continue;
    auto removed = is_file ? domain.remove(name) : domain.remove_with_files(name);
    if (!removed) return removed;
  }
  return {};
}

}  // namespace tlsguard::store
