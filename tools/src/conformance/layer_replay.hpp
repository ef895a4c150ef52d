// Replays one recorded layer: a small network, its inputs, what comes back into its outputs, and all that was recorded
// to compare with. Each family of recordings says which layer it is and where its tensors are with us.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance/compare.hpp"
#include "squall/core/json.hpp"
#include "squall/core/network.hpp"
#include "squall/io/h5_file.hpp"

namespace squall::conformance {

// The recorded array in our layout.
using Arrange = std::function<HostArray(const HostArray&)>;

// A tensor of the recording and where it is with us.
struct RecordedTensor {
  std::string recorded;                      // "x", "weight", "bias_ih_l0", ...
  std::string ours;                          // inputs: port of the layer; others: "Layer.default", "Layer.W"
  Arrange arrange = {};                      // empty: it is as ours
  std::vector<std::string> leading = {"B"};  // inputs, outputs: which axes in front are time and batch
};

struct RecordedLayer {
  std::string type;                              // of the one layer, "Layer"
  json options = json::object();                 // its options
  std::function<void(Architecture&)> wire = {};  // adds and connects layers instead, where one does not do
  std::vector<RecordedTensor> inputs, outputs, parameters, states;
  std::vector<RecordedTensor> masks;  // of parameters, beside them in the file
  bool training = true;               // the mode of the recording
  bool differentiate = true;          // false: only outputs are compared
  // Input i and output i belong to pass i: the same layer sees them one after another, gradients are summed up.
  bool in_turn = false;
};

// Where a family of recordings has what; a tensor's name follows.
struct RecordedGroups {
  std::string inputs = "/inputs/", outputs = "/outputs/", output_gradients = "/output_gradients/";
  std::string input_gradients = "/input_gradients/", parameters = "/parameters/", gradients = "/gradients/";
  std::string states = "/buffers/", states_after = "/buffers_after/";
};

void replay_layer(const H5Reader& file, const RecordedGroups& groups, const RecordedLayer& layer,
                  const std::shared_ptr<Handler>& handler, Comparison& c);

// Everything that was recorded in this group must have a place with us.
void require_all(const H5Reader& file, const std::string& group,
                 const std::vector<const std::vector<RecordedTensor>*>& known);

// A copy with axes in another order: axis i of the copy is axis order[i] of x.
HostArray permuted(const HostArray& x, const std::vector<int>& order);
// Axis `axis` goes to the end, or the last one there.
Arrange axis_to_end(int axis);
Arrange end_to_axis(int axis);

}  // namespace squall::conformance
