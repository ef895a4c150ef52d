// PyTorch's recurrent layers and cells. States have the batch first with us, steps are always in front of the batch.
#include "conformance/torch_modules.hpp"

namespace squall::conformance {

namespace {

Arrange axes_swapped() {
  return [](const HostArray& x) { return permuted(x, {1, 0, 2}); };
}

void add_parameters(const TorchCase& c, RecordedLayer& m) {
  for (const auto& name : c.file.children("/parameters")) m.parameters.push_back({name, "Layer." + name});
}

void copy_options(const TorchCase& c, RecordedLayer& m, const std::vector<std::string>& names) {
  m.type = c.module;
  for (const auto& name : names)
    if (c.arguments.contains(name)) m.options[name] = c.arguments[name];
}

RecordedLayer layers(const TorchCase& c) {
  RecordedLayer m;
  copy_options(c, m, {"hidden_size", "num_layers", "bidirectional", "bias", "nonlinearity", "proj_size", "dropout"});
  const Arrange steps = c.argument("batch_first", false) == true ? axes_swapped() : Arrange();
  m.inputs = {{"x", "default", steps, {"T", "B"}}};
  m.outputs = {{"y", "Layer.default", steps, {"T", "B"}}};
  for (const std::string name : {"h0", "c0"})
    if (c.file.exists("/inputs/" + name)) m.inputs.push_back({name, name, axes_swapped()});
  for (const std::string name : {"hn", "cn"})
    if (c.file.exists("/outputs/" + name)) m.outputs.push_back({name, "Layer." + name, axes_swapped()});
  const auto column = [](const HostArray& x) { return x.reshaped(x.shape().with_back(1)); };
  if (c.file.exists("/inputs/lengths")) m.inputs.push_back({"lengths", "lengths", column});
  add_parameters(c, m);
  return m;
}

RecordedLayer cell(const TorchCase& c) {
  RecordedLayer m;
  copy_options(c, m, {"hidden_size", "bias", "nonlinearity"});
  m.inputs = {{"x", "default"}};
  m.outputs = {{"hn", "Layer.default"}};
  for (const std::string name : {"h0", "c0"})
    if (c.file.exists("/inputs/" + name)) m.inputs.push_back({name, name});
  if (c.file.exists("/outputs/cn")) m.outputs.push_back({"cn", "Layer.cn"});
  add_parameters(c, m);
  return m;
}

}  // namespace

void add_recurrent_modules(TorchTable& table) {
  for (const std::string name : {"RNN", "LSTM", "GRU"}) {
    table[name] = layers;
    table[name + "Cell"] = cell;
  }
}

}  // namespace squall::conformance
