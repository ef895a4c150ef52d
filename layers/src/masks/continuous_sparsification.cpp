// ContinuousSparsification: a sigmoid of scores that grows steeper.
#include <cmath>

#include "common/mask_rules.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

std::string ContinuousSparsification::problem() const {
  if (!(options.temperature >= 0) || !std::isfinite(options.temperature))
    return concat("option 'temperature' should not be negative, not ", options.temperature);
  return LearnedMask::problem();
}

void ContinuousSparsification::soft(Handler& handler, const Soft& s) const {
  expected(handler, s.scores, s.temperature, s.mask, s.derivative);
  if (options.straight_through) hard(handler, s.scores, s.mask);
}

void ContinuousSparsification::expected(Handler& handler, const ConstTensor& scores, double temperature,
                                        const Tensor& probability, const Tensor& derivative) const {
  auto& ops = handler.elementwise();
  ops.affine(scores, temperature, 0, probability);
  ops.activate(Activation::Sigmoid, probability, probability);
  ops.affine(probability, -1, 1, derivative);
  ops.binary(Binary::Multiply, derivative, probability, derivative);
  ops.affine(derivative, temperature, 0, derivative);
}

void ContinuousSparsification::hard(Handler& handler, const ConstTensor& scores, const Tensor& mask) const {
  handler.elementwise().unary(Unary::Sign, scores, mask);
  handler.elementwise().clip(mask, 0, 1, mask);
}

void register_continuous_sparsification(Catalog& catalog) {
  catalog.of<LearnedMask>().add<ContinuousSparsification>();
  catalog.of<LearnedMask>().alias("continuous_sparsification", "ContinuousSparsification");
}

}  // namespace squall
