#include "squall/tools/run.hpp"
#include "squall/training/mask_report.hpp"

namespace squall {

std::vector<Task> make_tasks(const ExperimentData::Tasks& tasks, const std::vector<std::string>& chosen,
                             const Graph& graph, const Catalog& catalog) {
  std::vector<Task> out;
  for (const auto& name : chosen)
    for (const auto& [task_name, options] : tasks) {
      if (task_name != name) continue;
      Task task;
      task.name = name;
      task.input = options.input;
      task.targets = options.targets;
      task.loss = options.loss;
      task.output = options.output;
      for (const auto& [key, scorer] : options.scorers.items()) {
        const json description = scorer.is_string() ? json{{"@type", scorer}} : scorer;
        task.scorers.push_back(
            catalog.of<Scorer>().make(description, concat("tasks.", name, ".scorers.", key), catalog));
      }
      complete_task(task, graph);
      out.push_back(std::move(task));
    }
  return out;
}

json score_tasks(Network& network, ExperimentData& data, std::span<const Task> tasks, std::string_view split,
                 const std::function<bool()>& should_stop) {
  json out = json::object();
  const MaskReport masks = report_masks(network, tasks);
  for (const auto& task : tasks) {
    auto iterator = data.scoring(task.name, split);
    if (!iterator) continue;
    for (const auto& scores : evaluate(network, *iterator, std::span(&task, 1), should_stop)) {
      if (scores.task != task.name) continue;
      json one = json::object();
      for (const auto& [name, value] : scores.values) one[name] = value;
      one["density"] = masks.density(task.name);
      out[task.name] = one;
    }
  }
  return out;
}

}  // namespace squall
