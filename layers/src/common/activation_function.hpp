// The functions of the layer Activation: their names, formulas and numbers.
#pragma once

#include <optional>
#include <span>

#include "squall/core/contexts.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

enum class ActivationFunction : std::uint8_t {
  Relu,
  Relu6,
  LeakyRelu,
  Elu,
  Celu,
  Selu,
  Gelu,
  GeluTanh,
  Silu,
  Mish,
  Sigmoid,
  LogSigmoid,
  HardSigmoid,
  HardSwish,
  HardTanh,
  HardShrink,
  SoftShrink,
  SoftPlus,
  SoftSign,
  Tanh,
  TanhShrink,
  Exponential,
  Affine,
  Linear,
  Softmax,
  LogSoftmax
};
std::span<const EnumName<ActivationFunction>> enum_names(ActivationFunction);

struct ActivationNumbers {
  ActivationNumbers() = default;  // no aggregate, which g++ 12 warns about in derived ones
  std::optional<double> alpha, negative_slope, lambda, min_val, max_val, beta, threshold, slope, intercept;
};

// How a function is computed: as an activation from its output, as a curve from its input, or in a way of its own.
struct ActivationRule {
  ActivationFunction function = ActivationFunction::Linear;
  std::optional<Activation> activation = std::nullopt;
  std::optional<Curve> curve = std::nullopt;
  std::string_view a = {}, b = {};  // options that give its numbers
  CurveNumbers numbers = {};        // without them
};

// The rule with the numbers of these options. Fails for numbers that this function does not have, or outside of what
// makes sense.
ActivationRule activation_rule(const Declare& d, ActivationFunction function, const ActivationNumbers& given);

}  // namespace squall
