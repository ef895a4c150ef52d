// From scores to masks: the exact selection and the original's literal one.
#pragma once

#include "masks/rules.hpp"
#include "masks/scores.hpp"

namespace squall::masks {

// One mask per target. Exclusive: a weight that another slice of its tensor owns is never chosen.
std::vector<MaskBytes> choose(const Network& network, std::span<const Target> targets, const Scores& scores,
                              std::span<const Task> tasks, const Rules& rules, std::vector<std::string>& warnings);

// The original's rules A, B, C or N, by tensor and in the order of slices.
std::vector<MaskBytes> choose_literally(std::span<const Target> targets, const Scores& scores, MaskRule rule,
                                        std::vector<std::string>& warnings);

// Warns of units that keep nothing and of kept weights with a score of 0.
void describe_choice(const Target& t, std::span<const double> scores, std::span<const std::uint8_t> keep,
                     std::vector<std::string>& warnings);

}  // namespace squall::masks
