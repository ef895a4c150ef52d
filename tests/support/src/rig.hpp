// The layer under test in a small network: Input feeds it, and every output goes into a WeightedSum, so that random
// deltas come back.
#pragma once

#include <map>
#include <memory>

#include "squall/core/network.hpp"
#include "squall/testing/layer_case.hpp"

namespace squall::testing {

// One way of wiring and running.
struct Setup {
  std::shared_ptr<Handler> handler;
  Index time = 2, batch = 3;
  bool equal_sizes = false;  // "B_x" is as large as "B" instead of one larger
  MemoryMode memory = MemoryMode::Inspectable;
  bool poison = false, sentinels = false;
  bool want_deltas = true;     // of Input
  bool pin = true;             // outputs of the layer
  bool carried = false;        // recurrent layers start from a context that is not zero
  bool other_readers = false;  // everything the layer reads or owns has a second reader, which writes deltas first
  bool chain = false;          // a NoOp before every real input and after every output
  std::optional<std::vector<std::string>> outputs;  // that are summed; nothing: all that take deltas
  std::pair<std::string, std::string> shared;       // the second input reads the data of the first
};

// Named arrays, in a fixed order.
using Results = std::vector<std::pair<std::string, HostArray>>;
// What differs, or nothing. `tolerance` is relative to the largest magnitude of an array; 0 wants equal bits.
std::string difference(const Results& a, const Results& b, double tolerance);

class Rig {
 public:
  Rig(const LayerCase& layer_case, const Catalog& catalog, const Setup& setup);

  Network& network() { return *network_; }
  Batch& batch() { return batch_; }
  const Node& layer() const { return network_->graph().node(network_->graph().find("Layer")); }
  const Setup& setup() const { return setup_; }
  HostArray* data(std::string_view name);
  // The summed outputs of the layer: names of their WeightedSum layers.
  const std::vector<std::string>& roots() const { return roots_; }

  // Runs with states and noise as at the beginning.
  void forward(Mode mode, const std::vector<std::string>& heads = {});
  Results train();  // outputs, loss, gradients, deltas of Input
  Results eval();   // outputs
  Results outputs();
  Results gradients();
  Results input_deltas();
  double loss() {  // of a training pass
    forward(Mode::Train);
    return network_->total_loss();
  }
  // Whether the case gives the parameter a value that is not to be varied.
  bool is_fixed(const std::string& parameter) const;
  // Whether the layer carries anything from pass to pass.
  bool carries() const;
  // Inputs of the layer whose deltas are derivatives, by name of the data.
  std::vector<std::string> differentiable_inputs() const;

 private:
  Architecture wire(const LayerCase& c, const Graph* probe);
  void add_roots(Architecture& a, json& shapes, const Graph& probe);
  void add_other_readers(Architecture& a, json& shapes, const Graph& probe);
  void fill_data(const LayerCase& c);
  void fill_parameters(const LayerCase& c);
  Context context() const;
  Index extent_of(const std::string& symbol) const;

  Setup setup_;
  std::vector<std::string> roots_;
  std::unique_ptr<Network> network_;
  Batch batch_;
  Results states_;
  std::vector<std::string> fixed_;
};

// Numbers that a float holds exactly, drawn for a name.
HostArray random_array(const std::string& name, const Shape& shape, CaseInput::Values values, Index classes);
// `count` entries of an axis from `first`.
HostArray slice_of(const HostArray& a, int axis, Index first, Index count);

}  // namespace squall::testing
