#include "common/criterion_layer.hpp"

#include "squall/core/ops/linalg.hpp"

namespace squall {

std::span<const EnumName<Reduction>> enum_names(Reduction) {
  static constexpr std::array<EnumName<Reduction>, 3> kNames{
      {{"none", Reduction::None}, {"mean", Reduction::Mean}, {"sum", Reduction::Sum}}};
  return kNames;
}

Reducer::How Reducer::of(Reduction r) {
  return r == Reduction::None ? How::None : r == Reduction::Mean ? How::Mean : How::Sum;
}

void Reducer::declare(Declare& d, How how, const BufferShape& examples, In first) {
  how_ = how;
  first_ = first;
  BufferShape one;
  one.features = Shape{1};
  loss_ = d.output("loss", how == How::None ? examples : one);
  if (how == How::None) return;
  losses_ = d.internal("losses", examples, {.life = Life::Forward});
  deltas_ = d.internal("deltas", examples, {.life = Life::Backward});
  if (how != How::WeightedMean) return;
  shares_ = d.internal("shares", examples, {.life = Life::Forward});
  total_ = d.internal("total", one);
}

double Reducer::divisor(const Pass& p, Index losses) const {
  if (how_ == How::Mean) return static_cast<double>(losses);
  return how_ == How::BatchMean ? static_cast<double>(p.batch(first_)) : 1.0;
}

void Reducer::forward(Forward& f) const {
  if (how_ == How::None) return;
  auto& linalg = f.handler().linalg();
  auto& elementwise = f.handler().elementwise();
  linalg.sum_all(f[losses_], f[loss_]);
  if (how_ == How::WeightedMean) {
    linalg.sum_all(f[shares_], f[total_]);
    elementwise.binary(Binary::Divide, f[loss_], f[total_], f[loss_]);
  } else if (how_ != How::Sum) {
    elementwise.affine(f[loss_], 1.0 / divisor(f, f[losses_].elements()), 0.0, f[loss_]);
  }
}

Tensor Reducer::backward(Backward& b) const {
  const Tensor dloss = b.delta(loss_);
  if (how_ == How::None) return dloss;
  auto& elementwise = b.handler().elementwise();
  const Tensor deltas = b[deltas_];
  if (how_ == How::WeightedMean)
    elementwise.binary(Binary::Divide, dloss, b[total_], dloss);
  else if (how_ != How::Sum)
    elementwise.affine(dloss, 1.0 / divisor(b, deltas.elements()), 0.0, dloss);
  b.handler().linalg().broadcast(dloss, 0, deltas.reshaped(Shape{deltas.elements()}));
  return deltas;
}

void require_weights(const Declare& d, std::string_view option, const std::vector<double>& weights, In x) {
  if (!weights.empty() && static_cast<Index>(weights.size()) != d.features(x)[-1])
    d.fail("option '", option, "' has ", weights.size(), " numbers, but should have one for each of the ",
           d.features(x)[-1], " entries of the last axis of 'default' ", d.shape(x));
}

BufferShape one_per_row(const Declare& d, In x) { return d.like(x, d.features(x).with_last(1)); }

void require_one_per_row(const Declare& d, std::string_view name, In targets, std::string_view x_name, In x) {
  const BufferShape one = one_per_row(d, x);
  if (d.shape(targets) != one)
    d.fail("input '", name, "' should be ", one, " (one number for each row of '", x_name, "' ", d.shape(x),
           "), but is ", d.shape(targets));
}

}  // namespace squall
