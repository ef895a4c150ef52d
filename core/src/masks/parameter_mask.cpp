#include "squall/core/parameter_mask.hpp"

#include <algorithm>
#include <cmath>

#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/random.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index round_up(Index n) { return (n + 63) / 64 * 64; }
// Buffers with one element for each score.
enum : int { kMask, kDerivative, kNoise, kExpected, kExpectedDerivative, kBuffers };

// Inputs of one unit: of the first weight of the node for a bias.
Index fan_in_of(const Node& node, const ParameterInfo& info) {
  const auto inputs = [](const ParameterInfo& w) {
    const Shape slice = w.task_axis ? w.shape.from(1) : w.shape;
    return std::max<Index>(1, slice.elements() / std::max<Index>(1, slice[0]));
  };
  if (!info.bias) return inputs(info);
  for (int k = 0; k < static_cast<int>(node.parameters.size()); ++k)
    if (is_weight(node, k)) return inputs(node.parameters[at(k)]);
  return 1;
}

}  // namespace

ParameterMask::ParameterMask(const Node& node, int slot, Handler& handler, ParameterMask* leader)
    : handler_(handler),
      rule_(*node.parameters[at(slot)].mask),
      leader_(leader),
      layer_(node.name),
      name_(node.parameters[at(slot)].name),
      shape_(node.parameters[at(slot)].shape),
      ablation_(rule_.common().ablation),
      use_(rule_.common().use_masks),
      temperature_(rule_.temperature()) {
  const ParameterInfo& info = node.parameters[at(slot)];
  bias_ = info.bias;
  fan_in_ = fan_in_of(node, info);
  slices_ = info.task_axis ? info.shape[0] : 1;
  elements_ = shape_.elements();
  units_ = elements_;
  if (info.scores >= 0) {
    const ParameterInfo& scores = node.parameters[at(info.scores)];
    scores_frozen_ = scores.frozen;
    units_ = scores.shape.elements();
  }
  per_unit_ = units_ > 0 ? elements_ / units_ : 1;
  const Index all = 2 * round_up(elements_) + kBuffers * round_up(units_) + 64;
  block_ = DeviceBlock(handler_.memory(), at(all) * size_of(handler_.dtype()));
  handler_.memory().zero(Tensor(block_.data(), handler_.dtype(), Shape{all}));
  const auto part = [&](Index offset, const Shape& shape) {
    return Tensor(block_.data() + at(offset) * size_of(handler_.dtype()), handler_.dtype(), shape);
  };
  effective_ = part(0, shape_);
  scratch_ = part(round_up(elements_), shape_);
  l0_sum_ = part(2 * round_up(elements_) + kBuffers * round_up(units_), Shape{1});
}

Tensor ParameterMask::units(int buffer) const {
  const Index offset = 2 * round_up(elements_) + buffer * round_up(units_);
  return {block_.data() + at(offset) * size_of(handler_.dtype()), handler_.dtype(), Shape{units_}};
}

void ParameterMask::set_ablation(Ablation a) {
  dirty_ = dirty_ || a != ablation_;
  ablation_ = a;
}
void ParameterMask::set_use_masks(bool use) {
  dirty_ = dirty_ || use != use_;
  use_ = use;
}
void ParameterMask::set_temperature(double t) {
  if (!(t >= 0) || !std::isfinite(t)) raise<ConfigError>("a temperature should not be negative, not ", t);
  temperature_ = t;
}
void ParameterMask::resample() {
  ++draws_;
  sampled_mode_.reset();
  random_known_ = sample_given_ = random_given_ = false;
  dirty_ = true;
}
void ParameterMask::take_settings(const ParameterMask& other) {
  ablation_ = other.ablation_;
  use_ = other.use_;
  temperature_ = other.temperature_;
  draws_ = other.draws_;
  given_noise_ = other.given_noise_;
  sample_ = other.sample_;
  sample_given_ = other.sample_given_;
  dirty_ = true;
}
void ParameterMask::give_sample(const HostArray& sample) {
  sample_given_ = !sample.empty();
  sample_.assign(at(units_), 0);
  if (sample_given_) {
    SQUALL_CHECK(sample.elements() == units_, "the mask of ", path(), " has ", units_, " scores, not ",
                 sample.elements());
    for (Index i = 0; i < units_; ++i) sample_[at(i)] = sample.value(i) != 0 ? 1 : 0;
  }
  sampled_mode_.reset();
  dirty_ = true;
}
void ParameterMask::give_random(const HostArray& values) {
  random_given_ = !values.empty();
  random_known_ = false;
  dirty_ = true;
  if (!random_given_) return;
  SQUALL_CHECK(values.elements() == elements_, path(), " has ", elements_, " values, not ", values.elements());
  random_block_ = DeviceBlock(handler_.memory(), at(elements_) * size_of(handler_.dtype()));
  handler_.memory().upload(values.reshaped(shape_).view(), Tensor(random_block_.data(), handler_.dtype(), shape_));
  random_known_ = true;
}

