// Runs an experiment into a folder: experiment.json, metrics.jsonl, checkpoint.h5, best.h5, model.h5, report.json.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>

#include "squall/core/network.hpp"
#include "squall/tools/experiment_data.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

struct RunOptions {
  std::filesystem::path data;  // folder of data sets
  std::filesystem::path out;   // the run folder
  bool resume = false;
  const std::atomic<int>* interrupt = nullptr;
  TrainingObserver* observer = nullptr;                 // progress for people
  std::function<void(const std::string&)> detail = {};  // gets what --verbose shows; may be empty
};

struct RunResult {
  bool interrupted = false;
  json report;  // content of report.json; empty when interrupted
};

// How a network runs after its last pass: memory, and the plan of each layer.
std::string binding_details(const Network& network);

// Throws Error when something fails; what is in the folder from before stays usable.
RunResult run_experiment(const Experiment& experiment, const RunOptions& options, const Catalog& catalog,
                         std::shared_ptr<Handler> handler, int threads);

// Tasks as the trainer wants them, completed from the graph.
std::vector<Task> make_tasks(const ExperimentData::Tasks& tasks, const std::vector<std::string>& chosen,
                             const Graph& graph, const Catalog& catalog);

// "tasks" of report.json for a split: scores and density of each; tasks without that split are left out.
json score_tasks(Network& network, ExperimentData& data, std::span<const Task> tasks, std::string_view split,
                 const std::function<bool()>& should_stop = {});

// "aggregate" of report.json: how often the class with the largest sum of all tasks' outputs is right; null unless all
// tasks learn the classes of one data set.
json score_ensemble(Network& network, ExperimentData& data, const ExperimentData::Tasks& options,
                    std::span<const Task> tasks, std::string_view split);

}  // namespace squall
