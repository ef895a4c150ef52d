#include "masks/rules.hpp"

#include <algorithm>

#include "squall/training/training.hpp"

namespace squall {

namespace {

constexpr EnumName<Shortfall> kShortfalls[] = {{"error", Shortfall::Error}, {"warn", Shortfall::Warn}};
constexpr EnumName<Rsn2Mode> kModes[] = {{"parallel", Rsn2Mode::Parallel}, {"sequential", Rsn2Mode::Sequential}};

bool is_time(const json& when) {
  if (when == "start") return true;
  if (!when.is_object() || when.size() != 1 || !when.contains("after_epochs")) return false;
  return when["after_epochs"].is_number_integer() && when["after_epochs"].get<Index>() > 0;
}

json eligible_of(const Rsn2Options& o) {
  if (!o.eligible.is_null()) return o.eligible;
  return o.exclusive ? "free" : "any";
}

std::string path(std::string_view where, std::string_view option) {
  return where.empty() ? std::string(option) : concat(where, ".", option);
}

void check_compat(const Rsn2Options& o, const WeightScore* score, std::string_view where, Problems& problems) {
  if (o.compat.empty()) return;
  if (o.compat != "beyondml")
    return problems.add(path(where, "compat"), concat("should be \"beyondml\" or left out, not \"", o.compat, "\""));
  if (score != nullptr && score->type() != "GradientScore" && score->type() != "MagnitudeScore")
    problems.add(path(where, "score"), "the original knows the scores gradients and magnitude only");
  if (o.mode != Rsn2Mode::Parallel)
    problems.add(path(where, "mode"), "the original's selection masks all tasks at once; its mode is parallel");
}

}  // namespace

std::span<const EnumName<Shortfall>> enum_names(Shortfall) { return kShortfalls; }
std::span<const EnumName<Rsn2Mode>> enum_names(Rsn2Mode) { return kModes; }

void check_options(const Rsn2Options& o, std::string_view where, const Catalog& catalog, Problems& problems) {
  if (!(o.sparsity >= 0 && o.sparsity <= 100))
    problems.add(path(where, "sparsity"), concat("is the percentage that is pruned, 0 to 100, not ", o.sparsity));
  if (!is_time(o.when))
    problems.add(path(where, "when"), concat("should be \"start\" or {\"after_epochs\": N}, not ", o.when.dump()));
  const auto score = make_part<WeightScore>(o.score, path(where, "score"), catalog, problems);
  make_part<EligibleWeights>(eligible_of(o), path(where, "eligible"), catalog, problems);
  make_part<Share>(o.share, path(where, "share"), catalog, problems);
  check_compat(o, score.get(), where, problems);
}

bool needs_data(const Rsn2Options& options, const Catalog& catalog) {
  return make_part<WeightScore>(options.score, "score", catalog)->gathers() != Gathered::Nothing;
}

namespace masks {

Rules::Rules(const Rsn2Options& o, const Catalog& of_network) : options(o) {
  Catalog own;  // where the network's knows layers only
  const bool complete = of_network.families().contains("score");
  if (!complete) register_training(own);
  const Catalog& catalog = complete ? of_network : own;
  Problems problems;
  check_options(o, "", catalog, problems);
  problems.raise_if_any("sparsify: these options do not work");
  score = make_part<WeightScore>(o.score, "score", catalog);
  eligible = make_part<EligibleWeights>(eligible_of(o), "eligible", catalog);
  share = make_part<Share>(o.share, "share", catalog);
  if (o.compat.empty()) return;
  const bool magnitude = score->gathers() == Gathered::Nothing;
  literal = !eligible->exclusive() ? MaskRule::Independent
            : magnitude            ? MaskRule::MagnitudeExclusive
                                   : MaskRule::GradientsExclusive;
}

void set_sparsities(const Network& network, std::vector<Target>& targets, const Rules& rules) {
  std::vector<SharedTensor> tensors;
  for (const auto& t : targets) {
    const ParameterEntry& e = network.store().entry(t.node, t.slot);
    tensors.push_back({network.graph().node(t.node).name + "." + e.info->name, e.slice_shape(), t.bias});
  }
  const auto sparsities = rules.share->sparsities(tensors, rules.options.sparsity);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Target& t = targets[i];
    t.sparsity = sparsities[i];
    const int slices = network.store().entry(t.node, t.slot).tasks();
    if (rules.exclusive(t) && rules.eligible->fair())
      t.sparsity = std::max(t.sparsity, 100 * (1 - 1 / static_cast<double>(slices)));
  }
}

}  // namespace masks

}  // namespace squall
