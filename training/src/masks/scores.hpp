// Scores of weights: by value, by chance, or by gradients summed over training examples.
#pragma once

#include "masks/targets.hpp"
#include "squall/training/rsn2.hpp"

namespace squall::masks {

class Scores {
 public:
  // Scores by gradients run the passes here: the loss of each task alone, in Train mode; states and the count of
  // random steps are as before afterwards.
  Scores(Network& network, std::span<const Target> targets, std::span<const Task> tasks, const Rsn2Options& options,
         DataIterator* data, std::uint64_t seed);
  // Of target number i; throws NumericError when one is not finite.
  std::vector<double> of(std::size_t i) const;

 private:
  void sum_gradients(std::span<const Task> tasks, DataIterator& data);
  void add_gradients(std::size_t task, double factor);
  std::vector<double> magnitudes(const Target& t) const;

  Network& network_;
  std::span<const Target> targets_;
  Score score_;
  Index examples_;
  std::uint64_t seed_;
  std::vector<DeviceBlock> sums_;  // per target
};

}  // namespace squall::masks
