// A registered kind of pass with its bindings, newest use last.
#pragma once

#include "squall/core/network.hpp"

namespace squall {

struct Network::PassState {
  std::shared_ptr<const PassPlan> plan;
  struct Bound {
    std::unique_ptr<Binding> binding;
    std::uint64_t arena_generation = 0;
    std::uint64_t last_use = 0;
  };
  std::vector<Bound> bound;
  std::vector<ParameterStore::Trainable> trainable;
  bool trainable_known = false;
  std::unique_ptr<ContextStore> contexts;
};

}  // namespace squall
