// What the hooks share that measure on other data than what is trained on.
#pragma once

#include "squall/training/trainer.hpp"

namespace squall {

// The named iterator of this train(); throws ConfigError when it was not given or serves none of the tasks.
DataIterator& monitored_data(const Trainer& trainer, const std::string& iterator);

// Tasks whose data is among the fields of the iterator.
std::vector<Task> monitored_tasks(const Trainer& trainer, const DataIterator& data);

// Evaluates and logs everything under PREFIX.
void monitor(Trainer& trainer, DataIterator& data, std::span<const Task> tasks, const std::string& prefix);

}  // namespace squall
