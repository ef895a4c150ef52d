// A model file as a network that runs, with what it remembers of its experiment.
#pragma once

#include <filesystem>
#include <memory>

#include "squall/io/model_file.hpp"
#include "squall/tools/experiment_data.hpp"

namespace squall {

class SavedModel {
 public:
  SavedModel(const std::filesystem::path& path, const Catalog& catalog, std::shared_ptr<Handler> handler,
             const NetworkOptions& options = {});

  Network& network() { return *network_; }
  const json& description() const { return description_; }
  std::size_t bytes() const { return bytes_; }
  const TaskList& task_list() const { return tasks_; }
  std::vector<std::string> task_names() const;
  json epochs() const;  // task to epochs it was trained, where the file says so
  // Tasks completed; all when `chosen` is empty. Throws ConfigError naming those that exist.
  std::vector<Task> tasks(const std::string& chosen = "") const;
  // Its data sets in another folder.
  ExperimentData data(const std::filesystem::path& folder) const;
  // Its tasks on a data set of another reader.
  ExperimentData data(const std::filesystem::path& folder, const json& reader) const;

 private:
  const Catalog& catalog_;
  json description_;
  std::size_t bytes_ = 0;
  TaskList tasks_;
  std::unique_ptr<Network> network_;
};

// The description of a model that only knows one task of another one.
json description_for_task(const json& description, const std::string& task);

}  // namespace squall