void ParameterMask::prepare(const ConstTensor& values, const ConstTensor& scores, const MaskMoment& m) {
  const bool soft = soft_in(m);
  if (soft && ablation_ != Ablation::None)
    raise<ConfigError>("the mask of ", path(), " cannot ablate (", enum_name(ablation_),
                       ") while its scores are trained; set ablation to none, or freeze_scores");
  trained_ = m.training;
  if (!soft && !soft_ && !dirty_ && !m.changed) return;
  soft_ = soft;
  dirty_ = false;
  if (leader_ != nullptr)
    follow_leader(m);
  else if (soft)
    make_soft(scores, m);
  else
    make_hard(values, scores, m);
  if (use_)
    apply(values);
  else
    handler_.memory().copy(values, effective_);
}

std::uint64_t ParameterMask::noise_key(std::uint64_t seed) {
  if (noise_seed_ != seed) noise_key_ = stream_key(seed, path() + "/noise");
  noise_seed_ = seed;
  return noise_key_;
}

void ParameterMask::make_soft(const ConstTensor& scores, const MaskMoment& m) {
  const ConstTensor flat = scores.reshaped(Shape{units_});
  if (!given_noise_.empty())
    handler_.memory().upload(given_noise_.reshaped(Shape{units_}).view(), units(kNoise));
  else if (rule_.stochastic())
    handler_.random().uniform({noise_key(m.seed), m.step}, 0, 1, units(kNoise));
  rule_.soft(handler_, {flat, units(kNoise), units(kMask), units(kDerivative), temperature_});
  rule_.expected(handler_, flat, temperature_, units(kExpected), units(kExpectedDerivative));
  handler_.linalg().sum_all(units(kExpected), l0_sum_);
}

// A bias under the scores of its weight.
void ParameterMask::follow_leader(const MaskMoment& m) {
  for (const int buffer : {kMask, kDerivative, kExpected, kExpectedDerivative})
    handler_.memory().copy(leader_->units(buffer), units(buffer));
  handler_.memory().copy(leader_->l0_sum_, l0_sum_);
  last_hard_ = leader_->last_hard_;
  if (ablation_ == Ablation::RandomAblate && use_) draw_random(m.seed);
}

void ParameterMask::make_hard(const ConstTensor& values, const ConstTensor& scores, const MaskMoment& m) {
  if (ablation_ == Ablation::None && rule_.scored()) {
    rule_.evaluated(handler_, scores.reshaped(Shape{units_}), units(kMask));
    handler_.linalg().sum_all(units(kMask), l0_sum_);
    last_hard_.clear();
    return;
  }
  last_hard_ = hard_units(values, scores);
  std::vector<std::uint8_t> mask = last_hard_;
  if (ablation_ == Ablation::ZeroAblate || ablation_ == Ablation::RandomAblate)
    for (auto& one : mask) one = one != 0 ? 0 : 1;
  if (ablation_ == Ablation::RandomlySampled || ablation_ == Ablation::ComplementSampled) {
    sample(last_hard_, m.seed);
    mask = sample_;
  }
  HostArray host(handler_.dtype(), Shape{units_});
  for (Index i = 0; i < units_; ++i) host.set_value(i, mask[at(i)]);
  handler_.memory().upload(host.view(), units(kMask));
  handler_.linalg().sum_all(units(kMask), l0_sum_);
  if (ablation_ == Ablation::RandomAblate && use_) draw_random(m.seed);
}

std::vector<std::uint8_t> ParameterMask::hard_units(const ConstTensor& values, const ConstTensor& scores) const {
  std::vector<std::uint8_t> out;
  if (!rule_.scored()) {
    const std::vector<double> all = handler_.memory().to_host(values).doubles();
    const auto each = at(elements_ / slices_);
    for (std::size_t s = 0; s < at(slices_); ++s) {
      const auto part = rule_.choose(std::span(all).subspan(s * each, each));
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }
  const Tensor hard = units(kNoise);  // scratch outside make_soft()
  rule_.hard(handler_, scores.reshaped(Shape{units_}), hard);
  for (const double one : handler_.memory().to_host(hard).doubles()) out.push_back(one != 0 ? 1 : 0);
  return out;
}

// All ones but for as many zeros as the hard mask has ones; drawn anew when the mode, the hard mask or resample() says.
void ParameterMask::sample(const std::vector<std::uint8_t>& hard, std::uint64_t seed) {
  if (sample_given_ || (sampled_mode_ == ablation_ && sampled_for_ == hard)) return;
  sample_.assign(at(units_), 1);
  const Index each = units_ / slices_;
  for (Index s = 0; s < slices_; ++s) {
    std::vector<Index> candidates;
    Index k = 0;
    for (Index i = s * each; i < (s + 1) * each; ++i) {
      k += hard[at(i)];
      if (ablation_ == Ablation::RandomlySampled || hard[at(i)] == 0) candidates.push_back(i);
    }
    if (k > static_cast<Index>(candidates.size()))
      raise<ConfigError>("complement_sampled: the mask of ", path(), " keeps ", k, " of ", each,
                         ", and outside of it there are only ", candidates.size());
    Rng rng(seed, concat(path(), "/sample/", s), draws_);
    for (Index i = 0; i < k; ++i) {
      const Index other = i + rng.below(static_cast<Index>(candidates.size()) - i);
      std::swap(candidates[at(i)], candidates[at(other)]);
      sample_[at(candidates[at(i)])] = 0;
    }
  }
  sampled_mode_ = ablation_;
  sampled_for_ = hard;
}

void ParameterMask::draw_random(std::uint64_t seed) {
  if (random_known_) return;
  if (random_block_.data() == nullptr)
    random_block_ = DeviceBlock(handler_.memory(), at(elements_) * size_of(handler_.dtype()));
  const Tensor out(random_block_.data(), handler_.dtype(), shape_);
  const RandomKey key{stream_key(seed, path() + "/random"), draws_};
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in_));
  if (rule_.common().random_values == Replacement::Uniform)
    handler_.random().uniform(key, -bound, bound, out);
  else if (bias_)
    handler_.elementwise().fill(out, 0);
  else
    handler_.random().gaussian(key, 0, 0.02, out);
  random_known_ = true;
}

