// What the options of a selection ask for, as parts that can be used.
#pragma once

#include "masks/targets.hpp"
#include "squall/training/mask_rules.hpp"
#include "squall/training/rsn2.hpp"

namespace squall::masks {

struct Rules {
  const Rsn2Options& options;
  std::unique_ptr<const WeightScore> score;
  std::unique_ptr<const EligibleWeights> eligible;
  std::unique_ptr<const Share> share;
  std::optional<MaskRule> literal;  // the original's rule; nothing: the exact selection

  // Throws ConfigError with all problems.
  Rules(const Rsn2Options& o, const Catalog& of_network);
  bool exclusive(const Target& t) const { return eligible->exclusive() && t.slice >= 0; }
};

// Gives every target its sparsity.
void set_sparsities(const Network& network, std::vector<Target>& targets, const Rules& rules);

}  // namespace squall::masks
