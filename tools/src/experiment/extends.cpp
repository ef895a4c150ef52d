// Experiments that are others with a few changes.
#include "squall/core/nearest.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/tools/experiment.hpp"

namespace squall {

namespace {

// Files that the base names lie beside it.
void move_paths(json& base, const std::filesystem::path& folder, const std::filesystem::path& to) {
  if (folder == to) return;
  for (const char* key : {"network", "init_from"})
    if (base.contains(key) && base[key].is_string()) {
      const std::filesystem::path path = base[key].get<std::string>();
      if (path.is_relative()) base[key] = std::filesystem::absolute(folder / path).string();
    }
}

// Something of another @type, and stages instead of one stage, keep nothing of what they replace.
bool replaces(const json& base, const json& change) {
  if (!base.is_object()) return true;
  const auto type_of = [](const json& j) { return j.value("@type", json()); };
  if (change.contains("@type") && type_of(base) != type_of(change)) return true;
  return change.contains("@spec") || change.contains("stages") || base.contains("stages");
}

void merge(json& base, const json& change) {
  if (!change.is_object()) {
    base = change;
    return;
  }
  if (replaces(base, change)) base = json::object();
  for (const auto& [key, value] : change.items()) {
    if (value.is_null())
      base.erase(key);
    else
      merge(base[key], value);
  }
}

json read_extended(const std::filesystem::path& file, std::vector<std::string>& chain) {
  const std::string name = std::filesystem::absolute(file).lexically_normal().string();
  for (const auto& before : chain)
    if (before == name) raise<ConfigError>(chain.front(), ": extends itself by way of ", join(chain, " -> "));
  chain.push_back(name);
  const auto bytes = read_whole_file(file);
  json document = parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
  if (!document.is_object() || !document.contains("extends")) return document;
  if (!document["extends"].is_string())
    raise<ConfigError>(file.string(), ": extends: should be the name of an experiment file, not ",
                       document["extends"].dump());
  const auto base_file = file.parent_path() / document["extends"].get<std::string>();
  json base = read_extended(base_file, chain);
  if (!base.is_object()) raise<ConfigError>(file.string(), ": extends: ", base_file.string(), " is no experiment");
  move_paths(base, base_file.parent_path(), file.parent_path());
  document.erase("extends");
  merge(base, document);
  return base;
}

}  // namespace

json read_document(const std::filesystem::path& file) {
  std::vector<std::string> chain;
  return read_extended(file, chain);
}

}  // namespace squall
