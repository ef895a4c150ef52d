// Options of changes to batches: a value for each named field, or one value, which is for the first field.
#pragma once

#include <algorithm>

#include "squall/training/augment.hpp"

namespace squall {

template <class T>
struct FieldValue {
  std::string field;
  T value{};
};

template <class T>
T read_field_value(const json& j, std::string_view type, std::string_view option) {
  T value{};
  if (auto expected = read_value(j, value))
    raise<ConfigError>(type, ": option '", option, "' should hold ", *expected, ", not ", j.dump());
  return value;
}

// Throws ConfigError for names that are not among the fields.
template <class T>
std::vector<FieldValue<T>> per_field(const json& option, std::span<const DataField> fields, std::string_view type,
                                     std::string_view name) {
  std::vector<FieldValue<T>> out;
  if (fields.empty()) raise<ConfigError>(type, ": there are no fields");
  if (!option.is_object()) {
    out.push_back({fields[0].name, read_field_value<T>(option, type, name)});
    return out;
  }
  std::vector<std::string> known;
  for (const auto& f : fields) known.push_back(f.name);
  for (const auto& [key, value] : option.items()) {
    if (std::ranges::find(known, key) == known.end())
      raise<ConfigError>(type, ": option '", name, "' names '", key, "'", did_you_mean(key, known),
                         "; fields are: ", join(known));
    out.push_back({key, read_field_value<T>(value, type, name)});
  }
  return out;
}

// The value for a field in a second option: that of its name, the single one, or the default.
template <class T>
T beside(const json& option, const std::string& field, T otherwise, std::string_view type, std::string_view name) {
  if (option.is_null()) return otherwise;
  if (!option.is_object()) return read_field_value<T>(option, type, name);
  return option.contains(field) ? read_field_value<T>(option[field], type, name) : otherwise;
}

// Throws ConfigError when the second option names fields that the first does not.
template <class T>
void same_fields(const json& option, const std::vector<FieldValue<T>>& chosen, std::string_view type,
                 std::string_view name) {
  if (!option.is_object()) return;
  for (const auto& item : option.items()) {  // clang 14 does not capture parts of a binding
    const std::string& key = item.key();
    if (std::ranges::none_of(chosen, [&](const auto& c) { return c.field == key; }))
      raise<ConfigError>(type, ": option '", name, "' names '", key, "', which nothing is done to");
  }
}

inline DataField& field_named(std::vector<DataField>& fields, std::string_view name) {
  return *std::ranges::find_if(fields, [&](const auto& f) { return f.name == name; });
}
inline HostArray& array_named(Batch& batch, std::string_view name) {
  for (auto& f : batch.fields)
    if (f.first == name) return f.second;
  raise<DataError>("the batch has no field '", name, "'");
}

// Images: (T, B, height, width, channels).
inline void need_image(const DataField& field, std::string_view type) {
  if (field.features.rank() != 3)
    raise<ConfigError>(type, ": '", field.name, "' should hold images (height, width, channels), not ", field.features);
}

// Integers become F32; `spare` lends its memory.
inline void make_real(HostArray& a, HostArray& spare) {
  if (is_real(a.dtype())) return;
  spare.resize(DType::F32, a.shape());
  for (Index i = 0; i < a.elements(); ++i) spare.set_value(i, a.value(i));
  std::swap(a, spare);
}

}  // namespace squall
