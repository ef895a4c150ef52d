// Nested objects by dotted path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "squall/core/json.hpp"

namespace squall {

// Paths of everything that is no object, in order: {"a": {"b": 1, "c": [2]}, "d": 3} gives a.b, a.c, d. An empty object
// has none.
std::vector<std::string> flatten_keys(const json& nested);

// What lies at a path ("hooks.2.patience": numbers count entries of lists); the empty path is the whole. Throws
// ConfigError that says how far the path goes and what can follow there.
const json& get_by_path(const json& nested, std::string_view path);

}  // namespace squall
