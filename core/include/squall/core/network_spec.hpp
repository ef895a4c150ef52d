// Networks in one line: input, criterion and loss of a task wired for you, and hidden layers from a short text.
//
//   SpecNetwork net = create_net_from_spec("D.2 F1200 D F1200 D", {.in_shape = {{784}}, .out_shape = {{10}}});
//
//   spec := { item }            F [act] size                        FullyConnected, rel
//   item := TYPE { arg }        R [act] size                        Recurrent, tanh
//   act  := s sigmoid | t tanh  L [act] size                        Lstm, tanh
//         | r rel | l linear    C [act] filters kernel {pN | sN}    Convolution2D, rel, padding 0, stride 1
//                               P [m|a] kernel {pN | sN}            Pooling2D, max
//                               B                                   BatchNorm
//                               D [probability]                     Dropout, .5; written with a point
// Blanks are allowed everywhere; ':', '/', '|' or a blank separate numbers (C32:5p2).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "squall/core/architecture.hpp"

namespace squall {

enum class TaskType : std::uint8_t { Classification, MultiLabel, Regression };
std::span<const EnumName<TaskType>> enum_names(TaskType);  // classification, multi-label, regression

// The features of one example: 784 or [28, 28, 1].
struct FeatureShape {
  std::vector<Index> values = {};
};
Expectation read_value(const json& j, FeatureShape& out);
void write_value(const FeatureShape& v, json& out);

// What get_in_out_layers has to know; in JSON the keys beside "@spec".
struct InOutOptions {
  TaskType task = TaskType::Classification;
  FeatureShape in_shape = {}, out_shape = {};
  std::string data_name = "default", targets_name = "targets", mask_name = {};
  std::string outlayer_name = "Output", projection_name = {};
  std::optional<bool> use_conv = std::nullopt;
  static constexpr auto fields = std::tuple{
      field("task", &InOutOptions::task,
            "classification (SoftmaxCE), multi-label (SigmoidCE) or regression "
            "(SquaredError)"),
      field("in_shape", &InOutOptions::in_shape, "features of one example: 784 or [28, 28, 1]"),
      field("out_shape", &InOutOptions::out_shape,
            "features of the output: number of classes, labels or values, or "
            "[height, width, that] for one per pixel"),
      field("data_name", &InOutOptions::data_name, "output of Input that gets the examples"),
      field("targets_name", &InOutOptions::targets_name, "output of Input that gets the targets"),
      field("mask_name", &InOutOptions::mask_name, "output of Input that gets the mask of time steps; none if empty"),
      field("outlayer_name", &InOutOptions::outlayer_name, "name of the criterion"),
      field("projection_name", &InOutOptions::projection_name,
            "name of the layer before it; default: the criterion's "
            "with _projection"),
      field("use_conv", &InOutOptions::use_conv,
            "whether the projection is a 1x1 convolution; default: where out_shape "
            "has three axes")};
};

struct InOut {
  Port input;       // leaves from the examples
  Port projection;  // the last layer before the criterion: input >> hidden layers >> projection
  Port criterion;
};
// Adds Input, the projection, the criterion, Loss (and Mask before it where there is a mask) to an architecture.
InOut get_in_out_layers(Architecture& a, const InOutOptions& options);

struct SpecNetwork {
  Architecture architecture;
  json initialize;     // patterns: DenseSqrtFanInOut for each layer with an activation, Gaussian(0.1) for the rest
  std::string output;  // "Output.predictions"
};
// Throws ConfigError that names the position (from 1) of what is no spec.
SpecNetwork create_net_from_spec(std::string_view spec, const InOutOptions& options);

// Whether a description of a network is a spec: {"@spec": "F500 D F500", "in_shape": 784, "out_shape": 10, ...}.
bool is_network_spec(const json& network);
// Throws ConfigError with every problem, prefixed by `where`.
SpecNetwork network_from_spec(const json& network, std::string_view where = "network");
// Either kind of description as an architecture.
Architecture read_architecture(const json& network, std::string_view where = "network");

}  // namespace squall
