// Scores made of what was gathered over batches.
#pragma once

#include <cmath>

#include "squall/training/mask_parts.hpp"

namespace squall {

template <class D>
class GatheredScore : public DescribedAs<WeightScore, D, NoOptions> {
 public:
  Gathered gathers() const override { return D::kGathers; }
  std::vector<double> of(const ScoreInput& in) const override {
    std::vector<double> out(in.weights.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = D::score(in.weights[i], in.gathered[i]);
    return out;
  }
};

}  // namespace squall
