// kind = conversion of BeyondML's recordings: masks removed, added, weights in fewer bits.
#include "conformance/beyondml_kinds.hpp"
#include "squall/training/mask_layers.hpp"
#include "squall/training/quantize.hpp"

namespace squall::conformance {

namespace {

DataSource rounded(const DataSource& data) {
  DataSource out = data;
  for (auto& [name, x] : out.fields)
    for (Index i = 0; i < x.elements(); ++i) x.set_value(i, round_to_fp16(x.value(i)));
  return out;
}

void compare_types(const H5Reader& file, RecordedNetwork& net, Comparison& c) {
  const json types = json_attribute(file, "layers_after");
  for (const auto& [node, type] : types.items()) {
    const int n = net.network().graph().find(node);
    c.text("layer " + node, n < 0 ? "none" : std::string(net.network().graph().node(n).layer->type()),
           type.get<std::string>());
  }
}

}  // namespace

void replay_conversion(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  RecordedNetwork net(file, handler);
  const std::string operation = file.attribute_text("/", "operation");
  net.compare_predictions("/predictions_before", *net.data(), c);
  if (operation == "remove_layer_masks") {
    net.replace(remove_masks(net.network()));
  } else if (operation == "add_layer_masks") {
    net.replace(add_masks(net.network()));
  } else if (operation == "quantize_model" && file.attribute_text("/", "target") == "float16") {
    quantize_network(net.network(), Quantization::Fp16);
  } else {
    raise<ConfigError>("the operation ", operation, " is not known");
  }
  compare_types(file, net, c);
  net.compare_state("/after", -1, "after/", c);
  net.compare_predictions("/predictions", operation == "quantize_model" ? rounded(*net.data()) : *net.data(), c);
}

}  // namespace squall::conformance
