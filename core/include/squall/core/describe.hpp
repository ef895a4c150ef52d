// Options as plain structs that describe themselves: one tuple `fields` names and documents the members, and
// from it JSON is read (unknown keys rejected, everything reported), written (defaults omitted) and explained.
//
//   struct DropoutOptions {
//     double drop_prob = 0.5;
//     static constexpr auto fields = std::tuple{field("drop_prob", &DropoutOptions::drop_prob, "probability of a
//     zero")};
//   };
#pragma once

#include <concepts>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "squall/core/error.hpp"
#include "squall/core/nearest.hpp"
#include "squall/core/shape.hpp"

namespace squall {

using json = nlohmann::ordered_json;

template <class Owner, class T>
struct Field {
  std::string_view name;
  T Owner::*member;
  std::string_view doc;
};
template <class Owner, class T>
constexpr Field<Owner, T> field(std::string_view name, T Owner::*member, std::string_view doc) {
  return {name, member, doc};
}

struct NoOptions {
  static constexpr auto fields = std::tuple{};
};

// An enumeration becomes describable by `std::span<const EnumName<E>> enum_names(E)`, found by its namespace.
// The first name of a value is written, all are read.
template <class E>
struct EnumName {
  std::string_view name;
  E value;
};
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  enum_names(e);
};

// read_value returns what was expected when `j` does not fit, nothing when it was stored.
using Expectation = std::optional<std::string>;
Expectation read_value(const json& j, bool& out);
Expectation read_value(const json& j, Index& out);
Expectation read_value(const json& j, int& out);
Expectation read_value(const json& j, std::uint64_t& out);
Expectation read_value(const json& j, double& out);
Expectation read_value(const json& j, std::string& out);
Expectation read_value(const json& j, json& out);
template <NamedEnum E>
Expectation read_value(const json& j, E& out) {
  std::vector<std::string> names;
  for (const auto& known : enum_names(E{})) {
    if (j.is_string() && j.get_ref<const std::string&>() == known.name) {
      out = known.value;
      return std::nullopt;
    }
    names.emplace_back(known.name);
  }
  return "one of " + join(names) + (j.is_string() ? did_you_mean(j.get<std::string>(), names) : std::string());
}
template <class T>
Expectation read_value(const json& j, std::optional<T>& out) {
  if (j.is_null()) {
    out.reset();
    return std::nullopt;
  }
  T value{};
  if (auto expected = read_value(j, value)) return expected;
  out = value;
  return std::nullopt;
}
template <class T>
Expectation read_value(const json& j, std::vector<T>& out) {
  if (!j.is_array()) return "a list";
  std::vector<T> values(j.size());
  for (std::size_t i = 0; i < j.size(); ++i) {
    T value{};
    if (auto expected = read_value(j[i], value)) return "a list of " + *expected;
    values[i] = value;
  }
  out = std::move(values);
  return std::nullopt;
}

json write_value(bool v);
json write_value(Index v);
json write_value(int v);
json write_value(std::uint64_t v);
json write_value(double v);
json write_value(const std::string& v);
json write_value(const json& v);
template <NamedEnum E>
json write_value(E v) {
  for (const auto& known : enum_names(E{}))
    if (known.value == v) return std::string(known.name);
  return nullptr;
}
template <class T>
json write_value(const std::optional<T>& v) {
  return v ? write_value(*v) : json(nullptr);
}
template <class T>
json write_value(const std::vector<T>& v) {
  json out = json::array();
  for (const T& one : v) out.push_back(write_value(one));
  return out;
}

// One option as shown by `squall describe`.
struct OptionDoc {
  std::string name, default_value, doc;
};

template <class Options, class F>
void for_each_field(F&& f) {
  std::apply([&](const auto&... one) { (f(one), ...); }, Options::fields);
}
template <class Options>
std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for_each_field<Options>([&](const auto& f) { names.emplace_back(f.name); });
  return names;
}
template <class Options>
std::vector<OptionDoc> option_docs() {
  std::vector<OptionDoc> docs;
  const Options defaults{};
  for_each_field<Options>([&](const auto& f) {
    docs.push_back({std::string(f.name), write_value(defaults.*(f.member)).dump(), std::string(f.doc)});
  });
  return docs;
}

// Adds "unknown option" problems for keys of `j` that are neither in `known` nor start with '@'.
void reject_unknown_keys(const json& j, std::string_view where, std::vector<std::string> known, Problems& problems);

// Reads the members of an object into `out`; what is absent keeps its default. Keys starting with '@' are left alone.
template <class Options>
void read_fields(const json& j, std::string_view where, Options& out, Problems& problems) {
  if (!j.is_object()) {
    problems.add(where, concat("should be an object, not ", j.type_name()));
    return;
  }
  reject_unknown_keys(j, where, field_names<Options>(), problems);
  for_each_field<Options>([&](const auto& f) {
    const auto found = j.find(std::string(f.name));
    if (found == j.end()) return;
    if (auto expected = read_value(*found, out.*(f.member)))
      problems.add(where, concat("option '", f.name, "' should be ", *expected, ", not ", found->dump()));
  });
}

// The members that differ from their defaults.
template <class Options>
json write_fields(const Options& options) {
  json out = json::object();
  const Options defaults{};
  for_each_field<Options>([&](const auto& f) {
    const json value = write_value(options.*(f.member));
    if (value != write_value(defaults.*(f.member))) out[std::string(f.name)] = value;
  });
  return out;
}

// Whatever has an @type and options.
class Describable {
 public:
  virtual ~Describable() = default;
  virtual std::string_view type() const = 0;
  virtual json describe() const = 0;  // {"@type": ..., options that are not the default}
};

// Base of every describable class: holds `options` and writes them. D has `static constexpr std::string_view kType`.
template <class Base, class D, class OptionsT>
class DescribedAs : public Base {
 public:
  using Options = OptionsT;
  OptionsT options{};
  std::string_view type() const override { return D::kType; }
  json describe() const override {
    json out;
    out["@type"] = std::string(D::kType);
    const json rest = write_fields(options);
    for (const auto& [key, value] : rest.items()) out[key] = value;
    return out;
  }
};

// Parses JSON text; a ConfigError names the source, line and column of what is wrong.
json parse_json(std::string_view text, std::string_view source);

}  // namespace squall
