// Timing of layers and networks in interleaved rounds: what counts is the ratio within a round, so that a machine that
// becomes slower for a while makes both slower.
#pragma once

#include <functional>
#include <memory>

#include "squall/core/network.hpp"
#include "squall/tools/convert.hpp"

namespace squall {

// Several ways to do one thing, the first being the reference.
struct Rounds {
  std::vector<std::vector<double>> us;  // way, round: the fastest run of the round
  void add(const std::vector<std::function<void()>>& ways, int rounds);
  double median_us(std::size_t way) const;
  // Of reference / way, above 1 where it is faster than the reference: the median, or another share of the rounds.
  double ratio(std::size_t way, double share = 0.5) const;
  double spread(std::size_t way) const;  // of the ratio: (upper - lower quartile) / median
};

// One slot of one layer in a network of its own: Input and the layer, nothing else.
class LayerAlone {
 public:
  LayerAlone(const Network& network, const ParameterEntry& entry, int task);
  std::unique_ptr<Network> dense() const;
  std::unique_ptr<Network> packed(const PackedWeight& slice, WeightFormat format) const;

 private:
  const Network& whole_;
  Architecture architecture_;
  std::string layer_, parameter_;
  HostArray values_;
};

// Gives every network the same random data of this batch size, and what runs each of them once.
std::vector<std::function<void()>> runs_of(const std::vector<Network*>& networks, const std::vector<std::string>& heads,
                                           Index batch);
BatchTiming time_networks(Network& dense, Network& packed, const std::vector<std::string>& heads, Index batch,
                          int rounds);
// Largest difference of two arrays, relative to the largest magnitude of the first (absolute if that is 0).
double relative_difference(const HostArray& a, const HostArray& b);
// Largest difference of the heads' outputs on random input, relative to their largest magnitude.
double compare_networks(Network& a, Network& b, const std::vector<std::string>& heads, Index batch);
// Random data for every real output of Input, zeros for labels.
Batch random_batch(const Network& network, Index batch, std::uint64_t seed);

}  // namespace squall
