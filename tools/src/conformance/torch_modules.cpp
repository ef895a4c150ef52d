#include "conformance/torch_modules.hpp"

namespace squall::conformance {

TorchTable torch_modules() {
  TorchTable table;
  add_image_modules(table);
  add_linear_modules(table);
  add_norm_modules(table);
  add_attention_modules(table);
  add_recurrent_modules(table);
  add_activation_modules(table);
  add_loss_modules(table);
  return table;
}

void replay_module(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const auto parsed = [&](const char* name) { return parse_json(file.attribute_text("/", name), name); };
  const TorchCase recorded{file, file.attribute_text("/", "module"), parsed("arguments"), parsed("call"),
                           parsed("training").get<bool>()};
  const TorchTable table = torch_modules();
  const auto adapter = table.find(recorded.module);
  if (adapter == table.end()) raise<ConfigError>("there is no module ", recorded.module, " yet");
  const RecordedLayer layer = adapter->second(recorded);
  require_all(file, "/inputs", {&layer.inputs});
  require_all(file, "/outputs", {&layer.outputs});
  require_all(file, "/parameters", {&layer.parameters});
  replay_layer(file, RecordedGroups{}, layer, handler, c);
}

}  // namespace squall::conformance
