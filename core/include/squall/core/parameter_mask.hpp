// The mask over one parameter at work: what layers see, gradients of scores, ablations with their random draws, L0.
#pragma once

#include <optional>

#include "squall/core/graph.hpp"
#include "squall/core/learned_mask.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/random.hpp"

namespace squall {

// When a mask is made.
struct MaskMoment {
  bool training = false;
  std::uint64_t step = 0, seed = 0;
  bool changed = true;  // values or scores may have changed since the last time
};

class ParameterMask {
 public:
  // `leader`: the mask of the weight whose scores this bias shares, or null.
  ParameterMask(const Node& node, int slot, Handler& handler, ParameterMask* leader);

  // --- settings; they take effect with the next forward pass
  const LearnedMask& rule() const { return rule_; }
  Ablation ablation() const { return ablation_; }
  void set_ablation(Ablation a);
  bool use_masks() const { return use_; }
  void set_use_masks(bool use);
  double temperature() const { return temperature_; }
  void set_temperature(double t);  // throws ConfigError for a negative one
  void resample();                 // new random draws from the next pass on
  void take_settings(const ParameterMask& other);
  // What would be drawn, to repeat a recorded run: uniform noise and a sampled mask (of the scores' shape), random
  // values (of the parameter's). An empty array takes it back.
  void give_noise(const HostArray& noise) { given_noise_ = noise; }
  void give_sample(const HostArray& sample);
  void give_random(const HostArray& values);

  // --- passes
  // Brings effective() up to date. Throws ConfigError for an ablation while scores are trained.
  void prepare(const ConstTensor& values, const ConstTensor& scores, const MaskMoment& moment);
  const Tensor& effective() const { return effective_; }
  // Turns the gradient of effective() into that of the values, in place, and into that of the scores.
  void finish(const ConstTensor& values, const Tensor& gradient, const Tensor& score_gradient);
  // l0_lambda times L0 of the last prepare(), 0 after one for evaluation.
  double penalty() const;

  // --- read-out
  // The subnetwork: 1 where a weight is in, of the parameter's shape, whatever the ablation is.
  HostArray kept(const ConstTensor& values, const ConstTensor& scores) const;
  // What was multiplied in by the last prepare(), of the parameter's shape.
  HostArray last_mask() const;
  double last_l0() const;                                                     // sum of it, or its soft form in training
  Index hard_l0(const ConstTensor& values, const ConstTensor& scores) const;  // under the present ablation
  Index max_l0() const { return elements_; }

 private:
  bool soft_in(const MaskMoment& m) const { return m.training && rule_.scored() && !scores_frozen_; }
  std::uint64_t noise_key(std::uint64_t seed);
  void make_soft(const ConstTensor& scores, const MaskMoment& m);
  void make_hard(const ConstTensor& values, const ConstTensor& scores, const MaskMoment& m);
  void follow_leader(const MaskMoment& m);
  std::vector<std::uint8_t> hard_units(const ConstTensor& values, const ConstTensor& scores) const;
  void sample(const std::vector<std::uint8_t>& hard, std::uint64_t seed);
  void draw_random(std::uint64_t seed);
  void apply(const ConstTensor& values);
  void scale(const ConstTensor& x, const ConstTensor& by_unit, const Tensor& out) const;
  Tensor units(int buffer) const;
  std::string path() const { return layer_ + "." + name_; }

  Handler& handler_;
  const LearnedMask& rule_;
  ParameterMask* leader_;
  std::string layer_, name_;
  Shape shape_;
  bool bias_ = false, scores_frozen_ = false;
  Index slices_ = 1, units_ = 0, per_unit_ = 1, elements_ = 0, fan_in_ = 1;
  Ablation ablation_;
  bool use_;
  double temperature_;

  DeviceBlock block_, random_block_;
  Tensor effective_, scratch_, l0_sum_;
  bool soft_ = false, dirty_ = true, random_known_ = false;
  bool trained_ = false;  // the last prepare() was for training
  std::vector<std::uint8_t> last_hard_, sampled_for_, sample_;
  std::optional<Ablation> sampled_mode_;
  std::uint64_t draws_ = 0;
  bool sample_given_ = false, random_given_ = false;
  HostArray given_noise_;
  std::optional<std::uint64_t> noise_seed_;
  std::uint64_t noise_key_ = 0;
};

}  // namespace squall
