// The ladders of train_model_iteratively: ours, and the original's with its oddities.
#include "squall/training/train_iteratively.hpp"

#include <algorithm>

#include "masks/fit.hpp"
#include "masks/ladder.hpp"
#include "squall/training/forget_masked.hpp"

namespace squall {

namespace {

std::vector<Task> names_of(const std::vector<IterativeTask>& tasks) {
  std::vector<Task> out;
  for (const auto& t : tasks) out.push_back(t.task);
  return out;
}

template <class T>
void check_list(const char* what, const std::vector<T>& list, std::size_t tasks) {
  if (list.size() != 1 && list.size() != tasks)
    raise<ConfigError>("train_model_iteratively: ", what, " should be one number or one for each of ", tasks,
                       " tasks, not ", list.size());
}

void check(const std::vector<IterativeTask>& tasks, const IterativeOptions& o) {
  if (tasks.empty()) raise<ConfigError>("train_model_iteratively: there are no tasks");
  for (const auto& t : tasks)
    if (t.training == nullptr || t.validation == nullptr || t.training->batches() < 1 || t.validation->batches() < 1)
      raise<ConfigError>("train_model_iteratively: task '", t.task.name, "' has no ",
                         t.training == nullptr || t.training->batches() < 1 ? "training" : "validation",
                         " data; give each task both");
  check_list("starting_pruning", o.starting_pruning, tasks.size());
  check_list("pruning_rate", o.pruning_rate, tasks.size());
  check_list("max_epochs", o.max_epochs, tasks.size());
  const auto percent = [](double p) { return p >= 0 && p <= 100; };
  if (!std::ranges::all_of(o.starting_pruning, percent) || !percent(o.max_pruning))
    raise<ConfigError>("train_model_iteratively: starting_pruning and max_pruning are percentages, 0 to 100");
  if (!std::ranges::all_of(o.pruning_rate, [](double r) { return r > 0; }))
    raise<ConfigError>("train_model_iteratively: pruning_rate should be above 0");
  if (o.patience < 1) raise<ConfigError>("train_model_iteratively: patience should be at least 1");
  if (!o.compat.empty() && o.compat != "beyondml")
    raise<ConfigError>("train_model_iteratively: compat should be \"beyondml\" or left out, not \"", o.compat, "\"");
}

void check(const std::vector<IterativeTask>& tasks, const std::vector<TaskReport>& finished) {
  for (std::size_t t = 0; t < finished.size(); ++t)
    if (t >= tasks.size() || tasks[t].task.name != finished[t].task)
      raise<ConfigError>("train_model_iteratively: task '", finished[t].task,
                         "' is finished, but is not the one that was to come there; keep the order of tasks");
}

}  // namespace

IterativeReport train_model_iteratively(Network& network, std::vector<IterativeTask> tasks,
                                        const IterativeOptions& options, const IterativeStart& start) {
  check(tasks, options);
  check(tasks, start.finished);
  for (const auto& e : network.store().entries())
    if (!e.read.empty())
      raise<ConfigError>("train_model_iteratively: tasks of ", network.graph().node(e.node).name,
                         " read weights that others own, which masks that are chosen anew would take from them; "
                         "add tasks with Rsn2 instead");
  for (auto& t : tasks) complete_task(t.task, network.graph());
  unpack_masks(network);
  IterativeReport report;
  masks::Ladder ladder(network, tasks, options);
  report.tasks = start.finished;
  ladder.go_on_after(start.finished);
  try {
    for (std::size_t t = report.tasks.size(); t < tasks.size(); ++t) {
      report.tasks.push_back(options.compat.empty() ? ladder.climb(t) : ladder.climb_literally(t));
      if (start.task_done) start.task_done(report.tasks);
    }
  } catch (const masks::Stopped&) {
    report.interrupted = true;
    return report;
  }
  if (options.compat.empty()) pack_masks(network);
  report.masks = report_masks(network, names_of(tasks));
  return report;
}

}  // namespace squall
