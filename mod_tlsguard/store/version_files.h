// SPDX-License-Identifier: Apache-2.0
// The texts in a domain's directory: `current`, and a version's meta.json. What is read may be torn
// or written by somebody else; then it is an error. Pure; thread-safe.
#ifndef TLSGUARD_STORE_VERSION_FILES_H
#define TLSGUARD_STORE_VERSION_FILES_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "crypto/keys.h"
#include "store/certificate_store.h"

namespace tlsguard::store {

inline constexpr char current_file[] = "current";
inline constexpr char torn_current_file[] = "current.bad";  // set aside
inline constexpr char previous_file[] = "previous";
inline constexpr char numbers_file[] = "numbers";
inline constexpr char meta_file[] = "meta.json";

inline constexpr std::size_t max_current_file = 128;
inline constexpr std::size_t max_meta_file = 512UL * 1024;
inline constexpr std::size_t max_key_file = 16UL * 1024;

[[nodiscard]] std::string to_text(const Current& current);
[[nodiscard]] Result<Current> current_from_text(std::string_view text);

// "17": a version, in decimal without leading zeros; nullopt: something else.
[[nodiscard]] std::optional<std::uint32_t> version_from_name(std::string_view name);

// What meta.json holds: the meta data, whose it is, and what belongs to it.
struct VersionFile {
  std::string identity;
  std::uint32_t number = 0;
  VersionMeta meta;
  struct Certificate {
    crypto::KeyType type = crypto::KeyType::p256;
    std::string chain_sha256;  // hex, of the PEM file
    bool operator==(const Certificate&) const = default;
  };
  std::vector<Certificate> certificates;
};
[[nodiscard]] std::string to_json(const VersionFile& file);
[[nodiscard]] Result<VersionFile> version_from_json(std::string_view text);

[[nodiscard]] std::string chain_file(crypto::KeyType type);
[[nodiscard]] std::string key_file(crypto::KeyType type);

// What a sealed key is bound to.
[[nodiscard]] std::string key_purpose(std::string_view identity, std::uint32_t version,
                                      crypto::KeyType type);

}  // namespace tlsguard::store

#endif
