// SPDX-License-Identifier: Apache-2.0
#include "renew/account_document.h"

#include <limits>

#include "core/text.h"
#include "crypto/digest.h"
#include "renew/json_members.h"

namespace tlsguard::renew {
namespace {

constexpr int format_version = 1;
constexpr JsonBounds bounds{max_account_file, 4};
constexpr std::size_t longest_url = 4096;
constexpr std::size_t most_contacts = 256;

}  // namespace

std::string AccountId::file() const {
  std::string all = directory_url + "\n" + kid + "\n" + join(contacts, "\n");
  return crypto::hex(crypto::sha256(all)).substr(0, 32) + ".json";
}

std::string to_json(const AccountDocument& document) {
  return dump({{"version", format_version},
               {"directory", document.id.directory_url},
               {"contacts", document.id.contacts},
               {"kid", document.id.kid},
               {"account", document.account_url},
               {"key_type", crypto::key_type_name(document.key_type)},
               {"key", document.sealed_key},
               {"next_key", document.next_key},
               {"created_at", document.created_at}}) +
         "\n";
}

Result<AccountDocument> account_document_from_json(std::string_view text) {
  auto parsed = parse_object(text, bounds);
  if (!parsed) return tl::unexpected(parsed.error());
  AccountDocument document;
  Members members(*parsed, "account");
  int version = 0;
  members.number("version", version, format_version, format_version);
  members.text("directory", document.id.directory_url, longest_url);
  members.texts("contacts", document.id.contacts, most_contacts, longest_url);
  members.text("kid", document.id.kid, longest_url);
  members.text("account", document.account_url, longest_url);
  std::string key_type;
  members.optional_text("key_type", key_type, longest_url);
  if (!key_type.empty()) {
    auto type = crypto::parse_key_type(key_type);
    if (!type) return tl::unexpected(type.error());
    document.key_type = *type;
  }
  members.text("key", document.sealed_key, longest_url);
  members.text("next_key", document.next_key, longest_url);
  members.number("created_at", document.created_at, 0, std::numeric_limits<std::int64_t>::max());
  if (members.error()) return tl::unexpected(*members.error());
  return document;
}

}  // namespace tlsguard::renew
