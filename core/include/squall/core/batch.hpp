// Named arrays that go into a network together.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "squall/core/host_array.hpp"

namespace squall {

struct Batch {
  std::vector<std::pair<std::string, HostArray>> fields;  // Input output -> (T, B, features...)
  const HostArray* find(std::string_view name) const {
    for (const auto& f : fields)
      if (f.first == name) return &f.second;
    return nullptr;
  }
};

}  // namespace squall
