// Networks in forms that are smaller and faster: weights stored by rows, computed dense, compacted or sparse, whichever
// was measured to be fastest for that layer here. Never slower than dense: dense is one of the candidates.
#pragma once

#include "squall/core/network.hpp"
#include "squall/training/task.hpp"

namespace squall {

struct LayerConversion {
  std::string layer, parameter, task;  // task: empty where the layer has no slots
  double density = 1;
  WeightFormat format = WeightFormat::Dense;
  std::size_t bytes = 0;               // of values and positions in memory
  double dense_us = 0, packed_us = 0;  // at the first batch size
  std::vector<double> ratios;          // dense / packed at each batch size, medians over rounds
};

struct BatchTiming {
  Index batch = 0;
  double dense_us = 0, packed_us = 0;  // one forward pass of the whole network, all tasks
  double ratio = 1;                    // dense / packed, median over rounds
};

struct Conversion {
  std::vector<LayerConversion> layers;
  std::vector<BatchTiming> batches;
  bool all_dense = false;     // the whole network was slower than dense, so nothing but memory is saved
  double max_difference = 0;  // of outputs on random input, relative to the largest magnitude
  std::size_t dense_bytes = 0;
};

// Converts the weights of `network` in place; what is stored already is measured anew. `heads` are the outputs that are
// timed and compared. Another form than dense is taken where it is faster by a margin over all batch sizes and at none
// of them slower, in two measurements of `rounds` interleaved rounds each (where they disagree, in all of them and a
// third). Throws ConfigError when there is nothing to convert.
Conversion convert_to_sparse(Network& network, const std::vector<std::string>& heads, const std::vector<Index>& batches,
                             int rounds = 9);
// The same network, dense, with the same handler.
std::unique_ptr<Network> dense_copy(const Network& network);
// Back to tensors: plain (masked weights are zeros), or masked where a weight is zero.
void convert_to_dense(Network& network);
void convert_to_masked(Network& network);

}  // namespace squall
