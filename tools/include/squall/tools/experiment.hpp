// An experiment: one JSON file with network, data, tasks, masks and training (docs/commands/train.md).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "squall/core/architecture.hpp"
#include "squall/training/hook.hpp"
#include "squall/training/rsn2.hpp"
#include "squall/training/stepper.hpp"
#include "squall/training/task.hpp"

namespace squall {

struct TaskOptions {
  std::string data, input, targets, loss, output;
  json scorers = json::array({"Accuracy"});
  static constexpr auto fields = std::tuple{
      field("data", &TaskOptions::data, "name of the data section"),
      field("input", &TaskOptions::input, "output of Input that gets the examples; default: the task's name"),
      field("targets", &TaskOptions::targets, "output of Input that gets the targets; default: NAME_targets"),
      field("loss", &TaskOptions::loss, "its Loss layer; may be absent where only one is reached"),
      field("output", &TaskOptions::output, "LAYER.OUTPUT that is scored"),
      field("scorers", &TaskOptions::scorers, "list of scorers, by name or as objects")};
};

struct CheckpointOptions {
  Index interval = 1, keep = 1;
  static constexpr auto fields = std::tuple{
      field("interval", &CheckpointOptions::interval, "epochs between checkpoints; 0: only when interrupted"),
      field("keep", &CheckpointOptions::keep, "how many are kept: checkpoint.h5, checkpoint.1.h5, ...")};
};

struct StageOptions {
  json stepper = {{"@type", "Sgd"}};
  Index batch_size = 100, max_epochs = 0, truncate = 0;
  bool shuffle = true;
  json hooks = json::array();
  json weight_modifiers, gradient_modifiers;
  std::string mix = "cycle", sparse = "auto";
  std::vector<std::string> tasks;
  json checkpoint = json::object();
  std::vector<std::string> frozen;
  json iterative;  // IterativeStage; null: all tasks together, masks as they are
  static constexpr auto fields = std::tuple{
      field("stepper", &StageOptions::stepper, "how parameters are updated"),
      field("batch_size", &StageOptions::batch_size, "examples per update and task"),
      field("max_epochs", &StageOptions::max_epochs, "stop after so many; 0: hooks must stop"),
      field("shuffle", &StageOptions::shuffle, "new order of examples in each epoch"),
      field("hooks", &StageOptions::hooks, "list of hooks, or object of named ones"),
      field("weight_modifiers", &StageOptions::weight_modifiers, "patterns to modifiers of weights, after each update"),
      field("gradient_modifiers", &StageOptions::gradient_modifiers, "patterns to modifiers of gradients"),
      field("truncate", &StageOptions::truncate,
            "time steps per update; each batch of sequences is trained in such pieces, contexts carried; 0: whole"),
      field("mix", &StageOptions::mix, "tasks of unequal size: cycle or shortest"),
      field("sparse", &StageOptions::sparse,
            "auto: of weights with fixed masks only the kept ones are stored and computed where that is faster; off"),
      field("tasks", &StageOptions::tasks, "tasks trained in this stage; default: all"),
      field("checkpoint", &StageOptions::checkpoint, "interval and number of checkpoints"),
      field("frozen", &StageOptions::frozen,
            "names or patterns of layers whose parameters and statistics stay as they are"),
      field("iterative", &StageOptions::iterative,
            "tasks one after another: each trained in weights that nobody owns and pruned step by step")};
};

using TaskList = std::vector<std::pair<std::string, TaskOptions>>;
// The "tasks" of an experiment (or, when absent and there is one data set, its only one) with their defaults filled in.
TaskList read_tasks(const json& experiment, Problems& problems);

struct Experiment {
  json source;                   // the whole, after --set and --seed
  std::filesystem::path folder;  // of the file: relative paths start here
  Architecture architecture;
  json initialize;
  std::string init_from;
  json data = json::object();  // name -> reader
  TaskList tasks;
  std::optional<Rsn2> sparsify;
  std::vector<StageOptions> stages;
  std::uint64_t seed = 1;

  const TaskOptions& task(std::string_view name) const;
  std::filesystem::path init_file() const;  // where init_from lies
};

// The experiment as it runs: every option that was left out stands there with its default, and the seed.
json effective(const Experiment& experiment, const Catalog& catalog);

// The JSON of an experiment file. With "extends": "other.json" it is that file's with what stands beside changed:
// objects are merged, null takes a key away, everything else replaces. Names of files go by the file they stand in.
json read_document(const std::filesystem::path& file);

// Changes one value: "train.stepper.learning_rate=0.01"; numbers index lists; the value is JSON or else a text.
void set_value(json& document, std::string_view assignment);

// Files that are looked for while an experiment is checked, so that missing ones are told with everything else.
struct FileChecks {
  bool init_from = false;
  std::optional<std::filesystem::path> data;  // folder of the data sets
};

// Reads, applies `sets` and the seed, and checks everything that can be checked without reading data; throws
// ConfigError with every problem and its JSON path. Tasks have their loss and output afterwards.
Experiment read_experiment(const std::filesystem::path& file, const std::vector<std::string>& sets,
                           std::optional<std::uint64_t> seed, const Catalog& catalog, const FileChecks& files = {});
Experiment parse_experiment(json document, const std::filesystem::path& folder, std::string_view name,
                            const Catalog& catalog, const FileChecks& files = {});

}  // namespace squall
