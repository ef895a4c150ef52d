// The rules of learned masks. Each has a file in src/masks; the layers that have a mask of their own use them, too.
#pragma once

#include "squall/core/learned_mask.hpp"

namespace squall {

struct ContinuousSparsificationOptions : MaskOptions {
  double mask_init_value = 0, temperature = 1;
  bool straight_through = false;
  static constexpr auto fields =
      std::tuple_cat(MaskOptions::fields,
                     std::tuple{field("mask_init_value", &ContinuousSparsificationOptions::mask_init_value,
                                      "all scores to begin with; the lower, the sparser"),
                                field("temperature", &ContinuousSparsificationOptions::temperature,
                                      "of the sigmoid to begin with; the hook MaskTemperature raises it"),
                                field("straight_through", &ContinuousSparsificationOptions::straight_through,
                                      "whether training sees a mask of 0 and 1, with the derivative of the soft one")});
};

// In training sigmoid(temperature x score), in evaluation 1 where the score is above 0 (Savarese et al. 2020).
class ContinuousSparsification
    : public DescribedAs<LearnedMask, ContinuousSparsification, ContinuousSparsificationOptions> {
 public:
  static constexpr std::string_view kType = "ContinuousSparsification";
  static constexpr std::string_view kDoc =
      "Mask sigmoid(temperature x score) in training, 1 where the score is above 0 in evaluation.";
  const MaskOptions& common() const override { return options; }
  std::string problem() const override;
  bool annealed() const override { return true; }
  double initial_score() const override { return options.mask_init_value; }
  double temperature() const override { return options.temperature; }
  void soft(Handler& handler, const Soft& s) const override;
  void expected(Handler& handler, const ConstTensor& scores, double temperature, const Tensor& probability,
                const Tensor& derivative) const override;
  void hard(Handler& handler, const ConstTensor& scores, const Tensor& mask) const override;
};

struct HardConcreteOptions : MaskOptions {
  double mask_init_percentage = 0.5, temperature = 2.0 / 3, left_stretch = -0.1, right_stretch = 1.1;
  bool soft_eval = false, straight_through = false;
  static constexpr auto fields = std::tuple_cat(
      MaskOptions::fields,
      std::tuple{field("mask_init_percentage", &HardConcreteOptions::mask_init_percentage,
                       "share of weights that stay to begin with, from 0 to 1: the scores are its log odds"),
                 field("temperature", &HardConcreteOptions::temperature, "of the concrete distribution"),
                 field("left_stretch", &HardConcreteOptions::left_stretch, "where 0 is stretched to, below 0"),
                 field("right_stretch", &HardConcreteOptions::right_stretch, "where 1 is stretched to, above 1"),
                 field("soft_eval", &HardConcreteOptions::soft_eval,
                       "whether evaluation uses the mean gate instead of 0 and 1"),
                 field("straight_through", &HardConcreteOptions::straight_through,
                       "whether training sees a mask of 0 and 1, with the derivative of the soft one")});
};

// A stretched and clipped concrete variable in training, 1 where its mean gate is above 1/2 in evaluation (Louizos et
// al. 2018).
class HardConcrete : public DescribedAs<LearnedMask, HardConcrete, HardConcreteOptions> {
 public:
  static constexpr std::string_view kType = "HardConcrete";
  static constexpr std::string_view kDoc =
      "Mask drawn from a stretched and clipped concrete distribution in training, 1 where its gate is above 1/2 in "
      "evaluation.";
  const MaskOptions& common() const override { return options; }
  std::string problem() const override;
  bool stochastic() const override { return true; }
  double initial_score() const override;
  double temperature() const override { return options.temperature; }
  void soft(Handler& handler, const Soft& s) const override;
  void expected(Handler& handler, const ConstTensor& scores, double temperature, const Tensor& probability,
                const Tensor& derivative) const override;
  void hard(Handler& handler, const ConstTensor& scores, const Tensor& mask) const override;
  void evaluated(Handler& handler, const ConstTensor& scores, const Tensor& mask) const override;
};

struct MagnitudePruningOptions : MaskOptions {
  double prune_percentage = 0.2;
  bool signed_compat = false;
  static constexpr auto fields = std::tuple_cat(
      MaskOptions::fields, std::tuple{field("prune_percentage", &MagnitudePruningOptions::prune_percentage,
                                            "share of each tensor that is masked, from 0 to 1"),
                                      field("signed_compat", &MagnitudePruningOptions::signed_compat,
                                            "whether the most negative weights go, not the smallest")});
};

// No scores: the smallest magnitudes of each tensor are masked, anew whenever values change.
class MagnitudePruning : public DescribedAs<LearnedMask, MagnitudePruning, MagnitudePruningOptions> {
 public:
  static constexpr std::string_view kType = "MagnitudePruning";
  static constexpr std::string_view kDoc = "Masks the weights of smallest magnitude, chosen anew whenever they change.";
  const MaskOptions& common() const override { return options; }
  std::string problem() const override;
  bool scored() const override { return false; }
  std::vector<std::uint8_t> choose(std::span<const double> values) const override;
};

}  // namespace squall
