#include "common/activation_function.hpp"

#include <algorithm>
#include <array>

namespace squall {

namespace {

using F = ActivationFunction;
constexpr double kSixth = 1.0F / 6.0F;  // PyTorch's derivative is of single precision, whatever the numbers are

const std::array<ActivationRule, 24> kRules{{
    {F::Relu, Activation::Rel},
    {F::Sigmoid, Activation::Sigmoid},
    {F::Tanh, Activation::Tanh},
    {F::Linear, Activation::Linear},
    {F::Relu6, {}, Curve::HardTanh, {}, {}, {0, 6}},
    {F::LeakyRelu, {}, Curve::LeakyRelu, "negative_slope", {}, {0.01, 0}},
    {F::Elu, {}, Curve::Elu, "alpha", {}, {1, 1}},
    {F::Celu, {}, Curve::Celu, "alpha", {}, {1, 0}},
    {F::Selu, {}, Curve::Elu, {}, {}, {1.6732632423543772848170429916717, 1.0507009873554804934193349852946}},
    {F::Gelu, {}, Curve::Gelu},
    {F::GeluTanh, {}, Curve::GeluTanh},
    {F::Silu, {}, Curve::Silu},
    {F::Mish, {}, Curve::Mish},
    {F::LogSigmoid, {}, Curve::LogSigmoid},
    {F::HardSigmoid, {}, Curve::HardSigmoid, "slope", {}, {1.0 / 6.0, kSixth}},
    {F::HardSwish, {}, Curve::HardSwish},
    {F::HardTanh, {}, Curve::HardTanh, "min_val", "max_val", {-1, 1}},
    {F::HardShrink, {}, Curve::HardShrink, "lambda", {}, {0.5, 0}},
    {F::SoftShrink, {}, Curve::SoftShrink, "lambda", {}, {0.5, 0}},
    {F::SoftPlus, {}, Curve::SoftPlus, "beta", "threshold", {1, 20}},
    {F::SoftSign, {}, Curve::SoftSign},
    {F::TanhShrink, {}, Curve::TanhShrink},
    {F::Exponential, {}, Curve::Exponential},
    {F::Affine, {}, {}, "slope", "intercept", {1, 0}},
}};

struct Number {
  std::string_view name;
  std::optional<double> ActivationNumbers::*member;
};
constexpr std::array<Number, 9> kNumbers{{{"alpha", &ActivationNumbers::alpha},
                                          {"negative_slope", &ActivationNumbers::negative_slope},
                                          {"lambda", &ActivationNumbers::lambda},
                                          {"min_val", &ActivationNumbers::min_val},
                                          {"max_val", &ActivationNumbers::max_val},
                                          {"beta", &ActivationNumbers::beta},
                                          {"threshold", &ActivationNumbers::threshold},
                                          {"slope", &ActivationNumbers::slope},
                                          {"intercept", &ActivationNumbers::intercept}}};

void check(const Declare& d, const ActivationRule& r) {
  const CurveNumbers& n = r.numbers;
  if ((r.function == F::Celu || r.function == F::SoftPlus) && !(n.a > 0))
    d.fail("option '", r.a, "' should be above 0, not ", n.a);
  if ((r.function == F::HardShrink || r.function == F::SoftShrink) && !(n.a >= 0))
    d.fail("option 'lambda' should not be below 0, but is ", n.a);
  if (r.function == F::HardTanh && !(n.a < n.b))
    d.fail("option 'min_val' should be below 'max_val', but they are ", n.a, " and ", n.b);
}

}  // namespace

std::span<const EnumName<ActivationFunction>> enum_names(ActivationFunction) {
  static constexpr std::array<EnumName<F>, 27> kNames{{{"relu", F::Relu},
                                                       {"relu6", F::Relu6},
                                                       {"leaky_relu", F::LeakyRelu},
                                                       {"elu", F::Elu},
                                                       {"celu", F::Celu},
                                                       {"selu", F::Selu},
                                                       {"gelu", F::Gelu},
                                                       {"gelu_tanh", F::GeluTanh},
                                                       {"silu", F::Silu},
                                                       {"swish", F::Silu},
                                                       {"mish", F::Mish},
                                                       {"sigmoid", F::Sigmoid},
                                                       {"logsigmoid", F::LogSigmoid},
                                                       {"hardsigmoid", F::HardSigmoid},
                                                       {"hardswish", F::HardSwish},
                                                       {"hardtanh", F::HardTanh},
                                                       {"hardshrink", F::HardShrink},
                                                       {"softshrink", F::SoftShrink},
                                                       {"softplus", F::SoftPlus},
                                                       {"softsign", F::SoftSign},
                                                       {"tanh", F::Tanh},
                                                       {"tanhshrink", F::TanhShrink},
                                                       {"exponential", F::Exponential},
                                                       {"affine", F::Affine},
                                                       {"linear", F::Linear},
                                                       {"softmax", F::Softmax},
                                                       {"logsoftmax", F::LogSoftmax}}};
  return kNames;
}

ActivationRule activation_rule(const Declare& d, ActivationFunction function, const ActivationNumbers& given) {
  ActivationRule rule;
  rule.function = function;
  const auto found = std::ranges::find(kRules, function, &ActivationRule::function);
  if (found != kRules.end()) rule = *found;
  for (const Number& number : kNumbers) {
    const std::optional<double> value = given.*(number.member);
    if (!value) continue;
    if (number.name == rule.a)
      rule.numbers.a = *value;
    else if (number.name == rule.b)
      rule.numbers.b = *value;
    else
      d.fail("option '", number.name, "' means nothing to ", enum_name(function), "; remove it");
  }
  if (function == F::HardSigmoid && given.slope) rule.numbers.b = rule.numbers.a;
  check(d, rule);
  return rule;
}

}  // namespace squall
