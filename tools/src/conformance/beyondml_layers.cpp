// kind = layer of BeyondML's recordings, both flavours.
#include <array>
#include <set>

#include "conformance/kinds.hpp"
#include "conformance/layer_replay.hpp"

namespace squall::conformance {

namespace {

struct LayerCase {
  const H5Reader& file;
  std::string layer;
  json arguments;
  bool torch = false, multi = false;  // multi: the weights have a task axis
  Index inputs = 0, outputs = 0;

  explicit LayerCase(const H5Reader& f)
      : file(f),
        layer(f.attribute_text("/", "layer")),
        arguments(parse_json(f.attribute_text("/", "arguments"), "arguments")),
        torch(f.attribute_text("/", "flavour") == "torch"),
        inputs(static_cast<Index>(f.children("/X").size())),
        outputs(static_cast<Index>(f.children("/Y").size())) {
    multi = layer.find("Multi") != std::string::npos;
  }
  int axes() const { return layer.find("3D") != std::string::npos ? 3 : layer.find("2D") != std::string::npos ? 2 : 0; }
  Shape weights() const { return file.read("/parameters/w").shape(); }
};

std::string task_name(Index i) { return concat("t", i); }

// Inputs and outputs with the channels last. Layers whose inputs may differ get a batch size for each.
void add_ports(const LayerCase& c, RecordedLayer& r, bool own_sizes) {
  const Arrange last = c.torch && c.axes() > 0 ? axis_to_end(1) : Arrange();
  const auto leading = [&](const std::string& path, Index i) {
    std::vector<std::string> names{own_sizes && c.inputs > 1 ? "B_" + task_name(i) : "B"};
    if (c.axes() == 0 && c.file.read(path).shape().rank() == 3) names.insert(names.begin(), "T");
    return names;
  };
  const bool listed = c.file.attribute_int("/", "input_is_list") != 0;
  const bool many = c.file.attribute_int("/", "output_is_list") != 0;
  for (Index i = 0; i < c.inputs; ++i) {
    const std::string name = std::to_string(i);
    r.inputs.push_back({name, listed ? task_name(i) : "default", last, leading("/X/" + name, i)});
  }
  for (Index i = 0; i < c.outputs; ++i) {
    const std::string name = std::to_string(i);
    r.outputs.push_back({name, concat("Layer.", many ? task_name(i) : "default"), last, leading("/Y/" + name, i)});
  }
  if (!listed) return;
  r.options["tasks"] = json::array();
  for (Index i = 0; i < c.inputs; ++i) r.options["tasks"].push_back(task_name(i));
}

// The slices of tasks that have an input, then `inner`.
Arrange used_slices(const LayerCase& c, Arrange inner) {
  if (!c.multi) return inner;
  return [count = c.inputs, inner = std::move(inner)](const HostArray& x) {
    const HostArray used = HostArray::copy_of(ConstTensor(x.view()).slice(0, count));
    return inner ? inner(used) : used;
  };
}

// W and bias with their masks; `arrange` is that of one W with its task axis, if any.
void add_weights(const LayerCase& c, RecordedLayer& r, const Arrange& arrange) {
  const bool bias = c.file.exists("/parameters/b");
  r.options["use_bias"] = bias;
  r.parameters.push_back({"w", "Layer.W", used_slices(c, arrange)});
  if (bias) r.parameters.push_back({"b", "Layer.bias", used_slices(c, {})});
  if (c.file.exists("/parameters/w_mask")) r.masks.push_back({"w_mask", "Layer.W", used_slices(c, arrange)});
  if (c.file.exists("/parameters/b_mask")) r.masks.push_back({"b_mask", "Layer.bias", used_slices(c, {})});
}

void copy_options(const LayerCase& c, RecordedLayer& r, const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (c.arguments.contains(name) && !c.arguments[name].is_null()) r.options[name] = c.arguments[name];
}

RecordedLayer dense(const LayerCase& c) {
  RecordedLayer r;
  add_ports(c, r, true);
  copy_options(c, r, {"activation"});
  r.options["units"] = c.weights()[-1];
  add_weights(c, r, axis_to_end(c.multi ? 1 : 0));
  return r;
}

// Kernels are (F, C, k...) or (k..., C, F), ours (F, k..., C).
RecordedLayer convolution(const LayerCase& c) {
  RecordedLayer r;
  add_ports(c, r, true);
  copy_options(c, r, {"activation", "padding", "strides"});
  const Shape w = c.multi ? c.weights().from(1) : c.weights();
  r.options["filters"] = c.torch ? w[0] : w[-1];
  r.options["kernel_size"] = json::array();
  for (int i = 0; i < c.axes(); ++i) r.options["kernel_size"].push_back(w[c.torch ? i + 2 : i]);
  const int first = c.multi ? 1 : 0;
  add_weights(c, r, c.torch ? axis_to_end(first + 1) : end_to_axis(first));
  return r;
}

RecordedLayer max_pool(const LayerCase& c) {
  RecordedLayer r;
  add_ports(c, r, true);
  if (!c.torch) {
    copy_options(c, r, {"pool_size", "strides", "padding"});
    return r;
  }
  r.options["pool_size"] = c.arguments.at("kernel_size");
  r.options["strides"] = c.arguments.value("stride", c.arguments.at("kernel_size"));
  r.options["padding"] = c.arguments.value("padding", json(0));
  copy_options(c, r, {"dilation"});
  return r;
}

RecordedLayer simple(const LayerCase& c) {
  RecordedLayer r;
  add_ports(c, r, false);
  copy_options(c, r, {"sel_index", "is_on"});
  return r;
}

// One input is queries, keys and values; two are queries, and keys that are values, too.
RecordedLayer attention(const LayerCase& c) {
  RecordedLayer r;
  r.options = {{"embed_dim", c.arguments.at("embed_dim")}, {"num_heads", c.arguments.at("num_heads")}};
  const bool alone = c.file.read("/X/0").shape().rank() == 2;  // one example
  const json first = c.arguments.value("batch_first", json(false));
  const bool batch_first = alone || first == json(true) || first == json(1);
  const auto leading = [&](const std::string& time) {
    return alone         ? std::vector<std::string>{}
           : batch_first ? std::vector<std::string>{"B"}
                         : std::vector<std::string>{time, "B"};
  };
  constexpr std::array<const char*, 3> ports{"default", "key", "value"};
  for (Index i = 0; i < c.inputs; ++i)
    r.inputs.push_back({std::to_string(i), ports[static_cast<std::size_t>(i)], {}, leading(i == 0 ? "T" : "T_keys")});
  r.outputs = {{"0", "Layer.default", {}, leading("T")}};
  if (c.outputs > 1) {
    r.options["need_weights"] = true;
    if (!batch_first) r.options["weight_keys"] = c.file.read("/Y/1").shape()[-1];
    const auto steps_first = [](const HostArray& x) { return permuted(x, {1, 0, 2}); };
    r.outputs.push_back({"1", "Layer.weights", batch_first ? Arrange() : Arrange(steps_first), leading("T")});
  }
  for (const auto& [theirs, ours] : {std::pair("in_w", "in_proj_weight"), std::pair("in_b", "in_proj_bias"),
                                     std::pair("out_w", "out_proj_weight"), std::pair("out_b", "out_proj_bias")}) {
    r.parameters.push_back({theirs, concat("Layer.", ours)});
    r.masks.push_back({concat(theirs, "_mask"), concat("Layer.", ours)});
  }
  return r;
}

// Recorded in evaluation: nothing is dropped.
RecordedLayer positions(const LayerCase& c) {
  RecordedLayer r;
  r.options = {{"seq_len", c.arguments.at("seq_len")}, {"dropout", 0.0}};
  r.inputs = {{"0", "default"}};
  r.outputs = {{"0", "Layer.default"}};
  return r;
}

}  // namespace

void replay_beyondml_layer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const LayerCase recorded(file);
  static const std::set<std::string> kSimple{"SelectorLayer", "SumLayer", "FilterLayer", "MultitaskNormalization"};
  RecordedLayer layer;
  if (recorded.layer.ends_with("Dense"))
    layer = dense(recorded);
  else if (recorded.layer.ends_with("Conv2D") || recorded.layer.ends_with("Conv3D"))
    layer = convolution(recorded);
  else if (recorded.layer.starts_with("MultiMaxPool"))
    layer = max_pool(recorded);
  else if (recorded.layer == "MaskedMultiHeadAttention")
    layer = attention(recorded);
  else if (recorded.layer == "PositionalEncoding")
    layer = positions(recorded);
  else if (kSimple.contains(recorded.layer))
    layer = simple(recorded);
  else
    raise<ConfigError>("there is no layer ", recorded.layer, " yet");
  layer.type = recorded.layer;
  const std::vector<RecordedTensor> made{{"pe", ""}};  // not a parameter: made anew from the length
  require_all(file, "/parameters", {&layer.parameters, &layer.masks, &made});
  RecordedGroups groups;
  groups.inputs = "/X/", groups.outputs = "/Y/", groups.output_gradients = "/dLdY/", groups.input_gradients = "/dLdX/";
  replay_layer(file, groups, layer, handler, c);
}

}  // namespace squall::conformance
