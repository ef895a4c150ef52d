// HardConcrete: gates that are exactly 0 or 1 with some probability, and differentiable in between.
#include <algorithm>
#include <cmath>

#include "common/mask_rules.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

namespace {

constexpr double kEdge = 1e-4;  // noise and shares keep away from 0 and 1

// The score at which the mean gate is 1/2; exactly 0 for a symmetric stretch.
double binarising_score(const HardConcreteOptions& o) {
  const double score = std::log((0.5 - o.left_stretch) / (o.right_stretch - 0.5));
  return std::abs(score) < 1e-12 ? 0 : score;
}

}  // namespace

std::string HardConcrete::problem() const {
  if (!(options.mask_init_percentage >= 0 && options.mask_init_percentage <= 1))
    return concat("option 'mask_init_percentage' should be from 0 to 1, not ", options.mask_init_percentage);
  if (!(options.temperature > 0) || !std::isfinite(options.temperature))
    return concat("option 'temperature' should be positive, not ", options.temperature);
  if (!(options.left_stretch < 0) || !(options.right_stretch > 1))
    return concat("options 'left_stretch' and 'right_stretch' should be below 0 and above 1, not ",
                  options.left_stretch, " and ", options.right_stretch);
  return LearnedMask::problem();
}

double HardConcrete::initial_score() const {
  const double p = std::clamp(options.mask_init_percentage, kEdge, 1 - kEdge);
  return std::log(p / (1 - p));
}

void HardConcrete::soft(Handler& handler, const Soft& s) const {
  auto& ops = handler.elementwise();
  const double width = options.right_stretch - options.left_stretch;
  ops.clip(s.noise, kEdge, 1 - kEdge, s.derivative);
  ops.unary(Unary::Log, s.derivative, s.mask);
  ops.affine(s.derivative, -1, 1, s.derivative);
  ops.unary(Unary::Log, s.derivative, s.derivative);
  ops.binary(Binary::Subtract, s.mask, s.derivative, s.mask);
  ops.binary(Binary::Add, s.mask, s.scores, s.mask);
  ops.affine(s.mask, 1 / s.temperature, 0, s.mask);
  ops.activate(Activation::Sigmoid, s.mask, s.mask);
  ops.affine(s.mask, -1, 1, s.derivative);
  ops.binary(Binary::Multiply, s.derivative, s.mask, s.derivative);
  ops.affine(s.derivative, width / s.temperature, 0, s.derivative);
  ops.affine(s.mask, width, options.left_stretch, s.mask);
  ops.clip(s.mask, 0, 1, s.noise);
  ops.binary(Binary::Subtract, s.mask, s.noise, s.mask);  // not 0 where it was clipped
  ops.fill_if(0, s.mask, s.derivative);
  handler.elementwise().unary(Unary::Copy, s.noise, s.mask);
  if (options.straight_through) hard(handler, s.scores, s.mask);
}

// Probability that the gate is not 0.
void HardConcrete::expected(Handler& handler, const ConstTensor& scores, double temperature, const Tensor& probability,
                            const Tensor& derivative) const {
  auto& ops = handler.elementwise();
  ops.affine(scores, 1, -temperature * std::log(-options.left_stretch / options.right_stretch), probability);
  ops.activate(Activation::Sigmoid, probability, probability);
  ops.affine(probability, -1, 1, derivative);
  ops.binary(Binary::Multiply, derivative, probability, derivative);
}

void HardConcrete::hard(Handler& handler, const ConstTensor& scores, const Tensor& mask) const {
  auto& ops = handler.elementwise();
  ops.affine(scores, 1, -binarising_score(options), mask);
  ops.unary(Unary::Sign, mask, mask);
  ops.clip(mask, 0, 1, mask);
}

void HardConcrete::evaluated(Handler& handler, const ConstTensor& scores, const Tensor& mask) const {
  if (!options.soft_eval) return hard(handler, scores, mask);
  auto& ops = handler.elementwise();
  ops.activate(Activation::Sigmoid, scores, mask);
  ops.affine(mask, options.right_stretch - options.left_stretch, options.left_stretch, mask);
  ops.clip(mask, 0, 1, mask);
}

void register_hard_concrete(Catalog& catalog) {
  catalog.of<LearnedMask>().add<HardConcrete>();
  catalog.of<LearnedMask>().alias("hard_concrete", "HardConcrete");
}

}  // namespace squall
