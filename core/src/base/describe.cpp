#include "squall/core/describe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

namespace squall {

namespace {

template <class T>
Expectation read_whole(const json& j, T& out, const char* expected) {
  if (j.is_number_integer() ||
      (j.is_number_float() && std::nearbyint(j.get<double>()) == j.get<double>() && std::abs(j.get<double>()) < 9e15)) {
    const double approximate = j.get<double>();
    const bool too_small = approximate < static_cast<double>(std::numeric_limits<T>::lowest());
    const bool too_large = j.is_number_unsigned() ? !std::in_range<T>(j.get<std::uint64_t>())
                                                  : approximate > static_cast<double>(std::numeric_limits<T>::max());
    if (!too_small && !too_large) {
      out = j.is_number_float() ? static_cast<T>(approximate) : j.get<T>();
      return std::nullopt;
    }
  }
  return expected;
}

}  // namespace

Expectation read_value(const json& j, bool& out) {
  if (!j.is_boolean()) return "true or false";
  out = j.get<bool>();
  return std::nullopt;
}
Expectation read_value(const json& j, Index& out) { return read_whole(j, out, "a whole number"); }
Expectation read_value(const json& j, int& out) { return read_whole(j, out, "a whole number"); }
Expectation read_value(const json& j, std::uint64_t& out) {
  return read_whole(j, out, "a whole number that is not negative");
}
Expectation read_value(const json& j, double& out) {
  if (!j.is_number()) return "a number";
  out = j.get<double>();
  return std::nullopt;
}
Expectation read_value(const json& j, std::string& out) {
  if (!j.is_string()) return "a text";
  out = j.get<std::string>();
  return std::nullopt;
}
Expectation read_value(const json& j, json& out) {
  out = j;
  return std::nullopt;
}

json write_value(bool v) { return v; }
json write_value(Index v) { return v; }
json write_value(int v) { return v; }
json write_value(std::uint64_t v) { return v; }
json write_value(double v) { return v; }
json write_value(const std::string& v) { return v; }
json write_value(const json& v) { return v; }

void reject_unknown_keys(const json& j, std::string_view where, std::vector<std::string> known, Problems& problems) {
  std::ranges::sort(known);
  for (const auto& [key, value] : j.items()) {
    if (key.starts_with('@') || std::ranges::binary_search(known, key)) continue;
    const std::string options = known.empty() ? "there are no options" : "options are: " + join(known);
    problems.add(where, concat("unknown option '", key, "'", did_you_mean(key, known), "; ", options));
  }
}

json parse_json(std::string_view text, std::string_view source) {
  std::vector<std::set<std::string>> open;  // keys of the objects around the place that is read
  const auto note_keys = [&](int, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second)
      raise<ConfigError>(source, ": the key '", parsed.get<std::string>(), "' is written twice in one object");
    return true;
  };
  try {
    return json::parse(text, note_keys);
  } catch (const nlohmann::json::parse_error& e) {
    const auto end = std::min(text.size(), static_cast<std::size_t>(e.byte > 0 ? e.byte - 1 : 0));
    const std::string_view before = text.substr(0, end);
    const auto line = std::ranges::count(before, '\n') + 1;
    const auto last_break = before.rfind('\n');
    const auto column = last_break == std::string_view::npos ? end + 1 : end - last_break;
    std::string what = e.what();
    if (const auto colon = what.find("syntax error"); colon != std::string::npos) what = what.substr(colon);
    raise<ConfigError>(source, ": line ", line, ", column ", column, ": not valid JSON: ", what);
  } catch (const nlohmann::json::exception& e) {  // a number out of range
    raise<ConfigError>(source, ": not valid JSON: ", e.what());
  }
}

}  // namespace squall
