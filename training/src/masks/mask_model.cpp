#include "squall/training/mask_model.hpp"

#include <algorithm>
#include <limits>

#include "masks/commit.hpp"
#include "masks/report.hpp"
#include "masks/selecting.hpp"

namespace squall {

namespace {

MaskReport finish(const Network& network, std::span<const Task> tasks, const std::vector<masks::Target>& targets,
                  const std::vector<std::string>& warnings) {
  MaskReport report = masks::report(network, tasks, masks::waiting_slices(network, targets));
  report.warnings.insert(report.warnings.begin(), warnings.begin(), warnings.end());
  return report;
}

MaskReport remask(Network& network, std::span<const Task> ordered, const masks::Rules& rules, const MaskModelRun& run) {
  std::vector<std::string> warnings;
  auto targets = masks::all_targets(network, ordered, rules.options.biases || rules.literal.has_value());
  if (!rules.options.order.empty())
    std::ranges::stable_sort(targets, {}, [](const masks::Target& t) {
      return t.tasks.empty() ? std::numeric_limits<std::size_t>::max() : t.tasks.front();
    });
  unpack_masks(network);
  if (run.memory != nullptr) run.memory->open(network);
  masks::Selecting how{network, rules, ordered, run.data, run.seed};
  how.pack = run.pack;
  how.memory = run.memory;
  masks::select(how, targets, warnings);
  return finish(network, ordered, targets, warnings);
}

}  // namespace

Rsn2Options mask_model_options(double percentile, const json& score, bool exclusive) {
  Rsn2Options o;
  o.sparsity = percentile;
  o.score = score;
  o.exclusive = exclusive;
  o.examples = std::numeric_limits<Index>::max();
  o.quota = Quota::Tensor;
  o.biases = true;
  o.zero_scores = false;
  o.shortfall = Shortfall::Warn;
  o.rescale = false;
  return o;
}

MaskReport mask_model(Network& network, std::span<const Task> tasks, const Rsn2Options& options,
                      const MaskModelRun& run) {
  const masks::Rules rules(options, network.catalog());
  return remask(network, masks::in_order(tasks, options, network.graph()), rules, run);
}

MaskReport prune_model(Network& network, double percentile, const std::string& compat) {
  Rsn2Options options = mask_model_options(percentile, "magnitude");
  options.compat = compat;
  masks::Rules rules(options, network.catalog());
  if (rules.literal) rules.literal = MaskRule::PruneExclusive;
  return remask(network, {}, rules, {});
}

}  // namespace squall
