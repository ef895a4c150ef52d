// PyTorch's Linear.
#include "conformance/torch_modules.hpp"

namespace squall::conformance {

void add_linear_modules(TorchTable& table) {
  table["Linear"] = [](const TorchCase& c) {
    const bool bias = c.argument("bias", true) == true;
    RecordedLayer r;
    r.type = "Dense";
    r.options = {{"units", c.arguments.at("out_features")}, {"use_bias", bias}};
    r.inputs = {{"x", "default"}};
    r.outputs = {{"y", "Layer.default"}};
    r.parameters = {{"weight", "Layer.W"}};
    if (bias) r.parameters.push_back({"bias", "Layer.bias"});
    return r;
  };
}

}  // namespace squall::conformance
