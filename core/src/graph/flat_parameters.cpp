#include "squall/core/flat_parameters.hpp"

#include <algorithm>

namespace squall {

namespace {

Index length(const std::vector<FlatPiece>& pieces) {
  return pieces.empty() ? 0 : pieces.back().offset + pieces.back().shape.elements();
}

// Pieces for which `read` gives nothing stay 0.
template <class F>
HostArray joined(const Network& network, const F& read) {
  const auto pieces = flat_order(network.graph());
  HostArray out(network.handler().dtype(), Shape{length(pieces)});
  for (const auto& piece : pieces) {
    const HostArray part = read(piece);
    for (Index i = 0; i < part.elements(); ++i) out.set_value(piece.offset + i, part.value(i));
  }
  return out;
}

}  // namespace

std::vector<FlatPiece> flat_order(const Graph& graph) {
  auto names = graph.names();
  std::ranges::sort(names);
  std::vector<FlatPiece> pieces;
  for (const auto& name : names) {
    const Node& node = graph.node(graph.find(name));
    for (const auto& p : node.parameters) pieces.push_back({name, p.name, false, p.shape, length(pieces)});
    for (const auto& s : node.states) pieces.push_back({name, s.name, true, s.shape, length(pieces)});
  }
  return pieces;
}

HostArray flat_parameters(const Network& network) {
  return joined(network, [&](const FlatPiece& piece) {
    return network.get(concat(piece.layer, piece.state ? ".state." : ".parameters.", piece.name));
  });
}

HostArray flat_gradients(const Network& network) {
  return joined(network, [&](const FlatPiece& piece) {
    return piece.state ? HostArray() : network.get(concat(piece.layer, ".gradients.", piece.name));
  });
}

void set_flat_parameters(Network& network, const HostArray& flat, std::string_view what) {
  const auto pieces = flat_order(network.graph());
  if (flat.elements() != length(pieces))
    raise<DataError>(what, " has ", flat.elements(), " numbers, but the network has ", length(pieces), " parameters");
  for (const auto& piece : pieces) {
    HostArray part(DType::F64, piece.shape);
    for (Index i = 0; i < part.elements(); ++i) part.set_value(i, flat.value(piece.offset + i));
    network.set_parameter(concat(piece.layer, ".", piece.name), part);
  }
}

}  // namespace squall
