#include "squall/training/evaluate.hpp"

#include <algorithm>
#include <limits>

#include "score_board.hpp"

namespace squall {

double TaskScores::get(std::string_view name) const {
  for (const auto& [key, value] : values)
    if (key == name) return value;
  return std::numeric_limits<double>::quiet_NaN();
}

std::vector<TaskScores> evaluate(Network& network, DataIterator& data, std::span<const Task> tasks,
                                 const std::function<bool()>& should_stop) {
  std::vector<Task> complete(tasks.begin(), tasks.end());
  for (auto& task : complete) complete_task(task, network.graph());
  const auto heads = task_heads(complete, network.graph());
  for (const auto& name : needed_inputs(heads, network.graph()))
    if (std::ranges::none_of(data.fields(), [&](const auto& f) { return f.name == name; }))
      raise<ConfigError>("evaluation needs data for Input.", name, ", which is not among the fields of the iterator");
  const PassId pass = network.pass(Mode::Eval, heads);
  ScoreBoard board(network, complete);
  Batch batch;
  data.restart(0);
  while (data.next(batch)) {
    network.provide(batch);
    network.forward(pass);
    board.add(batch);
    if (should_stop && should_stop()) break;
  }
  return board.scores();
}

std::vector<std::pair<std::string, double>> score_paths(std::span<const TaskScores> scores) {
  std::vector<std::pair<std::string, double>> out;
  double total = 0;
  std::size_t tasks = 0;
  for (const auto& one : scores) {
    if (!one.task.empty()) ++tasks;
    for (const auto& [name, value] : one.values)
      if (one.task.empty() || name == "loss") total += value;
  }
  out.emplace_back("total_loss", total);
  for (const auto& one : scores)
    for (const auto& [name, value] : one.values) {
      if (one.task.empty() || tasks == 1) out.emplace_back(name, value);
      if (!one.task.empty()) out.emplace_back(one.task + "." + name, value);
    }
  return out;
}

}  // namespace squall
