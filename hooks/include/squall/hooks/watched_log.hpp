// The log a hook judges by, and the refusal of one that nothing writes.
#pragma once

#include <optional>

#include "squall/training/trainer.hpp"

namespace squall {

// A log may come later than the hook that watches it: some are first written after an epoch, or by hooks that run
// seldom. It is missed once a whole epoch has passed and every hook that measures has had its turn since it was first
// looked for.
class WatchedLog {
 public:
  // Null when there is no such log yet; throws ConfigError, with the nearest name, when none will come.
  const std::vector<double>* find(const Trainer& trainer, const std::string& hook, const std::string& log);

 private:
  std::optional<Progress> since_;  // when it was first looked for in vain
};

}  // namespace squall
