#include "squall/training/logs.hpp"

#include <algorithm>
#include <cctype>

#include "json_number.hpp"

namespace squall {

namespace {

std::string plain(std::string_view word) {
  std::string out;
  for (const char c : word)
    if (c != '_') out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return out;
}

void collect(const json& j, const std::string& prefix, Logs& logs) {
  for (const auto& [key, value] : j.items()) {
    const std::string path = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) {
      collect(value, path, logs);
      continue;
    }
    if (!value.is_array()) raise<DataError>("logs: '", path, "' should be a list, not ", value.dump());
    for (const auto& one : value) logs.add(path, number_from_json(one));
  }
}

}  // namespace

const std::vector<double>* Logs::find(std::string_view path) const {
  if (const auto exact = series_.find(std::string(path)); exact != series_.end()) return &exact->second;
  const auto dot = path.rfind('.');
  const std::string_view stem = dot == std::string_view::npos ? std::string_view() : path.substr(0, dot + 1);
  const std::string last = plain(path.substr(stem.size()));
  for (const auto& [name, values] : series_) {
    const auto cut = name.rfind('.') == std::string::npos ? 0 : name.rfind('.') + 1;
    if (std::string_view(name).substr(0, cut) == stem && plain(std::string_view(name).substr(cut)) == last)
      return &values;
  }
  return nullptr;
}

json Logs::to_json() const {
  json out = json::object();
  for (const auto& [path, values] : series_) {
    json list = json::array();
    for (const double v : values) list.push_back(number_to_json(v));
    json* place = &out;
    std::string rest = path;
    while (true) {
      const auto dot = rest.find('.');
      if (dot == std::string::npos) break;
      const std::string key = rest.substr(0, dot);
      if (place->contains(key) && !(*place)[key].is_object()) break;  // a series has this name: the rest stays one key
      place = &(*place)[key];
      if (place->is_null()) *place = json::object();
      rest = rest.substr(dot + 1);
    }
    (*place)[rest] = std::move(list);
  }
  return out;
}

Logs Logs::from_json(const json& j) {
  if (!j.is_object()) raise<DataError>("logs should be an object, not ", j.type_name());
  Logs logs;
  collect(j, "", logs);
  return logs;
}

}  // namespace squall
