// From scores to masks: the exact selection and the original's literal one.
#pragma once

#include "masks/scores.hpp"
#include "squall/training/mask_rules.hpp"

namespace squall::masks {

// One mask per target. Exclusive: a weight that another slice of its tensor owns is never chosen.
std::vector<MaskBytes> choose(const Network& network, std::span<const Target> targets, const Scores& scores,
                              std::span<const Task> tasks, const Rsn2Options& options,
                              std::vector<std::string>& warnings);

// The original's rules A (gradients), B (magnitude) or N (not exclusive), by tensor and in the order of slices.
std::vector<MaskBytes> choose_literally(std::span<const Target> targets, const Scores& scores,
                                        const Rsn2Options& options, std::vector<std::string>& warnings);

}  // namespace squall::masks
