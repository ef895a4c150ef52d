#include "squall/tools/iterative_stage.hpp"

namespace squall {

namespace {

void fill(json& j, const std::vector<OptionDoc>& options) {
  for (const OptionDoc& o : options)
    if (!j.contains(o.name)) j[o.name] = parse_json(o.default_value, o.name);
}

template <class Options>
void fill(json& j) {
  fill(j, option_docs<Options>());
}

// Every object with an @type, and those within it. Layers live in the network alone: a modifier may share a name.
void fill_types(json& j, const Catalog& catalog) {
  if (j.is_object() && j.contains("@type") && j["@type"].is_string()) {
    const auto type = j["@type"].get<std::string>();
    for (const auto& [name, family] : catalog.families())
      if (name != "layer" && family->contains(type)) fill(j, family->doc(type).options);
  }
  if (j.is_structured())
    for (auto& member : j) fill_types(member, catalog);
}

void fill_network(json& network, const Catalog& catalog) {
  const auto& layers = catalog.of<Layer>();
  for (auto& layer : network)
    if (layers.contains(layer["@type"].get<std::string>()))
      fill(layer, layers.doc(layer["@type"].get<std::string>()).options);
}

void fill_stage(json& stage, const StageOptions& options) {
  fill<StageOptions>(stage);
  fill<CheckpointOptions>(stage["checkpoint"]);
  stage["tasks"] = options.tasks;
  if (!options.iterative.is_null()) fill<IterativeStage>(stage["iterative"]);
}

}  // namespace

json effective(const Experiment& e, const Catalog& catalog) {
  json out = e.source;
  out["network"] = e.architecture.to_json();
  fill_network(out["network"], catalog);
  out["tasks"] = json::object();
  for (const auto& named : e.tasks) {  // clang 14 does not capture parts of a binding
    const TaskOptions& task = named.second;
    json& j = out["tasks"][named.first];
    for_each_field<TaskOptions>([&](const auto& f) { j[std::string(f.name)] = write_value(task.*(f.member)); });
  }
  if (e.sparsify) fill<Rsn2Options>(out["sparsify"]);
  if (out["train"].contains("stages"))
    for (std::size_t i = 0; i < e.stages.size(); ++i) fill_stage(out["train"]["stages"][i], e.stages[i]);
  else
    fill_stage(out["train"], e.stages.at(0));
  for (const char* section : {"initialize", "data", "tasks", "train"})
    if (out.contains(section)) fill_types(out[section], catalog);
  out["seed"] = e.seed;
  return out;
}

}  // namespace squall
