// PyTorch's convolutions, pools and upsampling. Its images have the channels first, ours last.
#include "conformance/torch_modules.hpp"

namespace squall::conformance {

namespace {

// x to y through one layer of images with so many axes.
RecordedLayer image_module(const TorchCase& c, int axes, const std::string& type) {
  const bool batched = c.file.read("/inputs/x").shape().rank() == axes + 2;
  RecordedLayer m;
  m.type = type;
  const std::vector<std::string> leading(batched ? 1 : 0, "B");
  m.inputs = {{"x", "default", axis_to_end(batched ? 1 : 0), leading}};
  m.outputs = {{"y", "Layer.default", axis_to_end(batched ? 1 : 0), leading}};
  return m;
}

// Arguments that have the same name with us.
void copy_options(const TorchCase& c, RecordedLayer& m, const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (c.arguments.contains(name) && !c.arguments[name].is_null()) m.options[name] = c.arguments[name];
}

RecordedLayer convolution(const TorchCase& c, int axes, bool transposed) {
  RecordedLayer m = image_module(c, axes, concat(transposed ? "ConvTranspose" : "Conv", axes, "D"));
  copy_options(c, m, {"kernel_size", "stride", "padding", "dilation", "groups"});
  copy_options(c, m, {transposed ? "output_padding" : "padding_mode"});
  m.options["filters"] = c.arguments.at("out_channels");
  m.options["use_bias"] = c.argument("bias", true);
  m.parameters = {{"weight", "Layer.W", axis_to_end(1)}};
  if (c.argument("bias", true) == true) m.parameters.push_back({"bias", "Layer.bias"});
  return m;
}

RecordedLayer max_pool(const TorchCase& c, int axes) {
  RecordedLayer m = image_module(c, axes, concat("MaxPool", axes, "D"));
  copy_options(c, m, {"kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"});
  if (c.argument("return_indices", false) == true) {
    m.outputs.push_back(m.outputs[0]);
    m.outputs[1].recorded = "indices";
    m.outputs[1].ours = "Layer.indices";
  }
  return m;
}

RecordedLayer avg_pool(const TorchCase& c, int axes) {
  RecordedLayer m = image_module(c, axes, concat("AvgPool", axes, "D"));
  copy_options(c, m, {"kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"});
  return m;
}

RecordedLayer adaptive_pool(const TorchCase& c, int axes, const std::string& kind) {
  RecordedLayer m = image_module(c, axes, concat("Adaptive", kind, "Pool", axes, "D"));
  copy_options(c, m, {"output_size"});
  return m;
}

RecordedLayer upsample(const TorchCase& c) {
  RecordedLayer m = image_module(c, c.file.read("/inputs/x").shape().rank() - 2, "Upsample");
  copy_options(c, m, {"size", "scale_factor", "mode", "align_corners"});
  return m;
}

}  // namespace

void add_image_modules(TorchTable& table) {
  for (int axes = 1; axes <= 3; ++axes) {
    const std::string d = concat(axes, "d");
    table["Conv" + d] = [axes](const TorchCase& c) { return convolution(c, axes, false); };
    table["ConvTranspose" + d] = [axes](const TorchCase& c) { return convolution(c, axes, true); };
    table["MaxPool" + d] = [axes](const TorchCase& c) { return max_pool(c, axes); };
    table["AvgPool" + d] = [axes](const TorchCase& c) { return avg_pool(c, axes); };
    table["AdaptiveAvgPool" + d] = [axes](const TorchCase& c) { return adaptive_pool(c, axes, "Avg"); };
    table["AdaptiveMaxPool" + d] = [axes](const TorchCase& c) { return adaptive_pool(c, axes, "Max"); };
  }
  table["Upsample"] = upsample;
  table["PixelShuffle"] = [](const TorchCase& c) {
    RecordedLayer m = image_module(c, 2, "PixelShuffle");
    copy_options(c, m, {"upscale_factor"});
    return m;
  };
}

}  // namespace squall::conformance
