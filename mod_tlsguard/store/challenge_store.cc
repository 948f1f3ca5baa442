// SPDX-License-Identifier: Apache-2.0
#include "store/challenge_store.h"

#include <algorithm>
#include <utility>

#include "store/layout.h"

namespace tlsguard::store {
namespace {

constexpr char http_directory[] = "http-01";
constexpr char alpn_directory[] = "tls-alpn-01";
constexpr std::size_t longest_token = 128;
constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_authorization = 512;
constexpr std::size_t max_http_file = longest_name + 1 + longest_authorization;
constexpr std::size_t max_alpn_file = 16UL * 1024;
constexpr std::size_t max_pending = 100'000;

bool is_base64url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// RFC 8555 8.1: the token, '.', the thumbprint of the account's key.
bool is_authorization(std::string_view text, std::string_view token) {
  if (text.size() > longest_authorization || !text.starts_with(token)) return false;
  text.remove_prefix(token.size());
  return text.size() > 1 && text.front() == '.' &&
         std::all_of(text.begin() + 1, text.end(), is_base64url);
}

std::string alpn_file(std::string_view server_name) { return directory_of(server_name) + ".pem"; }

Result<void> put(const Directory& parent, const char* kind, const std::string& file,
                 std::string_view content) {
  auto directory = parent.make_below(kind, shared_directory_mode);
  if (!directory) return tl::unexpected(directory.error());
  return directory->write(file, content, shared_file_mode, Durability::quick);
}

Result<std::optional<std::string>> get(const Directory& parent, const char* kind,
                                       const std::string& file, std::size_t limit) {
  auto directory = parent.below(kind);
  if (!directory) return tl::unexpected(directory.error());
  if (!*directory) return std::nullopt;
  return (*directory)->read(file, limit);
}

Result<void> remove(const Directory& parent, const char* kind, const std::string& file) {
  auto directory = parent.below(kind);
  if (!directory) return tl::unexpected(directory.error());
  return *directory ? (*directory)->remove(file) : Result<void>();
}

Result<void> clear(const Directory& parent, const char* kind) {
  auto directory = parent.below(kind);
  if (!directory) return tl::unexpected(directory.error());
  if (!*directory) return {};
  auto files = (*directory)->names(max_pending);
  if (!files) return tl::unexpected(files.error());
  for (const std::string& file : *files) {
    if (auto removed = (*directory)->remove(file); !removed) return removed;
  }
  return {};
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= longest_token &&
         std::all_of(text.begin(), text.end(), is_base64url);
}

ChallengeStore::ChallengeStore(Directory challenges) : challenges_(std::move(challenges)) {}

Result<void> ChallengeStore::put_http(const std::string& token, const HttpChallenge& challenge) {
  if (!is_token(token)) return fail_for_good("the CA's token is none: base64url is (RFC 8555 8.3)");
  if (!is_authorization(challenge.key_authorization, token) ||
      challenge.name.size() > longest_name || challenge.name.find('\n') != std::string::npos) {
    return fail_for_good("this is no key authorization of its token");
  }
  return put(challenges_, http_directory, token,
             challenge.name + "\n" + challenge.key_authorization);
}

Result<std::optional<HttpChallenge>> ChallengeStore::http(std::string_view token) const {
  if (!is_token(token)) return std::nullopt;
  auto text = get(challenges_, http_directory, std::string(token), max_http_file);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::nullopt;
  auto end = (*text)->find('\n');
  if (end == std::string::npos ||
      !is_authorization(std::string_view(**text).substr(end + 1), token)) {
    return fail("the file of the challenge '" + std::string(token) + "' is torn");
  }
  return HttpChallenge{(*text)->substr(0, end), (*text)->substr(end + 1)};
}

Result<void> ChallengeStore::remove_http(const std::string& token) {
  if (!is_token(token)) return {};
  return remove(challenges_, http_directory, token);
}

Result<void> ChallengeStore::put_alpn(const std::string& server_name, std::string_view pem) {
  if (pem.empty() || pem.size() > max_alpn_file) {
    return fail_for_good("a challenge certificate of this size is not kept");
  }
  return put(challenges_, alpn_directory, alpn_file(server_name), pem);
}

Result<std::optional<std::string>> ChallengeStore::alpn(std::string_view server_name) const {
  return get(challenges_, alpn_directory, alpn_file(server_name), max_alpn_file);
}

Result<void> ChallengeStore::remove_alpn(const std::string& server_name) {
  return remove(challenges_, alpn_directory, alpn_file(server_name));
}

Result<void> ChallengeStore::clear() {
  if (auto cleared = store::clear(challenges_, http_directory); !cleared) return cleared;
  return store::clear(challenges_, alpn_directory);
}

}  // namespace tlsguard::store
