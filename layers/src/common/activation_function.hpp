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

// The options of the layer Activation and of its gradient.
struct ActivationLayerOptions : ActivationNumbers {
  ActivationFunction function = ActivationFunction::Relu;
  static constexpr auto fields = std::tuple{
      field("function", &ActivationLayerOptions::function,
            "relu, relu6, leaky_relu, elu, celu, selu, gelu, gelu_tanh, silu, mish, sigmoid, logsigmoid, "
            "hardsigmoid, hardswish, hardtanh, hardshrink, softshrink, softplus, softsign, tanh, "
            "tanhshrink, exponential, affine, linear, softmax or logsoftmax"),
      field("alpha", &ActivationNumbers::alpha, "of elu and celu: what they fall to; default: 1"),
      field("negative_slope", &ActivationNumbers::negative_slope, "of leaky_relu; default: 0.01"),
      field("lambda", &ActivationNumbers::lambda, "of hardshrink and softshrink; default: 0.5"),
      field("min_val", &ActivationNumbers::min_val, "of hardtanh; default: -1"),
      field("max_val", &ActivationNumbers::max_val, "of hardtanh; default: 1"),
      field("beta", &ActivationNumbers::beta, "of softplus; default: 1"),
      field("threshold", &ActivationNumbers::threshold, "of softplus: it is linear where beta x is above; default: 20"),
      field("slope", &ActivationNumbers::slope, "of hardsigmoid (default: 1/6) and affine (default: 1)"),
      field("intercept", &ActivationNumbers::intercept, "of affine; default: 0")};
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
