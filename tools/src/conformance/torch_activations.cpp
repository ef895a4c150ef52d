// PyTorch's activations, and Bilinear. Its channels are axis 1, ours the last.
#include "conformance/torch_modules.hpp"

namespace squall::conformance {

namespace {

// Whether a function of the channels works on axis 1 of x.
bool in_front(const TorchCase& c, bool by_channel) {
  const int rank = c.file.read("/inputs/x").shape().rank();
  return by_channel && rank > 2;
}

RecordedLayer elements(const std::string& type, bool channels_in_front) {
  RecordedLayer m;
  m.type = type;
  const Arrange arrange = channels_in_front ? axis_to_end(1) : Arrange();
  m.inputs = {{"x", "default", arrange}};
  m.outputs = {{"y", "Layer.default", arrange}};
  return m;
}

RecordedLayer function(const TorchCase& c, const std::string& name) {
  RecordedLayer m = elements("Activation", in_front(c, c.argument("dim", -1) == 1));
  m.options = {{"function", name}};
  for (const auto& [argument, value] : c.arguments.items())
    if (argument == "lambd")
      m.options["lambda"] = value;
    else if (argument != "dim" && argument != "approximate" && argument != "inplace")
      m.options[argument] = value;
  return m;
}

RecordedLayer prelu(const TorchCase& c) {
  const json count = c.argument("num_parameters", 1);
  RecordedLayer m = elements("PReLU", in_front(c, count != 1));
  m.options = {{"num_parameters", count}};
  m.parameters = {{"weight", "Layer.weight"}};
  return m;
}

RecordedLayer bilinear(const TorchCase& c) {
  RecordedLayer m;
  m.type = "Bilinear";
  const bool bias = c.argument("bias", true) == true;
  m.options = {{"units", c.arguments.at("out_features")}, {"use_bias", bias}};
  m.inputs = {{"x1", "default"}, {"x2", "other"}};
  m.outputs = {{"y", "Layer.default"}};
  m.parameters = {{"weight", "Layer.W"}};
  if (bias) m.parameters.push_back({"bias", "Layer.bias"});
  return m;
}

}  // namespace

void add_activation_modules(TorchTable& table) {
  const std::map<std::string, std::string> names{{"ReLU", "relu"},
                                                 {"ReLU6", "relu6"},
                                                 {"LeakyReLU", "leaky_relu"},
                                                 {"ELU", "elu"},
                                                 {"CELU", "celu"},
                                                 {"SELU", "selu"},
                                                 {"SiLU", "silu"},
                                                 {"Mish", "mish"},
                                                 {"Sigmoid", "sigmoid"},
                                                 {"LogSigmoid", "logsigmoid"},
                                                 {"Hardsigmoid", "hardsigmoid"},
                                                 {"Hardswish", "hardswish"},
                                                 {"Hardtanh", "hardtanh"},
                                                 {"Hardshrink", "hardshrink"},
                                                 {"Softshrink", "softshrink"},
                                                 {"Softplus", "softplus"},
                                                 {"Softsign", "softsign"},
                                                 {"Tanh", "tanh"},
                                                 {"Tanhshrink", "tanhshrink"},
                                                 {"Softmax", "softmax"},
                                                 {"LogSoftmax", "logsoftmax"}};
  for (const auto& [theirs, ours] : names)
    table[theirs] = [name = ours](const TorchCase& c) { return function(c, name); };
  table["GELU"] = [](const TorchCase& c) {
    return function(c, c.argument("approximate", "none") == "tanh" ? "gelu_tanh" : "gelu");
  };
  table["GLU"] = [](const TorchCase& c) { return elements("GLU", in_front(c, c.argument("dim", -1) == 1)); };
  table["PReLU"] = prelu;
  table["Bilinear"] = bilinear;
}

}  // namespace squall::conformance
