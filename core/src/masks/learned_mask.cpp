#include "squall/core/learned_mask.hpp"

#include <algorithm>

#include "squall/core/graph.hpp"

namespace squall {

namespace {

constexpr EnumName<Ablation> kAblations[] = {{"none", Ablation::None},
                                             {"zero_ablate", Ablation::ZeroAblate},
                                             {"random_ablate", Ablation::RandomAblate},
                                             {"randomly_sampled", Ablation::RandomlySampled},
                                             {"complement_sampled", Ablation::ComplementSampled}};
constexpr EnumName<MaskUnit> kUnits[] = {
    {"weight", MaskUnit::Weight}, {"neuron", MaskUnit::Neuron}, {"filter", MaskUnit::Filter}};
constexpr EnumName<Replacement> kReplacements[] = {{"uniform", Replacement::Uniform}, {"normal", Replacement::Normal}};

std::size_t at(int i) { return static_cast<std::size_t>(i); }

[[noreturn]] void not_offered(const LearnedMask& mask, std::string_view what) {
  raise<ConfigError>(mask.type(), " has no ", what);
}

// One score for a weight, for all of the last axis, or for all axes but the first of a slice.
Shape score_shape(const ParameterInfo& info, MaskUnit unit) {
  std::vector<Index> extents;
  const int first = info.task_axis ? 1 : 0;
  const int rank = info.shape.rank();
  for (int i = 0; i < rank; ++i) {
    const bool shared =
        !info.bias && i > first && (unit == MaskUnit::Filter || (unit == MaskUnit::Neuron && i + 1 == rank));
    extents.push_back(shared ? 1 : info.shape[i]);
  }
  return Shape(std::span<const Index>(extents));
}

// The weight of this node whose scores decide about one entry of the bias each.
int weight_to_tie(const Node& node, int slot, const LearnedMask& mask) {
  const ParameterInfo& bias = node.parameters[at(slot)];
  for (int k = 0; k < slot; ++k) {
    const ParameterInfo& w = node.parameters[at(k)];
    if (w.mask && !w.bias && w.scores >= 0 && node.parameters[at(w.scores)].shape.elements() == bias.shape.elements())
      return k;
  }
  raise<ConfigError>(mask.type(), ": tie_bias needs one score for each unit; set mask_unit to \"",
                     node.parameters.front().shape.rank() > 2 ? "filter" : "neuron", "\"");
}

}  // namespace

std::span<const EnumName<Ablation>> enum_names(Ablation) { return kAblations; }
std::span<const EnumName<MaskUnit>> enum_names(MaskUnit) { return kUnits; }
std::span<const EnumName<Replacement>> enum_names(Replacement) { return kReplacements; }

std::string LearnedMask::problem() const {
  if (!(common().l0_lambda >= 0)) return concat("option 'l0_lambda' should not be negative, not ", common().l0_lambda);
  if (common().tie_bias && !scored()) return "option 'tie_bias' needs scores, and this mask has none";
  if (common().tie_bias && common().mask_unit == MaskUnit::Weight)
    return "option 'tie_bias' needs mask_unit \"neuron\" or \"filter\"";
  if (!scored() && common().mask_unit != MaskUnit::Weight)
    return "option 'mask_unit' should be \"weight\": this mask ranks weights";
  return {};
}

void LearnedMask::soft(Handler&, const Soft&) const { not_offered(*this, "soft mask"); }
void LearnedMask::expected(Handler&, const ConstTensor&, double, const Tensor&, const Tensor&) const {
  not_offered(*this, "soft mask");
}
void LearnedMask::hard(Handler&, const ConstTensor&, const Tensor&) const { not_offered(*this, "scores"); }
std::vector<std::uint8_t> LearnedMask::choose(std::span<const double>) const { not_offered(*this, "rule of values"); }

bool is_weight(const Node& node, int slot) {
  const ParameterInfo& p = node.parameters[at(slot)];
  return !p.bias && p.scores_of < 0 && !p.initial && p.shape.rank() >= (p.task_axis ? 3 : 2);
}

void add_mask(Node& node, int slot, const std::shared_ptr<const LearnedMask>& mask) {
  if (const auto why = mask->problem(); !why.empty()) raise<ConfigError>(mask->type(), ": ", why);
  const ParameterInfo of = node.parameters[at(slot)];
  const MaskOptions& how = mask->common();
  if (of.mask) raise<ConfigError>("parameter '", of.name, "' has a mask already (", of.mask->type(), ")");
  if (of.scores_of >= 0) raise<ConfigError>("parameter '", of.name, "' holds scores of a mask and can have none");
  int scores = -1;
  int tied_to = -1;
  if (of.bias && how.tie_bias) {
    tied_to = weight_to_tie(node, slot, *mask);
    scores = node.parameters[at(tied_to)].scores;
  } else if (mask->scored()) {
    ParameterInfo own;
    own.name = of.name + "_scores";
    own.shape = score_shape(of, how.mask_unit);
    own.initial = mask->initial_score();
    own.task_axis = of.task_axis;
    own.scores_of = slot;
    own.frozen = how.freeze_scores;
    if (node.find_parameter(own.name) >= 0) raise<ConfigError>("parameter '", own.name, "' exists already");
    scores = static_cast<int>(node.parameters.size());
    node.parameters.push_back(std::move(own));
  }
  ParameterInfo& masked = node.parameters[at(slot)];
  masked.mask = mask;
  masked.scores = scores;
  masked.tied_to = tied_to;
  masked.frozen = how.freeze_weights;
}

int add_masks(Node& node, const std::shared_ptr<const LearnedMask>& mask) {
  int count = 0;
  const int declared = static_cast<int>(node.parameters.size());
  for (int k = 0; k < declared; ++k)
    if (is_weight(node, k) && !node.parameters[at(k)].mask) add_mask(node, k, mask), ++count;
  const bool biases = mask->common().mask_bias || mask->common().tie_bias;
  for (int k = 0; k < declared && biases && count > 0; ++k)
    if (node.parameters[at(k)].bias && !node.parameters[at(k)].mask) add_mask(node, k, mask);
  return count;
}

}  // namespace squall
