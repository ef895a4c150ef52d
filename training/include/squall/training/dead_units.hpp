// Units that compute nothing for a task: those that always give 0, because nothing that is not 0 comes in, and those
// nobody reads. Weights into and out of them can go without changing an output, through all layers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "squall/core/network.hpp"

namespace squall {

class DeadUnits {
 public:
  // For what these heads need (empty: everything). Follows dense layers and convolutions and what stands between them
  // and keeps zeros (pools, dropout, selectors, flattening, activations with f(0) = 0), and through batch normalisation
  // what nobody reads. Beyond other layers everything counts as alive.
  DeadUnits(const Network& network, const std::vector<std::string>& heads);

  // Which weights of a parameter, or of the task's slice of it, matter: 1 for kept weights between living units.
  std::vector<std::uint8_t> needed(int node, int slot, int task) const;
  // Output units (filters) of the layer that are dead for the task.
  Index dead(const std::string& layer, int task) const;

 private:
  using Flags = std::vector<char>;
  using FlagsOf = std::map<std::pair<int, int>, Flags>;  // by node and output, per feature
  struct Weights;                                        // a layer's weights and biases of one task
  bool finds_weights(int node, int output, Weights& w) const;
  void forward(int node, int output);
  void backward(int node, int output);
  bool runs(int node, int output) const;
  int input_of(int node, int output) const;  // the only one, -1: none or several
  std::pair<int, int> source_of(int node, int input) const;

  const Network& network_;
  PassPlan plan_;
  FlagsOf zero_, used_;
};

}  // namespace squall
