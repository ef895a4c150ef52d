// Rules of masks over parameters that are learned (scores) or follow from the parameter's own values. Layers see the
// masked parameter and know nothing of it; ParameterMask does the work for one parameter.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "squall/core/describe.hpp"
#include "squall/core/tensor.hpp"

namespace squall {

class Handler;
struct Node;

// What is multiplied into the parameter instead of its mask h of 0 and 1, S being where h is 1 and k the size of S:
// 1 - h; 1 - h with random values in S; all but k random entries; all but k random entries outside S.
enum class Ablation : std::uint8_t { None, ZeroAblate, RandomAblate, RandomlySampled, ComplementSampled };
std::span<const EnumName<Ablation>> enum_names(Ablation);  // "none", "zero_ablate", ...

// What one score decides about: a weight; all weights along the last axis (those of one unit; of a convolution, one tap
// of a filter); a whole filter or unit.
enum class MaskUnit : std::uint8_t { Weight, Neuron, Filter };
std::span<const EnumName<MaskUnit>> enum_names(MaskUnit);

// Values that random_ablate puts in: uniform within 1 / sqrt(inputs of a unit); or normal with deviation 0.02, biases
// 0.
enum class Replacement : std::uint8_t { Uniform, Normal };
std::span<const EnumName<Replacement>> enum_names(Replacement);

struct MaskOptions {
  Ablation ablation = Ablation::None;
  MaskUnit mask_unit = MaskUnit::Weight;
  bool mask_bias = false, tie_bias = false, use_masks = true, freeze_weights = true, freeze_scores = false;
  double l0_lambda = 0;
  Replacement random_values = Replacement::Uniform;
  static constexpr auto fields = std::tuple{
      field("ablation", &MaskOptions::ablation,
            "none, zero_ablate, random_ablate, randomly_sampled or complement_sampled: what is used instead of the "
            "mask, not while scores are trained"),
      field("mask_unit", &MaskOptions::mask_unit,
            "what a score decides about: weight, neuron (the last axis of a weight) or filter"),
      field("mask_bias", &MaskOptions::mask_bias, "whether biases have masks, too"),
      field("tie_bias", &MaskOptions::tie_bias, "whether the bias of a unit goes with the unit's own score"),
      field("use_masks", &MaskOptions::use_masks, "false: the plain weights are used"),
      field("freeze_weights", &MaskOptions::freeze_weights, "whether what is masked is not trained itself"),
      field("freeze_scores", &MaskOptions::freeze_scores,
            "whether scores are not trained; the mask is then one of 0 and 1 in training, too"),
      field("l0_lambda", &MaskOptions::l0_lambda, "the loss gets so much for every weight that the mask leaves"),
      field(
          "random_values", &MaskOptions::random_values,
          "of random_ablate: uniform (within 1 / sqrt of the inputs of a unit) or normal (deviation 0.02, biases 0)")};
};

class LearnedMask : public Describable {
 public:
  static constexpr std::string_view kFamily = "mask";
  virtual const MaskOptions& common() const = 0;
  virtual std::string problem() const;  // with its options; empty: none
  // Without scores it follows from the values alone: choose().
  virtual bool scored() const { return true; }
  virtual bool stochastic() const { return false; }  // soft() needs uniform noise
  virtual bool annealed() const { return false; }    // has a temperature that training changes
  virtual double initial_score() const { return 0; }
  virtual double temperature() const { return 1; }  // to begin with

  // One element for each score. The mask in training and its derivative by the score; noise is scratch afterwards.
  struct Soft {
    ConstTensor scores;
    Tensor noise, mask, derivative;
    double temperature = 1;
  };
  virtual void soft(Handler& handler, const Soft& s) const;
  // The probability that a score's weights are left (or what stands for it) and its derivative.
  virtual void expected(Handler& handler, const ConstTensor& scores, double temperature, const Tensor& probability,
                        const Tensor& derivative) const;
  virtual void hard(Handler& handler, const ConstTensor& scores, const Tensor& mask) const;  // 0 and 1
  // What evaluation uses, 0 and 1 where nothing else is said.
  virtual void evaluated(Handler& handler, const ConstTensor& scores, const Tensor& mask) const {
    hard(handler, scores, mask);
  }
  // 1 where a value stays, of one tensor.
  virtual std::vector<std::uint8_t> choose(std::span<const double> values) const;
};

// Puts a mask over a parameter of a node that declares itself, with a parameter NAME_scores beside it. Throws
// ConfigError.
void add_mask(Node& node, int slot, const std::shared_ptr<const LearnedMask>& mask);
// The same for all weights of a node, and its biases where the mask wants them. How many there were.
int add_masks(Node& node, const std::shared_ptr<const LearnedMask>& mask);
// Whether a slot holds weights (a matrix or more for each task, and no bias, scores or the like).
bool is_weight(const Node& node, int slot);

}  // namespace squall
