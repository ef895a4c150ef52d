#include "squall/core/residual_blocks.hpp"

namespace squall {

namespace {

void require(const std::string& block, const char* what, Index value) {
  if (value < 1) raise<ConfigError>(block, ": ", what, " should be a positive whole number, not ", value);
}

Port sum(Architecture& a, const std::string& name, const Port& one, const Port& other) {
  const Port made = a.add(name, "SumLayer", {{"tasks", {"one", "other"}}});
  one >> ("one" - made);
  other >> ("other" - made);
  return made;
}

}  // namespace

WaveNetBlock build_wavenet_block(Architecture& a, const std::string& name, const Port& input,
                                 const WaveNetOptions& options) {
  require(name, "channels", options.channels);
  require(name, "gate_channels", options.gate_channels);
  require(name, "kernel", options.kernel);
  require(name, "dilation", options.dilation);
  if (options.skip_channels) require(name, "skip_channels", *options.skip_channels);
  const auto causal = [&](const char* what, const char* activation) {
    return input >> a.add(name + what, "Conv1D",
                          {{"filters", options.gate_channels},
                           {"kernel_size", options.kernel},
                           {"dilation", options.dilation},
                           {"padding", "causal"},
                           {"activation", activation}});
  };
  const auto project = [&](const char* what, const Port& from, Index filters) {
    return from >> a.add(name + what, "Conv1D", {{"filters", filters}, {"kernel_size", 1}});
  };
  Port value = causal("_filter", options.one_filter ? "linear" : "tanh"), gate = value;
  if (options.one_filter) {
    gate = value >> a.add(name + "_gate", "Elementwise", {{"activation", "sigmoid"}});
    value = value >> a.add(name + "_value", "Elementwise", {{"activation", "tanh"}});
  } else {
    gate = causal("_gate", "sigmoid");
  }
  const Port gated = a.add(name + "_gated", "Multiply", {{"tasks", {"value", "gate"}}});
  value >> ("value" - gated);
  gate >> ("gate" - gated);
  const Port projection = project("_projection", gated, options.channels);
  const Port skip = options.skip_channels ? project("_skip", gated, *options.skip_channels) : projection;
  return {sum(a, name + "_sum", input, projection), skip};
}

Port build_residual_block(Architecture& a, const std::string& name, const Port& input, const ResidualOptions& options) {
  require(name, "filters", options.filters);
  require(name, "out_filters", options.out_filters);
  require(name, "kernel", options.kernel);
  require(name, "stride", options.stride);
  const auto normed = [&](const Port& from, const std::string& conv, const std::string& norm, const json& how) {
    json all{{"use_bias", false}};  // the norm has one
    all.update(how);
    return from >> a.add(name + conv, "Conv2D", all) >>
           a.add(name + norm, "BatchNorm2D", {{"epsilon", options.epsilon}});
  };
  const auto bent = [&](const char* what, const Port& from) {
    return from >> a.add(name + what, "Elementwise", {{"activation", options.activation}});
  };
  const Index before = (options.kernel - 1) / 2, after = options.kernel - 1 - before;
  const json padding{{before, after}, {before, after}};
  Port x = normed(input, "_conv1", "_norm1",
                  {{"filters", options.filters},
                   {"kernel_size", options.kernel},
                   {"strides", options.stride},
                   {"padding", padding}});
  x = normed(bent("_act1", x), "_conv2", "_norm2",
             {{"filters", options.out_filters}, {"kernel_size", options.kernel}, {"padding", padding}});
  Port around = input;
  if (options.projected)
    around = normed(
        input, "_around", "_norm_around",
        {{"filters", options.out_filters}, {"kernel_size", 1}, {"strides", options.stride}, {"padding", "valid"}});
  return bent("_act2", sum(a, name + "_sum", around, x));
}

}  // namespace squall
