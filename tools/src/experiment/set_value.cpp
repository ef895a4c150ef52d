#include <charconv>

#include "squall/tools/experiment.hpp"

namespace squall {

namespace {

json* step_into(json& at, const std::string& key, std::string_view path) {
  if (at.is_array()) {
    std::size_t index = 0;
    const auto [end, bad] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (bad != std::errc{} || end != key.data() + key.size() || index >= at.size())
      raise<ConfigError>("--set ", path, ": '", key, "' is not an index of a list of ", at.size());
    return &at[index];
  }
  if (at.is_null()) at = json::object();
  if (!at.is_object())
    raise<ConfigError>("--set ", path, ": '", key, "' is below ", at.dump(), ", which is not an object");
  return &at[key];
}

}  // namespace

void set_value(json& document, std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0)
    raise<ConfigError>("--set ", assignment, ": should be PATH=VALUE, like train.batch_size=50");
  const std::string path(assignment.substr(0, equals));
  const std::string text(assignment.substr(equals + 1));
  json* at = &document;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const auto dot = std::min(path.find('.', begin), path.size());
    at = step_into(*at, path.substr(begin, dot - begin), path);
    begin = dot + 1;
  }
  json value = json::parse(text, nullptr, false);
  *at = value.is_discarded() ? json(text) : value;
}

}  // namespace squall
