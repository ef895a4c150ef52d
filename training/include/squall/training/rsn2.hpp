// RSN2: several tasks in one network, each with weights of its own. Chooses masks task by task among the weights nobody
// owns yet; parameters whose masks are disjoint are packed into one tensor with owner bytes.
#pragma once

#include <functional>
#include <map>
#include <span>

#include "squall/core/selection.hpp"
#include "squall/training/data_iterator.hpp"
#include "squall/training/mask_parts.hpp"
#include "squall/training/mask_report.hpp"
#include "squall/training/task.hpp"

namespace squall {

// What happens when fewer weights are eligible than a task should get.
enum class Shortfall : std::uint8_t { Error, Warn };
std::span<const EnumName<Shortfall>> enum_names(Shortfall);  // "error", "warn"
enum class Rsn2Mode : std::uint8_t { Parallel, Sequential };
std::span<const EnumName<Rsn2Mode>> enum_names(Rsn2Mode);  // "parallel", "sequential"

struct Rsn2Options {
  double sparsity = 90;      // percent pruned per task
  json score = "magnitude";  // WeightScore
  Index examples = 10000;    // of training data, for scores that need them
  bool exclusive = true;     // a weight belongs to at most one task
  json eligible;             // EligibleWeights; null: free weights, or any where not exclusive
  Quota quota = Quota::Unit;
  json share = "uniform";   // Share
  bool biases = false;      // prune biases as well
  bool zero_scores = true;  // weights with a score of 0 may be kept where there are no others
  Shortfall shortfall = Shortfall::Error;
  bool rescale = true;  // scale initial weights to the masked fan-in
  json when = "start";  // or {"after_epochs": N}
  Rsn2Mode mode = Rsn2Mode::Parallel;
  std::vector<std::string> order;  // of tasks; default: as declared
  std::string compat;              // "beyondml": the original's literal selection
  static constexpr auto fields = std::tuple{
      field("sparsity", &Rsn2Options::sparsity, "percent of the weights pruned, per task"),
      field("score", &Rsn2Options::score,
            "what ranks weights: magnitude, random, gradients, absolute_gradients, squared_gradients, weight_gradient "
            "or activation_norm"),
      field("examples", &Rsn2Options::examples, "training examples for scores that need them"),
      field("exclusive", &Rsn2Options::exclusive, "a weight belongs to at most one task"),
      field("eligible", &Rsn2Options::eligible,
            "what a task may take: free, fair, any or shared_reading; null: free, or any where not exclusive"),
      field("quota", &Rsn2Options::quota, "share counted per output unit, per tensor, per layer or global"),
      field("share", &Rsn2Options::share, "how sparse each tensor becomes: uniform, er, erk, or an object"),
      field("biases", &Rsn2Options::biases, "prune biases, too"),
      field("zero_scores", &Rsn2Options::zero_scores, "weights with a score of 0 may fill a share"),
      field("shortfall", &Rsn2Options::shortfall, "fewer free weights than a share: error or warn"),
      field("rescale", &Rsn2Options::rescale, "scale initial weights to the masked fan-in"),
      field("when", &Rsn2Options::when, "\"start\" or {\"after_epochs\": N}"),
      field("mode", &Rsn2Options::mode, "parallel or sequential"),
      field("order", &Rsn2Options::order, "order of the tasks"),
      field("compat", &Rsn2Options::compat, "\"beyondml\": the original's literal selection")};
};

// Problems of options that can be told without a network.
void check_options(const Rsn2Options& options, std::string_view where, const Catalog& catalog, Problems& problems);
// Whether choosing masks needs training data.
bool needs_data(const Rsn2Options& options, const Catalog& catalog);

class Rsn2 final : public DescribedAs<Describable, Rsn2, Rsn2Options> {
 public:
  static constexpr std::string_view kType = "Rsn2";
  // Chooses, sets and packs the masks of these tasks. `data` gives their training batches (for scores by gradients);
  // `seed` is that of random scores. Throws ConfigError naming parameter and numbers when the tasks want more weights
  // than there are, before anything is changed. Weights owned before stay with their owners; tasks that already have
  // masks are not touched. One task after another (sequential): call it once per task, before its training; slices of
  // tasks that have not come yet keep all their weights, and a tensor is packed when the last of its tasks has come.
  MaskReport apply(Network& network, std::span<const Task> tasks, DataIterator* data, std::uint64_t seed) const;
};

}  // namespace squall
