// Timing of layers and networks, interleaved: a round of each candidate in turn, medians over the rounds.
#pragma once

#include <memory>

#include "squall/core/network.hpp"
#include "squall/tools/convert.hpp"

namespace squall {

// Times one slot of one layer in a network of its own: Input and the layer, nothing else.
class LayerTimer {
 public:
  LayerTimer(const Network& network, const ParameterEntry& entry, int task, const std::vector<Index>& batches,
             int rounds);
  // Median microseconds of a forward pass per batch size.
  std::vector<double> dense_us() const { return dense_; }
  std::vector<double> packed_us(const PackedWeight& slice) const;

 private:
  std::unique_ptr<Network> make() const;
  std::vector<double> time(Network& net) const;
  const Network& whole_;
  Architecture architecture_;
  std::string layer_, parameter_;
  std::vector<Index> batches_;
  int rounds_;
  HostArray values_;
  std::vector<double> dense_;
};

BatchTiming time_networks(Network& dense, Network& packed, const std::vector<std::string>& heads, Index batch,
                          int rounds);
// Largest difference of the heads' outputs on random input, relative to their largest magnitude.
double compare_networks(Network& a, Network& b, const std::vector<std::string>& heads, Index batch);
// Random data for every real output of Input, zeros for labels.
Batch random_batch(const Network& network, Index batch, std::uint64_t seed);

}  // namespace squall
