// The option `scale` of the fan-in initializers: the name of an activation or a number.
#pragma once

#include <cmath>

#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"

namespace squall {

struct DenseScaleOptions {
  json scale = "rel";
  static constexpr auto fields =
      std::tuple{field("scale", &DenseScaleOptions::scale,
                       "rel, tanh, sigmoid or linear, for the activation that follows; or a number")};
};

// The square of what rel, tanh, sigmoid (a quarter of it) and linear scale by differs between the initializers.
inline double dense_scale(const json& scale, double rel_square, double tanh_square) {
  if (scale.is_number()) return scale.get<double>();
  if (scale == "rel") return std::sqrt(rel_square);
  if (scale == "tanh") return std::sqrt(tanh_square);
  if (scale == "sigmoid") return 4 * std::sqrt(tanh_square);
  return 1;
}

inline void check_dense_scale(const json& scale, std::string_view where, Problems& problems) {
  const std::vector<std::string> names{"rel", "tanh", "sigmoid", "linear"};
  if (scale.is_number()) return;
  for (const auto& name : names)
    if (scale == name) return;
  problems.add(where, concat("option 'scale' should be a number or one of ", join(names), ", not ", scale.dump(),
                             scale.is_string() ? did_you_mean(scale.get<std::string>(), names) : std::string()));
}

}  // namespace squall
