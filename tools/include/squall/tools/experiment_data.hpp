// The data sets of an experiment as iterators for its tasks.
#pragma once

#include <map>
#include <memory>

#include "squall/io/reader.hpp"
#include "squall/tools/experiment.hpp"
#include "squall/training/iterators.hpp"

namespace squall {

class ExperimentData {
 public:
  using Tasks = TaskList;
  // Reads nothing yet; throws ConfigError for readers that cannot be made and FileError for files that are missing.
  ExperimentData(const json& data, Tasks tasks, const Catalog& catalog, std::filesystem::path folder,
                 std::uint64_t seed);

  // Mini-batches of these tasks side by side. Tasks that name one input get the same examples in it, which their data
  // sets must have; the sets differ in their targets.
  std::unique_ptr<DataIterator> training(const std::vector<std::string>& tasks, Index batch_size, bool shuffle,
                                         Mix mix);
  // In order, of all these tasks side by side; null when one has no such split.
  std::unique_ptr<DataIterator> scoring(const std::vector<std::string>& tasks, std::string_view split);
  // In order, for scores; null when a task has no such split.
  std::unique_ptr<DataIterator> scoring(const std::string& task, std::string_view split, Index batch_size = 500);
  const DataSet& set(const std::string& name);  // loads it
  // Throws DataError when targets of the task's examples in memory are not whole numbers below `classes`.
  void check_classes(const std::string& task, Index classes, const std::string& layer);
  std::string details() const;  // what was found so far: splits, examples, shapes

 private:
  const StoredSet* stored(const std::string& name);  // null: the set is read into memory
  std::unique_ptr<DataIterator> batches(const std::string& task, std::string_view split, Index batch_size, bool shuffle,
                                        const std::string& stream);  // null: the set has no such split
  std::shared_ptr<const DataSource> source(const std::string& task, std::string_view split);
  // The task that comes before this one and feeds the same input; the task itself if there is none.
  const std::string& feeder(const std::vector<std::string>& tasks, const std::string& task) const;
  // The batches that go with the feeder's: targets alone.
  std::unique_ptr<DataIterator> beside(const std::string& feeder, const std::string& task, std::string_view split,
                                       const MinibatchesOptions& options);
  const TaskOptions& task(std::string_view name) const;

  std::map<std::string, std::unique_ptr<Reader>> readers_;
  Tasks tasks_;
  const Catalog& catalog_;
  std::filesystem::path folder_;
  std::uint64_t seed_;
  std::map<std::string, DataSet> sets_;
  std::map<std::string, std::optional<StoredSet>> stored_;
  std::map<std::string, std::shared_ptr<const DataSource>> sources_;
};

}  // namespace squall
