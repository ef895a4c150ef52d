// Networks of the suite, and what is measured of them.
#pragma once

#include "squall/core/network.hpp"
#include "squall/tools/bench.hpp"

namespace squall::bench {

// Layers in a chain from Input to SoftmaxCE "Output" and Loss "Loss": {name, type, options}.
struct Link {
  std::string name, type;
  json options = json::object();
};
Architecture chain(const std::vector<Index>& in_shape, const std::vector<Link>& links);
// Fully connected ones; `type` of all layers but the last, dropout behind them.
Architecture mlp(const std::vector<Index>& widths, double dropout, const std::string& type = "FullyConnected");

// With weights and one batch of random data.
std::shared_ptr<Network> make_network(const BenchContext& c, const Architecture& a, Index batch);
// One training step with momentum; right if the loss of the one batch falls.
BenchWork train_work(const BenchContext& c, const std::shared_ptr<Network>& net);
// One forward pass; right if the probabilities of each example add up to 1.
BenchWork infer_work(const std::shared_ptr<Network>& net, Index batch);

}  // namespace squall::bench
