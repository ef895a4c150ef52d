// Networks in forms that are smaller and faster: weights stored by rows, computed dense, compacted or sparse, whichever
// was measured to be fastest for that layer here. Never slower than dense: dense is one of the candidates.
#pragma once

#include "squall/core/network.hpp"
#include "squall/training/task.hpp"

namespace squall {

struct LayerConversion {
  std::string layer, task;  // task: empty where the layer has no slots
  double density = 1;
  WeightFormat format = WeightFormat::Dense;
  std::size_t bytes = 0;               // of values and mask, uncompressed
  double dense_us = 0, packed_us = 0;  // at the first batch size
};

struct BatchTiming {
  Index batch = 0;
  double dense_us = 0, packed_us = 0;  // one forward pass of the whole network, all tasks
};

struct Conversion {
  std::vector<LayerConversion> layers;
  std::vector<BatchTiming> batches;
  double max_difference = 0;  // of outputs on random input, relative to the largest magnitude
  std::size_t dense_bytes = 0;
};

// Converts the weights of `network` in place. `heads` are the outputs that are timed and compared. Throws ConfigError
// when nothing is left to convert.
Conversion convert_to_sparse(Network& network, const std::vector<std::string>& heads, const std::vector<Index>& batches,
                             int rounds = 9);
// Back to tensors: plain (masked weights are zeros), or masked where a weight is zero.
void convert_to_dense(Network& network);
void convert_to_masked(Network& network);

}  // namespace squall
