// SPDX-License-Identifier: Apache-2.0
#include "policy/cipher_spec.h"

#include <algorithm>
#include <string_view>

#include "core/text.h"
#include "policy/cipher_names.h"
#include "policy/suggest.h"

namespace tlsguard::policy {
namespace {

constexpr std::string_view separators = ": ;,";

bool is_word_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '=' || c == '_';
}

// One command of a cipher string: "ECDHE+AESGCM", "!aNULL", "@SECLEVEL=2".
struct Command {
  char sign = 0;  // 0 add, '-' remove, '!' ban, '+' move to the end, '@' special
  std::vector<std::string> words;

  [[nodiscard]] bool excludes() const { return sign == '-' || sign == '!'; }
  [[nodiscard]] std::string text() const {
    return (sign != 0 ? std::string(1, sign) : std::string{}) + join(words, "+");
  }
};

// IANA's name of a cipher as OpenSSL's, which releases before 3.2 do not do in lists.
std::string as_openssl_calls_it(const std::string& word, const Capabilities& can) {
  const char* name = OPENSSL_cipher_name(word.c_str());  // "(NONE)" where there is none
  return can.cipher(name) != nullptr ? name : word;
}

// Takes words where OpenSSL takes them: "AES!MD5" is two commands there, too.
Result<std::vector<Command>> take_apart(std::string_view spec, const Capabilities& can) {
  std::vector<Command> commands;
  std::size_t at = 0;
  while (at < spec.size()) {
    if (separators.find(spec[at]) != std::string_view::npos) {
      ++at;
      continue;
    }
    Command command;
    const std::size_t begin = at;
    if (std::string_view("-!+@").find(spec[at]) != std::string_view::npos) {
      command.sign = spec[at++];
    }
    for (bool more = true; more;) {
      const std::size_t word = at;
      while (at < spec.size() && is_word_character(spec[at])) ++at;
      if (at == word) {
        return fail("'" + std::string(spec.substr(begin, at + 1 - begin)) +
                    "' is not part of a cipher string: it is made of cipher names and words such "
                    "as ECDHE+AESGCM, separated by colons");
      }
      command.words.push_back(as_openssl_calls_it(std::string(spec.substr(word, at - word)), can));
      more = at < spec.size() && spec[at] == '+' && command.sign != '@';
      if (more) ++at;
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

Result<int> level_of(const Command& command, int default_level) {
  const std::string& word = command.words.front();
  constexpr std::string_view prefix = "SECLEVEL=";
  if (!word.starts_with(prefix) || word.size() != prefix.size() + 1 || word.back() < '0' ||
      word.back() > '5') {
    return fail("unknown command '" + command.text() + "': valid are @STRENGTH and @SECLEVEL=n");
  }
  const int level = word.back() - '0';
  if (level < default_level) {
    return fail("'" + command.text() + "' lowers the security level, which is " +
                std::to_string(default_level) +
                " here; a policy only tightens: if it has to be, write it in SSLCipherSuite");
  }
  return level;
}

tl::unexpected<Error> unknown_word(const std::string& word, const Capabilities& can) {
  if (!known_tls13_suite(word).empty()) {
    return fail("'" + word +
                "' is a suite of TLS 1.3, which has a list of its own: write TLSv1.3 before it");
  }
  if (word == "DEFAULT") return fail("'DEFAULT' may only stand at the beginning");
  if (word.starts_with("SUITEB")) {
    return fail("'" + word + "' is a mode of OpenSSL, not a cipher list: name the ciphers");
  }
  std::vector<std::string> candidates = known_cipher_names();
  for (const hello::Cipher& cipher : can.ciphers) candidates.push_back(cipher.name);
  return fail(
      "unknown cipher '" + word + "'" + did_you_mean(word, candidates) +
      ": 'openssl ciphers -s ALL' lists the names, ciphers(1) the words for groups of them");
}

// Whether a word of an exclusion means this cipher, which this OpenSSL lacks and so cannot tell.
bool means(const std::string& word, const std::string& cipher) {
  auto has = [&](std::string_view part) { return cipher.find(part) != std::string::npos; };
  if (word == "3DES") return has("DES-CBC3") || has("3DES");
  if (word == "DES") return has("DES-CBC-");
  if (word == "EXPORT" || word == "EXPORT40" || word == "EXPORT56") return has("EXP");
  if (word == "eNULL") return has("NULL");
  if (word == "aNULL") return cipher.starts_with("ADH-") || cipher.starts_with("AECDH-");
  if (word == "SHA" || word == "SHA1") return cipher.ends_with("-SHA");
  return has(word);
}

// Names written in full that this OpenSSL lacks, unless excluded by another command.
std::vector<std::string> lacking(const std::vector<Command>& commands, const Capabilities& can) {
  std::vector<std::string> names;
  for (const Command& command : commands) {
    if (command.sign != 0 || command.words.size() != 1) continue;
    const std::string& name = command.words.front();
    if (!is_known_cipher(name) || can.cipher(name) != nullptr) continue;
    const bool excluded = means("eNULL", name) || means("aNULL", name) ||
                          std::any_of(commands.begin(), commands.end(), [&](const Command& other) {
                            return other.excludes() &&
                                   std::all_of(other.words.begin(), other.words.end(),
                                               [&](const auto& word) { return means(word, name); });
                          });
    if (!excluded && std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace

Result<CipherSelection> select_ciphers(const std::string& spec) {
  const auto& can = capabilities();
  if (!can) return tl::unexpected(can.error());
  auto commands = take_apart(spec, *can);
  if (!commands) return tl::unexpected(commands.error());
  auto strings = CipherStrings::open();
  if (!strings) return tl::unexpected(strings.error());
  CipherSelection selection;
  std::string understood;  // what OpenSSL 3.0 would not stumble over
  for (const Command& command : *commands) {
    if (command.sign == '@') {
      if (command.text() != "@STRENGTH") {
        auto level = level_of(command, can->default_security_level);
        if (!level) return tl::unexpected(level.error());
        selection.security_level = std::max(*level, selection.security_level.value_or(*level));
        continue;
      }
      understood += command.text() + ":";
      continue;
    }
    const bool leads = &command == &commands->front() && command.sign == 0;
    bool has_all = true;
    for (const std::string& word : command.words) {
      const bool has = (leads && word == "DEFAULT" && command.words.size() == 1) ||
                       (word != "DEFAULT" && strings->knows(word));
      has_all = has_all && has;
      if (!has && !command.excludes() && !is_known_cipher(word) && !is_known_cipher_word(word)) {
        return unknown_word(word, *can);
      }
    }
    if (has_all) understood += command.text() + ":";
  }
  for (const hello::Cipher& cipher : strings->expand(understood + "!aNULL:!eNULL")) {
    selection.ciphers.push_back(cipher.name);
  }
  const std::vector<std::string> missing = lacking(*commands, *can);
  if (selection.ciphers.empty() && missing.empty()) {
    return fail("'" + spec + "' selects no cipher of TLS 1.2 and below");
  }
  selection.ciphers.insert(selection.ciphers.end(), missing.begin(), missing.end());
  return selection;
}

Result<std::vector<std::string>> select_tls13_suites(const std::string& list) {
  const auto& can = capabilities();
  if (!can) return tl::unexpected(can.error());
  std::vector<std::string> suites;
  for (const std::string& name : split(list, separators)) {
    std::string suite(known_tls13_suite(name));
    if (suite.empty() && can->has_suite(name)) suite = name;
    if (suite.empty() && can->cipher(name) != nullptr) {
      return fail("'" + name + "' is a cipher of TLS 1.2 and below: leave TLSv1.3 out");
    }
    if (suite.empty()) {
      return fail("unknown TLS 1.3 suite '" + name + "'" +
                  did_you_mean(name, known_tls13_suites()) + ": valid are " +
                  join(known_tls13_suites(), ", "));
    }
    if (std::find(suites.begin(), suites.end(), suite) == suites.end()) suites.push_back(suite);
  }
  if (suites.empty()) return fail("'" + list + "' names no TLS 1.3 suite");
  return suites;
}

}  // namespace tlsguard::policy
