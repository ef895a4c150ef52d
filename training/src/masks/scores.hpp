// Scores of targets: runs the passes a score needs and keeps what they give.
#pragma once

#include "masks/targets.hpp"
#include "squall/training/data_iterator.hpp"
#include "squall/training/mask_parts.hpp"

namespace squall::masks {

struct ScoreRun {
  const WeightScore& score;
  std::span<const Task> tasks;
  DataIterator* data = nullptr;  // needed where the score gathers something
  Index examples = 0;            // of each task
  std::uint64_t seed = 0;
};

class Scores {
 public:
  // Where the score gathers something, passes run here: the loss of each task alone, in Train mode; states and the
  // count of random steps are as before afterwards.
  Scores(Network& network, std::span<const Target> targets, const ScoreRun& run);
  // Of target number i; throws NumericError when one is not finite.
  std::vector<double> of(std::size_t i) const;

 private:
  bool wants_inputs() const { return run_.score.gathers() == Gathered::SquaredInputs; }
  Tensor gradients(std::size_t i) const;
  void make_sums();
  void gather(DataIterator& data);
  void run_pass(std::size_t task, double examples);
  void add_gradients(std::size_t task, double examples);
  void add_inputs(std::size_t task);

  Network& network_;
  std::span<const Target> targets_;
  ScoreRun run_;
  // Per target: of gradients on the device, of squared inputs by column.
  std::vector<DeviceBlock> gradients_;
  std::vector<std::vector<double>> inputs_;
};

}  // namespace squall::masks
