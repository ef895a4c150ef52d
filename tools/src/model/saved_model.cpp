#include "squall/tools/saved_model.hpp"

#include "squall/tools/run.hpp"

namespace squall {

SavedModel::SavedModel(const std::filesystem::path& path, const Catalog& catalog, std::shared_ptr<Handler> handler,
                       const NetworkOptions& options)
    : catalog_(catalog) {
  const ModelFile file(path);
  description_ = file.description();
  bytes_ = file.bytes();
  network_ = std::make_unique<Network>(file.architecture(), catalog, std::move(handler), options);
  file.load_into(*network_);
  Problems problems;
  const bool has_tasks = description_.contains("experiment") &&
                         (description_["experiment"].contains("data") || description_["experiment"].contains("tasks"));
  if (has_tasks) tasks_ = read_tasks(description_["experiment"], problems);
  problems.raise_if_any(path.string());
  for (const auto& task : tasks())
    if (!task.output.empty()) network_->pin(task.output);
}

std::vector<std::string> SavedModel::task_names() const {
  std::vector<std::string> names;
  for (const auto& task : tasks_) names.push_back(task.first);
  return names;
}

json SavedModel::epochs() const { return description_.value("epochs", json::object()); }

std::vector<Task> SavedModel::tasks(const std::string& chosen) const {
  const auto names = task_names();
  if (chosen.empty()) return make_tasks(tasks_, names, network_->graph(), catalog_);
  if (std::ranges::find(names, chosen) == names.end())
    raise<ConfigError>("--task ", chosen, ": the model has no such task", did_you_mean(chosen, names),
                       names.empty() ? "; it has no tasks" : "; it has: " + join(names));
  return make_tasks(tasks_, {chosen}, network_->graph(), catalog_);
}

ExperimentData SavedModel::data(const std::filesystem::path& folder) const {
  if (!description_.contains("experiment") || !description_["experiment"].contains("data"))
    raise<ConfigError>("the model does not say what data it was trained on");
  const json& e = description_["experiment"];
  return {e.value("data", json::object()), tasks_, catalog_, folder, e.value("seed", std::uint64_t{1})};
}

ExperimentData SavedModel::data(const std::filesystem::path& folder, const json& reader) const {
  TaskList tasks = tasks_;
  json data = json::object();
  for (auto& [name, options] : tasks) {
    if (options.data.empty()) options.data = "default";
    data[options.data] = reader;
  }
  return {data, tasks, catalog_, folder, 1};
}

json description_for_task(const json& description, const std::string& task) {
  json out = description;
  if (!out.contains("experiment")) return out;
  json& e = out["experiment"];
  Problems ignored;
  const TaskList tasks = read_tasks(e, ignored);
  json data = json::object();
  for (const auto& [name, options] : tasks)
    if (name == task) {
      data[options.data] = e["data"][options.data];
      json one = write_fields(options);
      one["data"] = options.data;
      e["tasks"] = {{name, one}};
    }
  e["data"] = data;
  e.erase("network");
  e.erase("initialize");
  e.erase("sparsify");
  e.erase("train");
  return out;
}

}  // namespace squall
