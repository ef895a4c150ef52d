// Scores of predictions against targets, additive over batches: a sum and a weight.
#pragma once

#include "squall/core/catalog.hpp"
#include "squall/core/host_array.hpp"
#include "squall/core/json.hpp"

namespace squall {

struct ScoreSum {
  double sum = 0, weight = 0;
  double value() const { return weight > 0 ? sum / weight : 0; }
};

class Scorer : public Describable {
 public:
  static constexpr std::string_view kFamily = "scorer";
  // Both on the host, first axes (T, B, ...). Targets are class indices (last axis 1) or values.
  // `mask` (T, B, 1) may be empty.
  virtual void add(const HostArray& predicted, const HostArray& targets, const HostArray& mask,
                   ScoreSum& sum) const = 0;
  virtual std::string score_name() const = 0;  // "accuracy"
  virtual bool larger_is_better() const = 0;
};

}  // namespace squall
