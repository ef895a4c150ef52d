// A value that is reduced when what is watched does not get better for a while.
#pragma once

#include <algorithm>
#include <limits>

#include "squall/core/shape.hpp"

namespace squall {

struct PlateauOptions {
  bool smaller_is_better = true, relative = true;  // relative: the threshold is a share of the best
  double factor = 0.1, threshold = 1e-4, minimum = 0, least_change = 1e-8;
  Index patience = 10, cooldown = 0;
};

class Plateau {
 public:
  Plateau(double value, const PlateauOptions& options)
      : options_(options), value_(value), best_(options.smaller_is_better ? kInfinity : -kInfinity) {}

  double value() const { return value_; }
  // The next measurement; gives the value that holds from now on.
  double report(double measured) {
    const bool better = is_better(measured);
    if (better) best_ = measured;
    bad_ = better ? 0 : bad_ + 1;
    if (resting_ > 0) {
      --resting_;
      bad_ = 0;
    }
    if (bad_ <= options_.patience) return value_;
    const double lower = std::max(value_ * options_.factor, options_.minimum);
    if (value_ - lower > options_.least_change) value_ = lower;
    resting_ = options_.cooldown;
    bad_ = 0;
    return value_;
  }

  // What a continued run needs.
  struct State {
    double value = 0, best = 0;
    Index bad = 0, resting = 0;
  };
  State state() const { return {value_, best_, bad_, resting_}; }
  void set_state(const State& s) { value_ = s.value, best_ = s.best, bad_ = s.bad, resting_ = s.resting; }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  bool is_better(double v) const {
    const double share = options_.relative ? options_.threshold : 0, gap = options_.relative ? 0 : options_.threshold;
    return options_.smaller_is_better ? v < best_ * (1 - share) - gap : v > best_ * (1 + share) + gap;
  }
  PlateauOptions options_;
  double value_, best_;
  Index bad_ = 0, resting_ = 0;
};

}  // namespace squall
