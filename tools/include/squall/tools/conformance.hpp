// Replays recordings of other systems and compares.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "squall/core/catalog.hpp"
#include "squall/core/handler.hpp"

namespace squall {

struct ConformanceResult {
  enum class State : std::uint8_t { Passed, Failed, NotApplicable };
  State state = State::Failed;
  std::string name, message;  // message: what, where, expected, got
  double worst = 0;           // largest error, in units in which the tolerance is stated
};

// The kind of a recording is recognised from its content. Never throws for a bad file: that is a failure.
ConformanceResult replay(const std::filesystem::path& file, const Catalog& catalog,
                         const std::shared_ptr<Handler>& handler);

}  // namespace squall
