// All parameters as one vector in brainstorm's order: layers by name (as ASCII sorts it), in each the parameters as
// declared and then its statistics, which brainstorm's BatchNorm counts as parameters. Without gaps, masked weights 0.
// Network::parameters() is the vector that update rules see: layers in the order in which they run, with gaps.
#pragma once

#include "squall/core/network.hpp"

namespace squall {

HostArray flat_parameters(const Network& network);
// The same for gradients; those of statistics are 0.
HostArray flat_gradients(const Network& network);
// Throws DataError when the length is another; `what` is for its message.
void set_flat_parameters(Network& network, const HostArray& flat, std::string_view what = "the flat vector");

// Where a parameter (or statistic) begins in the vector.
struct FlatPiece {
  std::string layer, name;
  bool state = false;
  Shape shape;
  Index offset = 0;
};
std::vector<FlatPiece> flat_order(const Graph& graph);

}  // namespace squall
