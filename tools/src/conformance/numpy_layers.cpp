// numpy-ml's recordings: one layer, forward and backward. Examples come first, channels last.
#include <map>

#include "conformance/kinds.hpp"
#include "conformance/layer_replay.hpp"

namespace squall::conformance {

namespace {

struct NumpyCase {
  const H5Reader& file;
  std::string layer;
  json arguments;
  json argument(const char* name, const json& otherwise) const {
    const json value = arguments.value(name, otherwise);
    return value.is_null() ? otherwise : value;
  }
};

std::string activation_of(const NumpyCase& c) {
  const std::string name = c.argument("act_fn", "Identity").get<std::string>();
  if (name == "Identity") return "linear";
  if (name == "ReLU") return "rel";
  if (name == "Tanh") return "tanh";
  if (name == "Sigmoid") return "sigmoid";
  raise<ConfigError>("nothing is known of the activation ", name);
}

// "same" keeps the length whatever the stride; what is odd comes after, all of it before for "causal".
json padding_of(const NumpyCase& c, const std::vector<Index>& kernel, Index stride, Index dilation) {
  json pad = c.argument("pad", 0);
  if (pad.is_array() && pad.size() == 4) return {{pad[0], pad[1]}, {pad[2], pad[3]}};
  if (pad.is_array() && kernel.size() == 1) return json::array({pad});
  if (!pad.is_string()) return pad;
  const Shape image = c.file.read("/X/0").shape();
  json all = json::array();
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const Index size = image[static_cast<int>(i) + 1];
    const Index total = stride * (size - 1) + (kernel[i] - 1) * dilation + 1 - size;
    const Index before = pad == "causal" ? total : total / 2;
    all.push_back({before, total - before});
  }
  return all;
}

Arrange flattened() {
  return [](const HostArray& x) { return x.reshaped(Shape{x.elements()}); };
}

RecordedLayer convolution(const NumpyCase& c) {
  RecordedLayer r;
  r.type = c.layer;
  const json kernel =
      c.layer == "Conv1D" ? json::array({c.arguments.at("kernel_width")}) : c.arguments.at("kernel_shape");
  const Index stride = c.argument("stride", 1).get<Index>();
  const Index dilation = c.argument("dilation", 0).get<Index>() + 1;  // the original counts zeros between taps
  r.options = {{"filters", c.arguments.at("out_ch")}, {"kernel_size", kernel}, {"stride", stride}};
  r.options["padding"] = padding_of(c, kernel.get<std::vector<Index>>(), stride, dilation);
  r.options["activation"] = activation_of(c);
  const bool transposed = c.layer == "Deconv2D";
  if (!transposed) r.options["dilation"] = dilation;
  const auto inputs_first = [](const HostArray& x) { return permuted(x, {2, 0, 1, 3}); };
  r.parameters = {{"W", "Layer.W", transposed ? Arrange(inputs_first) : end_to_axis(0)},
                  {"b", "Layer.bias", flattened()}};
  return r;
}

RecordedLayer pool(const NumpyCase& c) {
  RecordedLayer r;
  r.type = c.layer;
  const json kernel = c.arguments.at("kernel_shape");
  const Index stride = c.argument("stride", 1).get<Index>();
  r.options = {{"kernel_size", kernel}, {"stride", stride}, {"mode", c.argument("mode", "max")}};
  r.options["padding"] = padding_of(c, kernel.get<std::vector<Index>>(), stride, 1);
  return r;
}

RecordedLayer fully_connected(const NumpyCase& c) {
  RecordedLayer r;
  r.type = "FullyConnected";
  r.options = {{"size", c.arguments.at("n_out")}, {"activation", activation_of(c)}};
  r.parameters = {{"W", "Layer.W", axis_to_end(0)}, {"b", "Layer.bias", flattened()}};
  return r;
}

// The original does not mask the gradient of W; here what is masked has none.
RecordedLayer sparse_evolution(const NumpyCase& c) {
  RecordedLayer r;
  r.type = "MaskedDense";
  r.options = {{"units", c.arguments.at("n_out")}, {"activation", activation_of(c)}};
  const auto masked = [mask = c.file.read("/parameters/W_mask")](const HostArray& w) {
    HostArray kept = w;
    for (Index i = 0; i < kept.elements(); ++i) kept.set_value(i, w.value(i) * mask.value(i));
    return permuted(kept, {1, 0});
  };
  r.parameters = {{"W", "Layer.W", masked}, {"b", "Layer.bias", flattened()}};
  r.masks = {{"W_mask", "Layer.W", axis_to_end(0)}};
  return r;
}

// The sum or product of all inputs, then the activation.
RecordedLayer combined(const NumpyCase& c) {
  RecordedLayer r;
  const std::string type = c.layer == "Add" ? "SumLayer" : "Multiply";
  const std::size_t count = c.file.children("/X").size();
  for (std::size_t i = 1; i < count; ++i) r.inputs.push_back({std::to_string(i), ""});
  r.wire = [count, type, activation = activation_of(c)](Architecture& a) {
    json names = json::array();
    for (std::size_t i = 0; i < count; ++i) names.push_back(concat("x", i));
    a.add("All", type, {{"tasks", names}});
    a.add("Layer", "Elementwise", {{"activation", activation}});
    for (std::size_t i = 0; i < count; ++i) a.connect({"Input", concat("in_", i), "All", concat("x", i)});
    a.connect({"All", "default", "Layer", "default"});
  };
  return r;
}

RecordedLayer softmax(const NumpyCase&) {
  RecordedLayer r;
  r.type = "Elementwise";
  r.options = {{"activation", "softmax"}};
  return r;
}

RecordedLayer flatten(const NumpyCase& c) {
  RecordedLayer r;
  r.type = "Flatten";
  if (c.argument("keep_dim", "first") == "last") r.options["keep_last"] = true;
  return r;
}

// "scaler" and "intercept"; the running statistics of the recordings are those after two passes.
RecordedLayer normalisation(const NumpyCase& c) {
  RecordedLayer r;
  r.type = c.layer;
  r.options = {{"epsilon", c.argument("epsilon", 1e-5)}};
  r.parameters = {{"scaler", "Layer.weight"}, {"intercept", "Layer.bias"}};
  if (!c.layer.starts_with("Batch")) return r;
  r.options["momentum"] = 1.0 - c.argument("momentum", 0.9).get<double>();  // the original's is that of the old ones
  r.options["unbiased"] = false;
  return r;
}

RecordedLayer embedding(const NumpyCase& c) {
  RecordedLayer r;
  r.type = "Embedding";
  r.options = {{"num_embeddings", c.arguments.at("vocab_size")},
               {"embedding_dim", c.arguments.at("n_out")},
               {"pool", c.argument("pool", "none")}};
  r.parameters = {{"W", "Layer.W"}};
  return r;
}

using Adapter = RecordedLayer (*)(const NumpyCase&);
const std::map<std::string, Adapter>& adapters() {
  static const std::map<std::string, Adapter> kAdapters{{"Conv1D", convolution},
                                                        {"Conv2D", convolution},
                                                        {"Deconv2D", convolution},
                                                        {"Pool2D", pool},
                                                        {"FullyConnected", fully_connected},
                                                        {"Add", combined},
                                                        {"Multiply", combined},
                                                        {"Softmax", softmax},
                                                        {"Flatten", flatten},
                                                        {"BatchNorm1D", normalisation},
                                                        {"BatchNorm2D", normalisation},
                                                        {"LayerNorm1D", normalisation},
                                                        {"LayerNorm2D", normalisation},
                                                        {"Embedding", embedding},
                                                        {"SparseEvolution", sparse_evolution}};
  return kAdapters;
}

}  // namespace

