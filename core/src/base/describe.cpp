#include "squall/core/describe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "squall/core/json.hpp"

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

void write_value(bool v, json& out) { out = v; }
void write_value(Index v, json& out) { out = v; }
void write_value(int v, json& out) { out = v; }
void write_value(std::uint64_t v, json& out) { out = v; }
void write_value(double v, json& out) { out = v; }
void write_value(const std::string& v, json& out) { out = v; }
void write_value(const json& v, json& out) { out = v; }

namespace json_parts {

const std::string* text(const json& j) { return j.get_ptr<const std::string*>(); }
bool is_null(const json& j) { return j.is_null(); }
bool is_list(const json& j) { return j.is_array(); }
std::size_t size(const json& j) { return j.size(); }
const json& at(const json& j, std::size_t i) { return j[i]; }
json& append(json& list) {
  list.push_back(nullptr);
  return list.back();
}
void set_text(json& j, std::string_view text) { j = std::string(text); }
void set_null(json& j) { j = nullptr; }
void set_list(json& j) { j = json::array(); }
std::string one_of(const json& j, std::span<const std::string> names) {
  return "one of " + join(names) + (j.is_string() ? did_you_mean(j.get<std::string>(), names) : std::string());
}

}  // namespace json_parts

std::vector<std::string> field_names(FieldTable table) {
  std::vector<std::string> names;
  for (const FieldAccess& f : table) names.emplace_back(f.name);
  return names;
}

std::vector<OptionDoc> option_docs(FieldTable table, const void* defaults) {
  std::vector<OptionDoc> docs;
  for (const FieldAccess& f : table) {
    json value;
    f.write(defaults, value);
    docs.push_back({std::string(f.name), value.dump(), std::string(f.doc)});
  }
  return docs;
}

void read_fields(const json& j, std::string_view where, FieldTable table, void* out, Problems& problems) {
  if (!j.is_object()) {
    problems.add(where, concat("should be an object, not ", j.type_name()));
    return;
  }
  reject_unknown_keys(j, where, field_names(table), problems);
  for (const FieldAccess& f : table) {
    const auto found = j.find(std::string(f.name));
    if (found == j.end()) continue;
    if (auto expected = f.read(*found, out))
      problems.add(where, concat("option '", f.name, "' should be ", *expected, ", not ", found->dump()));
  }
}

void write_fields(FieldTable table, const void* options, const void* defaults, json& out) {
  for (const FieldAccess& f : table) {
    json value, usual;
    f.write(options, value);
    f.write(defaults, usual);
    if (value != usual) out[std::string(f.name)] = std::move(value);
  }
}

json Describable::describe() const {
  json out;
  out["@type"] = std::string(type());
  const View v = view();
  write_fields(v.table, v.options, v.defaults, out);
  return out;
}

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
    std::string what = e.what();
    if (const auto id = what.find("] "); id != std::string::npos) what = what.substr(id + 2);
    const auto from = what.find('\''), to = what.rfind('\'');
    const auto place = from < to ? text.find(what.substr(from + 1, to - from - 1)) : std::string_view::npos;
    if (place == std::string_view::npos) raise<ConfigError>(source, ": not valid JSON: ", what);
    const auto line = std::ranges::count(text.substr(0, place), '\n') + 1;
    raise<ConfigError>(source, ": line ", line, ": ", what, "; numbers go up to 1.79e308");
  }
}

}  // namespace squall
