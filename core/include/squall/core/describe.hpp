// Options as plain structs that describe themselves: one tuple `fields` names and documents the members, and
// from it JSON is read (unknown keys rejected, everything reported), written (defaults omitted) and explained.
//
//   struct DropoutOptions {
//     double drop_prob = 0.5;
//     static constexpr auto fields = std::tuple{field("drop_prob", &DropoutOptions::drop_prob, "probability of a
//     zero")};
//   };
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "squall/core/enum_name.hpp"
#include "squall/core/error.hpp"
#include "squall/core/json_fwd.hpp"
#include "squall/core/nearest.hpp"
#include "squall/core/shape.hpp"

namespace squall {

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

// --- values: read_value returns what was expected when `j` does not fit, nothing when it was stored
// -------------------
using Expectation = std::optional<std::string>;
Expectation read_value(const json& j, bool& out);
Expectation read_value(const json& j, Index& out);
Expectation read_value(const json& j, int& out);
Expectation read_value(const json& j, std::uint64_t& out);
Expectation read_value(const json& j, double& out);
Expectation read_value(const json& j, std::string& out);
Expectation read_value(const json& j, json& out);
template <NamedEnum E>
Expectation read_value(const json& j, E& out);
template <class T>
Expectation read_value(const json& j, std::optional<T>& out);
template <class T>
Expectation read_value(const json& j, std::vector<T>& out);

void write_value(bool v, json& out);
void write_value(Index v, json& out);
void write_value(int v, json& out);
void write_value(std::uint64_t v, json& out);
void write_value(double v, json& out);
void write_value(const std::string& v, json& out);
void write_value(const json& v, json& out);
template <NamedEnum E>
void write_value(E v, json& out);
template <class T>
void write_value(const std::optional<T>& v, json& out);
template <class T>
void write_value(const std::vector<T>& v, json& out);
template <class T, class Json = json>
Json write_value(const T& v) {
  Json out;
  write_value(v, out);
  return out;
}

namespace json_parts {                   // what the templates below need of JSON
const std::string* text(const json& j);  // null if it is none
bool is_null(const json& j);
bool is_list(const json& j);
std::size_t size(const json& j);
const json& at(const json& j, std::size_t i);
json& append(json& list);
void set_text(json& j, std::string_view text);
void set_null(json& j);
void set_list(json& j);
std::string one_of(const json& j, std::span<const std::string> names);
}  // namespace json_parts

template <NamedEnum E>
Expectation read_value(const json& j, E& out) {
  std::vector<std::string> names;
  const std::string* text = json_parts::text(j);
  for (const auto& known : enum_names(E{})) {
    if (text != nullptr && *text == known.name) {
      out = known.value;
      return std::nullopt;
    }
    names.emplace_back(known.name);
  }
  return json_parts::one_of(j, names);
}
template <class T>
Expectation read_value(const json& j, std::optional<T>& out) {
  if (json_parts::is_null(j)) {
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
  if (!json_parts::is_list(j)) return "a list";
  std::vector<T> values(json_parts::size(j));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value{};
    if (auto expected = read_value(json_parts::at(j, i), value)) return "a list of " + *expected;
    values[i] = value;
  }
  out = std::move(values);
  return std::nullopt;
}

template <NamedEnum E>
void write_value(E v, json& out) {
  json_parts::set_null(out);
  for (const auto& known : enum_names(E{}))
    if (known.value == v) return json_parts::set_text(out, known.name);
}
template <class T>
void write_value(const std::optional<T>& v, json& out) {
  if (v)
    write_value(*v, out);
  else
    json_parts::set_null(out);
}
template <class T>
void write_value(const std::vector<T>& v, json& out) {
  json_parts::set_list(out);
  for (const T& one : v) write_value(one, json_parts::append(out));
}

// --- options
// ------------------------------------------------------------------------------------------------------------ One
// option as shown by `squall describe`.
struct OptionDoc {
  std::string name, default_value, doc;
};

// A member of some options, its type forgotten.
struct FieldAccess {
  std::string_view name, doc;
  Expectation (*read)(const json& j, void* options);
  void (*write)(const void* options, json& out);
};
using FieldTable = std::span<const FieldAccess>;

template <class Options, class F>
void for_each_field(F&& f) {
  std::apply([&](const auto&... one) { (f(one), ...); }, Options::fields);
}

template <class Options, std::size_t I>
constexpr FieldAccess field_access() {
  return {std::get<I>(Options::fields).name, std::get<I>(Options::fields).doc,
          [](const json& j, void* options) {
            return read_value(j, static_cast<Options*>(options)->*(std::get<I>(Options::fields).member));
          },
          [](const void* options, json& out) {
            write_value(static_cast<const Options*>(options)->*(std::get<I>(Options::fields).member), out);
          }};
}
template <class Options>
FieldTable field_table() {
  constexpr std::size_t count = std::tuple_size_v<decltype(Options::fields)>;
  static constexpr auto table = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<FieldAccess, sizeof...(I)>{field_access<Options, I>()...};
  }
  (std::make_index_sequence<count>{});
  return table;
}

std::vector<std::string> field_names(FieldTable table);
std::vector<OptionDoc> option_docs(FieldTable table, const void* defaults);
void read_fields(const json& j, std::string_view where, FieldTable table, void* out, Problems& problems);
// Adds the members that differ from their defaults.
void write_fields(FieldTable table, const void* options, const void* defaults, json& out);

template <class Options>
std::vector<OptionDoc> option_docs() {
  const Options defaults{};
  return option_docs(field_table<Options>(), &defaults);
}

// Adds "unknown option" problems for keys of `j` that are neither in `known` nor start with '@'.
void reject_unknown_keys(const json& j, std::string_view where, std::vector<std::string> known, Problems& problems);

// Reads the members of an object into `out`; what is absent keeps its default. Keys starting with '@' are left alone.
template <class Options>
void read_fields(const json& j, std::string_view where, Options& out, Problems& problems) {
  read_fields(j, where, field_table<Options>(), &out, problems);
}

// The members that differ from their defaults.
template <class Options, class Json = json>
Json write_fields(const Options& options) {
  Json out = Json::object();
  const Options defaults{};
  write_fields(field_table<Options>(), &options, &defaults, out);
  return out;
}

// Whatever has an @type and options.
class Describable {
 public:
  virtual ~Describable() = default;
  virtual std::string_view type() const = 0;
  json describe() const;  // {"@type": ..., options that are not the default}

 protected:
  struct View {
    FieldTable table;
    const void* options;
    const void* defaults;
  };
  virtual View view() const = 0;
};

// Base of every describable class: holds `options` and writes them. D has `static constexpr std::string_view kType`.
template <class Base, class D, class OptionsT>
class DescribedAs : public Base {
 public:
  using Options = OptionsT;
  OptionsT options{};
  std::string_view type() const override { return D::kType; }

 protected:
  typename Base::View view() const override {
    static const OptionsT defaults{};
    return {field_table<OptionsT>(), &options, &defaults};
  }
};

// Parses JSON text; a ConfigError names the source, line and column of what is wrong.
json parse_json(std::string_view text, std::string_view source);

}  // namespace squall
