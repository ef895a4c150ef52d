// Sizes of weights as initializers see them: the first axis is the output, the others are the input.
#pragma once

#include "squall/core/catalog.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

template <class... Parts>
[[noreturn]] void unsuited(std::string_view initializer, const ParameterContext& p, const Parts&... parts) {
  raise<InitializationError>(initializer, " needs ", parts..., "; ", p.layer, ".", p.name, " is ", p.shape);
}

inline void need_matrix(std::string_view initializer, const ParameterContext& p) {
  if (p.shape.rank() < 2) unsuited(initializer, p, "a parameter with two or more axes");
}

struct Fans {
  Index in = 1, out = 1;
};

// Of (out, in), and of filters (out, height, width, in), where every place of the window counts on both sides.
inline Fans fans_of(std::string_view initializer, const ParameterContext& p) {
  need_matrix(initializer, p);
  Index window = 1;
  for (int axis = 1; axis < p.shape.rank() - 1; ++axis) window *= p.shape[axis];
  return {p.shape[-1] * window, p.shape[0] * window};
}

inline void fill_uniform(std::span<double> values, double low, double high, Rng& rng) {
  for (double& v : values) v = rng.uniform(low, high);
}
inline void fill_normal(std::span<double> values, double mean, double deviation, Rng& rng) {
  for (double& v : values) v = mean + deviation * rng.normal();
}

}  // namespace squall
