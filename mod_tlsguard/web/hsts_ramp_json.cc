// SPDX-License-Identifier: Apache-2.0
// The states of all ramps as text, and back.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/json_depth.h"
#include "web/hsts_ramp.h"

namespace tlsguard::web {
namespace {

using Json = nlohmann::json;
using std::chrono::sys_seconds;

constexpr std::string_view format_name = "tlsguard-hsts-ramp";
constexpr int format_version = 1;
constexpr std::size_t longest_text = std::size_t{32} << 20;
constexpr int deepest = 8;  // this version needs 3; members of later ones may need more
constexpr std::size_t longest_name = 255;
constexpr std::int64_t last_time = 253402300799;                        // the end of the year 9999
constexpr std::int64_t greatest_age = std::int64_t{100} * 365 * 86400;  // as in core/duration.h

Json to_json(const RampState& state) {
  Json json{{"began", state.began.time_since_epoch().count()},
            {"counted_until", state.counted_until.time_since_epoch().count()},
            {"max_age", state.age.count()},
            {"kept", state.kept.count()},
            {"complete", state.complete},
            {"good", state.good},
            {"include_sub_domains", state.include_sub_domains}};
  if (state.behind_since) json["behind_since"] = state.behind_since->time_since_epoch().count();
  return json;
}

// The members of one object; the first that is not as it should be is remembered.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  std::int64_t number(const char* name, std::int64_t min, std::int64_t max) {
    auto member = object_.find(name);
    // A number over the signed range is unsigned in this library's eyes.
    bool fits = member != object_.end() && member->is_number_integer() &&
                (!member->is_number_unsigned() ||
                 member->get<std::uint64_t>() <= static_cast<std::uint64_t>(max));
    std::int64_t value = fits ? member->get<std::int64_t>() : 0;
    if (!fits || value < min || value > max) {
      blame(fmt::format("'{}' is not a number from {} to {}", name, min, max));
    }
    return value;
  }
  sys_seconds time(const char* name) {
    return sys_seconds(std::chrono::seconds(number(name, 0, last_time)));
  }
  bool flag(const char* name) {
    auto member = object_.find(name);
    if (member != object_.end() && member->is_boolean()) return member->get<bool>();
    blame(fmt::format("'{}' is not true or false", name));
    return false;
  }
  [[nodiscard]] bool has(const char* name) const { return object_.contains(name); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void blame(std::string text) {
    if (!error_) error_ = Error{std::move(text)};
  }

  const Json& object_;
  std::optional<Error> error_;
};

Result<RampState> state_from_json(const Json& json) {
  if (!json.is_object()) return fail("it is not an object");
  Members members(json);
  RampState state;
  state.began = members.time("began");
  state.counted_until = members.time("counted_until");
  if (members.has("behind_since")) state.behind_since = members.time("behind_since");
  state.age = Seconds(members.number("max_age", 1, greatest_age));
  state.kept = Seconds(members.number("kept", 0, state.age.count()));
  state.complete = members.flag("complete");
  state.good = members.flag("good");
  state.include_sub_domains = members.flag("include_sub_domains");
  if (members.error()) return tl::unexpected(*members.error());
  return state;
}

Result<Json> parse_bounded(std::string_view text) {
  if (text.size() > longest_text) {
    return fail(
        fmt::format("it is longer than {} bytes: this is no file of HSTS ramps", longest_text));
  }
  if (is_json_deeper(text, deepest)) {
    return fail(fmt::format("it is nested more than {} deep", deepest));
  }
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return fail("it is not JSON, or it is torn");
  return json;
}

}  // namespace

std::string write_ramp_states(const RampStates& states) {
  Json ramps = Json::object();
  for (const auto& [name, state] : states) ramps[name] = to_json(state);
  Json json{{"format", format_name}, {"version", format_version}, {"ramps", std::move(ramps)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<RampStates> read_ramp_states(std::string_view text) {
  auto json = parse_bounded(text);
  if (!json) return tl::unexpected(json.error());
  if (!json->is_object() || json->value("format", Json()) != format_name) {
    return fail(fmt::format("it does not say \"format\": \"{}\"", format_name));
  }
  if (json->value("version", Json()) != format_version) {
    return fail(fmt::format("its \"version\" is not {}", format_version));
  }
  auto ramps = json->find("ramps");
  if (ramps == json->end() || !ramps->is_object()) return fail("'ramps' is not an object");
  RampStates states;
  for (const auto& [name, member] : ramps->items()) {
    if (name.empty() || name.size() > longest_name) {
      return fail(fmt::format("a name has {} bytes: valid are 1 to {}", name.size(), longest_name));
    }
    auto state = state_from_json(member);
    if (!state) return tl::unexpected(state.error().within(fmt::format("ramp of '{}'", name)));
    states.emplace(name, *state);
  }
  return states;
}

}  // namespace tlsguard::web
