#include "support/monitor.hpp"

#include <algorithm>

namespace squall {

std::vector<Task> monitored_tasks(const Trainer& trainer, const DataIterator& data) {
  std::vector<Task> tasks;
  for (const auto& task : trainer.tasks()) {
    const auto needed = needed_inputs(task_heads({&task, 1}, trainer.network().graph()), trainer.network().graph());
    const bool served = std::ranges::all_of(needed, [&](const auto& name) {
      return std::ranges::any_of(data.fields(), [&](const auto& f) { return f.name == name; });
    });
    if (served) tasks.push_back(task);
  }
  return tasks;
}

DataIterator& monitored_data(const Trainer& trainer, const std::string& iterator) {
  DataIterator* data = trainer.iterator(iterator);
  const bool validation = trainer.iterator("validation") != nullptr;
  if (data == nullptr)
    raise<ConfigError>("there is no data '", iterator, "' to monitor",
                       validation ? did_you_mean(iterator, std::vector<std::string>{"validation"}) : "",
                       validation ? "; there is: validation"
                                  : "; option 'validation' of a data set (data.NAME.validation) sets some aside");
  if (!trainer.tasks().empty() && monitored_tasks(trainer, *data).empty())
    raise<ConfigError>("the data '", iterator, "' has not the fields that any of the tasks needs");
  return *data;
}

void monitor(Trainer& trainer, DataIterator& data, std::span<const Task> tasks, const std::string& prefix) {
  for (const auto& [path, value] : score_paths(evaluate(trainer.network(), data, tasks)))
    trainer.log(prefix + "." + path, value);
}

}  // namespace squall
