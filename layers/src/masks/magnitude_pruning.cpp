// MagnitudePruning: the rule that needs no training.
#include <cmath>

#include "common/mask_rules.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/selection.hpp"

namespace squall {

std::string MagnitudePruning::problem() const {
  if (!(options.prune_percentage >= 0 && options.prune_percentage <= 1))
    return concat("option 'prune_percentage' should be from 0 to 1, not ", options.prune_percentage);
  return LearnedMask::problem();
}

std::vector<std::uint8_t> MagnitudePruning::choose(std::span<const double> values) const {
  std::vector<double> scores(values.begin(), values.end());
  if (!options.signed_compat)
    for (double& s : scores) s = std::abs(s);
  const auto n = static_cast<Index>(scores.size());
  const Index kept = options.prune_percentage >= 1 ? 0 : kept_of(n, 100 * options.prune_percentage);
  return select_best(scores, {}, 1, n, kept).keep;
}

void register_magnitude_pruning(Catalog& catalog) {
  catalog.of<LearnedMask>().add<MagnitudePruning>();
  catalog.of<LearnedMask>().alias("magnitude_pruning", "MagnitudePruning");
}

}  // namespace squall
