// SPDX-License-Identifier: Apache-2.0
// What is read from the store: `current`, meta.json, sealed keys, chains; torn, foreign or written
// by somebody else. Texts that are read are written and read again as the same. Input: one byte
// that chooses the file, then its content.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "crypto/sealing.h"
#include "crypto/self_signed.h"
#include "store/challenge_store.h"
#include "store/layout.h"
#include "store/version_files.h"

namespace {

using namespace tlsguard;

void complain_of(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void read_current(std::string_view text) {
  auto current = store::current_from_text(text);
  if (current && store::to_text(*current) != text) complain_of("another text of the same current");
}

void read_meta(std::string_view text) {
  auto file = store::version_from_json(text);
  if (!file) return;
  auto again = store::version_from_json(store::to_json(*file));
  if (!again || again->identity != file->identity || again->number != file->number ||
      again->meta.names != file->meta.names || again->certificates != file->certificates) {
    complain_of("meta.json is not the same after writing");
  }
}

void unseal(std::string_view sealed) {
  const std::vector<std::uint8_t> key(crypto::SealingKey::size, 7);
  auto sealing = crypto::SealingKey::from_bytes(key);
  if (sealing->unseal(sealed, "fuzz")) complain_of("a blob was opened that nobody sealed");
}

void read_chain(std::string_view pem) {
  auto chain = crypto::parse_chain(pem);
  if (!chain) return;
  if (chain->empty() || chain->size() > crypto::max_chain_length) complain_of("a chain's length");
  auto again = crypto::chain_to_pem(*chain);
  if (!again || !crypto::parse_chain(*again)) complain_of("a chain cannot be read again");
  for (const auto& certificate : *chain) {
    auto facts = crypto::facts_of(certificate.get());
    if (!facts) continue;
    for (const std::string& name : facts->dns_names) {
      if (!facts->covers(name)) complain_of("a certificate does not cover its own name");
    }
    auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
    if (std::any_of(facts->issuer.begin(), facts->issuer.end(), is_control)) {
      complain_of("an issuer with control characters");
    }
  }
  if (crypto::check_servable(*chain, nullptr, {}, 0)) complain_of("served without a key");
}

void name_directory(std::string_view name) {
  const std::string directory = store::directory_of(name);
  if (directory.empty() || directory.size() > 160 || directory.front() == '.' ||
      directory.find_first_of(std::string("/\0", 2)) != std::string::npos) {
    complain_of("a directory's name that leads elsewhere");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      read_current(text);
      break;
    case 1:
      read_meta(text);
      break;
    case 2:
      unseal(text);
      break;
    case 3:
      read_chain(text);
      break;
    case 4:
      name_directory(text);
      if (store::is_token(text) && text.find_first_of("./") != std::string_view::npos) {
        complain_of("a token that leads elsewhere");
      }
      break;
    default:
      static_cast<void>(crypto::key_and_certificate_from_pem(text).has_value());
      for (auto type : {crypto::KeyType::p256, crypto::KeyType::rsa2048}) {
        auto key = crypto::key_from_der(
            type, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
        if (key && crypto::key_type_of(key->get()) != type) complain_of("a key of another type");
      }
  }
  return 0;
}
