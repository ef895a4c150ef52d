#include "squall/core/json_paths.hpp"

#include <charconv>

#include "squall/core/error.hpp"
#include "squall/core/nearest.hpp"

namespace squall {

namespace {

void collect(const json& nested, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& [key, value] : nested.items())
    if (value.is_object())
      collect(value, prefix + key + ".", out);
    else
      out.push_back(prefix + key);
}

std::vector<std::string> keys_of(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

std::string place(std::string_view way) { return way.empty() ? "the whole" : concat("'", way, "'"); }

const json& entry(const json& list, std::string_view key, std::string_view way) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc() || end != key.data() + key.size() || index >= list.size())
    raise<ConfigError>(place(way), " is a list of ", list.size(), "; there is no entry '", key, "'");
  return list[index];
}

}  // namespace

std::vector<std::string> flatten_keys(const json& nested) {
  if (!nested.is_object()) raise<ConfigError>("keys can be flattened of an object, not of ", nested.dump());
  std::vector<std::string> out;
  collect(nested, "", out);
  return out;
}

const json& get_by_path(const json& nested, std::string_view path) {
  const json* here = &nested;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto dot = std::min(path.find('.', begin), path.size());
    const auto key = path.substr(begin, dot - begin);
    const auto way = path.substr(0, begin == 0 ? 0 : begin - 1);
    if (here->is_array()) {
      here = &entry(*here, key, way);
    } else if (!here->is_object()) {
      raise<ConfigError>(place(way), " is ", here->dump(), "; nothing lies below it, so there is no '", path, "'");
    } else {
      const auto keys = keys_of(*here);
      const auto found = here->find(std::string(key));
      if (found == here->end())
        raise<ConfigError>("there is no '", key, "' in ", place(way), did_you_mean(key, keys),
                           keys.empty() ? "; it is empty" : "; there are: " + join(keys));
      here = &*found;
    }
    begin = dot + 1;
  }
  return *here;
}

}  // namespace squall