// out = x times the unit's number.
void ParameterMask::scale(const ConstTensor& x, const ConstTensor& by_unit, const Tensor& out) const {
  if (per_unit_ == 1)
    return handler_.elementwise().binary(Binary::Multiply, x.reshaped(Shape{units_}), by_unit,
                                         out.reshaped(Shape{units_}));
  const Shape matrix{units_, per_unit_};
  handler_.linalg().with_column(Binary::Multiply, x.reshaped(matrix), by_unit, out.reshaped(matrix));
}

void ParameterMask::apply(const ConstTensor& values) {
  scale(values, units(kMask), effective_);
  if (ablation_ != Ablation::RandomAblate || soft_) return;
  const ConstTensor random(random_block_.data(), handler_.dtype(), shape_);
  handler_.elementwise().affine(units(kMask), -1, 1, units(kNoise));  // h
  scale(random, units(kNoise), scratch_);
  handler_.elementwise().binary(Binary::Add, effective_, scratch_, effective_);
}

void ParameterMask::finish(const ConstTensor& values, const Tensor& gradient, const Tensor& score_gradient) {
  auto& ops = handler_.elementwise();
  const bool adds = leader_ != nullptr;  // the weight has written already
  if (score_gradient && !soft_ && !adds) ops.fill(score_gradient, 0);
  if (score_gradient && soft_) {
    const Tensor out = score_gradient.reshaped(Shape{units_});
    if (use_) {
      ops.binary(Binary::Multiply, gradient, values, scratch_);
      const Tensor sums = units(kNoise);
      if (per_unit_ == 1)
        handler_.memory().copy(scratch_.reshaped(Shape{units_}), sums);
      else
        handler_.linalg().sum_columns(scratch_.reshaped(Shape{units_, per_unit_}), sums);
      ops.binary(Binary::Multiply, sums, units(kDerivative), Sink(out, adds ? Write::Add : Write::Overwrite));
    } else if (!adds) {
      ops.fill(out, 0);
    }
    const double lambda = rule_.common().l0_lambda * static_cast<double>(per_unit_);
    if (lambda != 0) ops.affine(units(kExpectedDerivative), lambda, 0, Sink(out, Write::Add));
  }
  if (use_) scale(gradient, units(kMask), gradient);
}

double ParameterMask::penalty() const {
  const double lambda = rule_.common().l0_lambda;
  return lambda == 0 || !trained_ ? 0 : lambda * last_l0();
}

HostArray ParameterMask::last_mask() const {
  const auto by_unit = handler_.memory().to_host(units(kMask));
  HostArray out(by_unit.dtype(), shape_);
  for (Index i = 0; i < elements_; ++i) out.set_value(i, by_unit.value(i / per_unit_));
  return out;
}

double ParameterMask::last_l0() const {
  const double sum = visit_dtype(l0_sum_.dtype(), [&](auto value) {  // without allocating
    handler_.memory().download(l0_sum_, Tensor(&value, l0_sum_.dtype(), l0_sum_.shape()));
    return static_cast<double>(value);
  });
  return sum * static_cast<double>(per_unit_);
}

HostArray ParameterMask::kept(const ConstTensor& values, const ConstTensor& scores) const {
  const auto hard = hard_units(values, scores);
  HostArray out(DType::U8, shape_);
  for (Index i = 0; i < elements_; ++i) out.span<std::uint8_t>()[at(i)] = hard[at(i / per_unit_)];
  return out;
}

Index ParameterMask::hard_l0(const ConstTensor& values, const ConstTensor& scores) const {
  const auto hard = hard_units(values, scores);
  const Index kept = std::count(hard.begin(), hard.end(), std::uint8_t{1}) * per_unit_;
  return ablation_ == Ablation::None ? kept : elements_ - kept;
}

}  // namespace squall
