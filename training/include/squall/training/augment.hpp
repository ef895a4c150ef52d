// Changes made to batches on their way to a network: noise, mirroring, cropping, encoding.
#pragma once

#include "squall/core/batch.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/random.hpp"
#include "squall/training/data_iterator.hpp"

namespace squall {

class Augment : public Describable {
 public:
  static constexpr std::string_view kFamily = "iterator";
  // Turns the fields that come in into those that go out; throws ConfigError when they do not fit. Called once, first.
  virtual void plan(std::vector<DataField>& fields) = 0;
  // Changes a batch in place. Draws depend on `rng` only.
  virtual void apply(Batch& batch, Rng& rng) = 0;
};

}  // namespace squall
