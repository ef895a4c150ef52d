#include "run/continuation.hpp"

namespace squall {

namespace {

std::string short_text(const json& value) {
  std::string text = value.is_null() ? "absent" : value.dump();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

json member(const json& object, const std::string& key) { return object.contains(key) ? object.at(key) : json(); }

std::string differ(const json& then, const json& now, const std::string& path);

std::string objects_differ(const json& then, const json& now, const std::string& path) {
  for (const json* each : {&then, &now})
    for (const auto& [key, value] : each->items()) {
      if (path.starts_with("train") && key == "checkpoint") continue;
      if (auto found = differ(member(then, key), member(now, key), path + "." + key); !found.empty()) return found;
    }
  return "";
}

std::string differ(const json& then, const json& now, const std::string& path) {
  if (then.is_object() && now.is_object()) return objects_differ(then, now, path);
  if (then.is_array() && now.is_array() && then.size() == now.size()) {
    for (std::size_t i = 0; i < now.size(); ++i)
      if (auto found = differ(then[i], now[i], path + "." + std::to_string(i)); !found.empty()) return found;
    return "";
  }
  if (then == now) return "";
  if (path.starts_with("train") && path.ends_with(".max_epochs") && now.is_number() && then.is_number() &&
      (now == 0 || (then != 0 && now > then)))
    return "";
  return path + " is " + short_text(now) + " now and was " + short_text(then);
}

}  // namespace

std::string first_difference(const json& then, const json& now) {
  for (const char* section : {"network", "seed", "initialize", "data", "tasks", "sparsify", "train"})
    if (auto found = differ(member(then, section), member(now, section), section); !found.empty()) return found;
  return "";
}

}  // namespace squall
