// SPDX-License-Identifier: Apache-2.0
#include "store/version_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/json_depth.h"

namespace tlsguard::store {
namespace {

using nlohmann::json;

constexpr int format_version = 1;
constexpr int max_depth = 4;
constexpr std::size_t max_names = 2000;
constexpr std::size_t max_text = 2048;

// Reads a number at the begin of rest and takes it off.
template <typename Int>
bool take_number(std::string_view& rest, Int& out) {
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
  if (error != std::errc()) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

bool take_text(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

// Keeps the first thing that is wrong.
class Reader {
 public:
  std::string text(const json& object, const char* key) {
    auto member = object.find(key);
    if (member != object.end() && member->is_string()) {
      const auto& value = member->get_ref<const std::string&>();
      if (value.size() <= max_text) return value;
    }
    wrong(key);
    return {};
  }
  std::int64_t number(const json& object, const char* key, std::int64_t max) {
    auto member = object.find(key);
    if (member != object.end() && member->is_number_unsigned()) {
      auto value = member->get<std::uint64_t>();
      if (value <= static_cast<std::uint64_t>(max)) return static_cast<std::int64_t>(value);
    }
    wrong(key);
    return 0;
  }
  // Calls with each element of a list that has between one and max.
  template <typename Take>
  void each(const json& object, const char* key, std::size_t max, Take&& take) {
    auto member = object.find(key);
    if (member == object.end() || !member->is_array() || member->empty() || member->size() > max) {
      return wrong(key);
    }
    for (const json& element : *member) take(element);
  }
  void wrong(const std::string& key) {
    if (error_.empty()) error_ = fmt::format("'{}' in {} is missing or wrong", key, meta_file);
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  std::string error_;
};

VersionFile::Certificate certificate_from(const json& object, Reader& reader) {
  VersionFile::Certificate certificate;
  if (!object.is_object()) {
    reader.wrong("certificates");
    return certificate;
  }
  auto type = crypto::parse_key_type(reader.text(object, "type"));
  if (!type) reader.wrong("type");
  certificate.type = type.value_or(crypto::KeyType::p256);
  certificate.chain_sha256 = reader.text(object, "chain_sha256");
  return certificate;
}

void read_names(const json& object, Reader& reader, std::vector<std::string>& out) {
  reader.each(object, "names", max_names, [&](const json& name) {
    if (!name.is_string() || name.get_ref<const std::string&>().size() > max_text) {
      return reader.wrong("names");
    }
    out.push_back(name.get_ref<const std::string&>());
  });
}

void read_certificates(const json& object, Reader& reader, VersionFile& file) {
  constexpr std::size_t most = 5;  // one of each key type
  reader.each(object, "certificates", most, [&](const json& element) {
    auto certificate = certificate_from(element, reader);
    for (const auto& other : file.certificates) {
      if (other.type == certificate.type) reader.wrong("certificates");
    }
    file.certificates.push_back(std::move(certificate));
  });
}

}  // namespace

std::string to_text(const Current& current) {
  return fmt::format("tlsguard 1 generation {} version {}\n", current.generation, current.version);
}

Result<Current> current_from_text(std::string_view text) {
  Current current;
  std::string_view rest = text.substr(0, max_current_file);
  bool read = take_text(rest, "tlsguard 1 generation ") && take_number(rest, current.generation) &&
              take_text(rest, " version ") && take_number(rest, current.version);
  if (!read || current.generation == 0 || current.version == 0 || to_text(current) != text) {
    return fail("it is torn, or not written by this program");
  }
  return current;
}

std::optional<std::uint32_t> version_from_name(std::string_view name) {
  std::uint32_t number = 0;
  std::string_view rest = name;
  if (!take_number(rest, number) || number == 0 || std::to_string(number) != name) {
    return std::nullopt;
  }
  return number;
}

std::string to_json(const VersionFile& file) {
  json certificates = json::array();
  for (const auto& each : file.certificates) {
    certificates.push_back(
        {{"type", crypto::key_type_name(each.type)}, {"chain_sha256", each.chain_sha256}});
  }
  json object{{"format", format_version},
              {"identity", file.identity},
              {"version", file.number},
              {"names", file.meta.names},
              {"ca", file.meta.ca},
              {"profile", file.meta.profile},
              {"issued_at", file.meta.issued_at},
              {"certificates", certificates}};
  return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<VersionFile> version_from_json(std::string_view text) {
  if (text.size() > max_meta_file || nested_deeper_than(max_depth, text)) {
    return fail(fmt::format("{} is too large or nested too deep", meta_file));
  }
  json object = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return fail(fmt::format("{} is torn", meta_file));
  Reader reader;
  VersionFile file;
  auto format = reader.number(object, "format", std::numeric_limits<int>::max());
  if (reader.error().empty() && format != format_version) {
    return fail(fmt::format("format {} of {} is of a later release", format, meta_file));
  }
  file.identity = reader.text(object, "identity");
  file.number = static_cast<std::uint32_t>(
      reader.number(object, "version", std::numeric_limits<std::uint32_t>::max()));
  read_names(object, reader, file.meta.names);
  file.meta.ca = reader.text(object, "ca");
  file.meta.profile = reader.text(object, "profile");
  file.meta.issued_at =
      reader.number(object, "issued_at", std::numeric_limits<std::int64_t>::max());
  read_certificates(object, reader, file);
  if (!reader.error().empty()) return fail(reader.error());
  return file;
}

std::string chain_file(crypto::KeyType type) {
  return std::string(crypto::key_type_name(type)) + ".pem";
}

std::string key_file(crypto::KeyType type) {
  return std::string(crypto::key_type_name(type)) + ".key";
}

std::string key_purpose(std::string_view identity, std::uint32_t version, crypto::KeyType type) {
  return fmt::format("tlsguard certificate key 1\n{}\n{}\n{}", identity, version,
                     crypto::key_type_name(type));
}

}  // namespace tlsguard::store