void replay_numpy_layer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const NumpyCase recorded{file, file.attribute_text("/", "layer"),
                           parse_json(file.attribute_text("/", "arguments"), "arguments")};
  const auto adapter = adapters().find(recorded.layer);
  if (adapter == adapters().end()) raise<ConfigError>("there is no layer ", recorded.layer, " yet");
  RecordedLayer layer = adapter->second(recorded);
  layer.inputs.insert(layer.inputs.begin(), {"0", "default"});
  layer.outputs = {{"", "Layer.default"}};
  if (recorded.argument("pool", nullptr).is_string())  // (n, 1, width)
    layer.outputs[0].arrange = [](const HostArray& y) { return y.reshaped(Shape{y.shape()[0], y.shape()[-1]}); };
  if (recorded.argument("keep_dim", nullptr) == "last")  // the rows of all examples are one axis there
    layer.outputs[0].arrange = [n = file.read("/X/0").shape()[0]](const HostArray& y) {
      return y.reshaped(Shape{n, y.shape()[0] / n, y.shape()[1]});
    };
  require_all(file, "/X", {&layer.inputs});
  const std::vector<RecordedTensor> running{{"running_mean", ""}, {"running_var", ""}};
  require_all(file, "/parameters", {&layer.parameters, &layer.masks, &running});
  RecordedGroups groups;
  groups.inputs = "/X/", groups.outputs = "/Y", groups.output_gradients = "/dLdY", groups.input_gradients = "/dLdX/";
  replay_layer(file, groups, layer, handler, c);
}

}  // namespace squall::conformance
