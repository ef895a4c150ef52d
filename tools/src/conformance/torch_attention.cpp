// PyTorch's attention and transformers.
#include <algorithm>
#include <limits>

#include "conformance/torch_modules.hpp"

namespace squall::conformance {

namespace {

using Names = std::vector<std::string>;

// All parameters, whose names are ours with '/' for '_'.
void add_parameters(const H5Reader& file, const std::string& group, RecordedLayer& m) {
  for (const auto& child : file.children("/parameters" + group)) {
    const std::string name = group + "/" + child;
    if (file.is_group("/parameters" + name)) {
      add_parameters(file, name, m);
      continue;
    }
    std::string ours = name.substr(1);
    std::ranges::replace(ours, '/', '_');
    const bool flat = ours == "bias_k" || ours == "bias_v";
    const auto flatten = [](const HostArray& x) { return x.reshaped(Shape{x.elements()}); };
    m.parameters.push_back({name.substr(1), "Layer." + ours, flat ? Arrange(flatten) : Arrange()});
  }
}

HostArray flags_as_added(const HostArray& x) {
  HostArray out(DType::F64, x.shape());
  for (Index i = 0; i < x.elements(); ++i)
    out.set_value(i, x.value(i) != 0 ? -std::numeric_limits<double>::infinity() : 0.0);
  return out;
}

bool is_added(const TorchCase& c, const std::string& mask) {
  return c.file.exists("/inputs/" + mask) && is_real(c.file.read("/inputs/" + mask).dtype());
}

// The masks of one attention: (queries, keys) or (examples x heads, queries, keys), and (examples, keys).
void add_masks(const TorchCase& c, RecordedLayer& m, const std::string& mask, const std::string& padding, Index heads,
               bool added) {
  const auto arrange = [&](const std::string& name) -> Arrange {
    const bool flags = !is_real(c.file.read("/inputs/" + name).dtype());
    const bool each = name == mask && c.file.read("/inputs/" + name).shape().rank() == 3;
    if (!flags && !each) return {};
    return [=](const HostArray& x) {
      const HostArray y = flags && added ? flags_as_added(x) : x;
      const Shape s = x.shape();
      return each ? y.reshaped(Shape{s[0] / heads, heads, s[1], s[2]}) : y;
    };
  };
  if (c.file.exists("/inputs/" + mask)) {
    const bool each = c.file.read("/inputs/" + mask).shape().rank() == 3;
    m.inputs.push_back({mask, mask, arrange(mask), each ? Names{"B"} : Names{}});
  }
  if (c.file.exists("/inputs/" + padding)) m.inputs.push_back({padding, padding, arrange(padding), {"B"}});
}

Names leading(bool batch_first, const std::string& time) { return batch_first ? Names{"B"} : Names{time, "B"}; }

RecordedLayer attention(const TorchCase& c) {
  RecordedLayer m;
  m.type = "MultiHeadAttention";
  m.training = c.training;
  for (const char* name : {"embed_dim", "num_heads", "bias", "add_bias_kv", "add_zero_attn", "kdim", "vdim"})
    if (c.arguments.contains(name) && !c.arguments[name].is_null()) m.options[name] = c.arguments[name];
  const bool first = c.argument("batch_first", false) == true;
  m.inputs = {{"query", "default", {}, leading(first, "T")}};
  for (const std::string name : {"key", "value"})
    if (c.file.exists("/inputs/" + name)) m.inputs.push_back({name, name, {}, leading(first, "T_keys")});
  const bool added = is_added(c, "attn_mask") || is_added(c, "key_padding_mask");
  m.options["added_masks"] = added;
  add_masks(c, m, "attn_mask", "key_padding_mask", c.arguments.at("num_heads").get<Index>(), added);
  m.outputs = {{"y", "Layer.default", {}, leading(first, "T")}};
  if (c.file.exists("/outputs/weights")) {
    const bool averaged = c.call.value("average_attn_weights", true);
    m.options["need_weights"] = true;
    m.options["average_attn_weights"] = averaged;
    if (!first) m.options["weight_keys"] = c.file.read("/outputs/weights").shape()[-1];
    const std::vector<int> order = averaged ? (first ? std::vector<int>{0, 1, 2} : std::vector<int>{1, 0, 2})
                                   : first  ? std::vector<int>{0, 2, 1, 3}
                                            : std::vector<int>{2, 0, 1, 3};
    m.outputs.push_back(
        {"weights", "Layer.weights", [order](const HostArray& x) { return permuted(x, order); }, leading(first, "T")});
  }
  add_parameters(c.file, "", m);
  return m;
}

RecordedLayer scaled_dot_product(const TorchCase& c) {
  RecordedLayer m;
  m.type = "ScaledDotProductAttention";
  m.options = {{"is_causal", c.call.value("is_causal", false)}, {"added_mask", is_added(c, "attn_mask")}};
  if (c.call.contains("scale") && !c.call["scale"].is_null()) m.options["scale"] = c.call["scale"];
  m.inputs = {{"query", "default"}, {"key", "key"}, {"value", "value"}};
  if (c.file.exists("/inputs/attn_mask")) {
    const HostArray mask = c.file.read("/inputs/attn_mask");
    const auto forbidden = [](const HostArray& x) {  // there 1 allows
      HostArray out(DType::U8, x.shape());
      for (Index i = 0; i < x.elements(); ++i) out.set_value(i, x.value(i) == 0 ? 1 : 0);
      return out;
    };
    m.inputs.push_back({"attn_mask", "attn_mask", is_real(mask.dtype()) ? Arrange() : Arrange(forbidden),
                        mask.shape().rank() > 2 ? Names{"B"} : Names{}});
  }
  m.outputs = {{"y", "Layer.default"}};
  return m;
}

RecordedLayer transformer(const TorchCase& c, bool decoder) {
  RecordedLayer m;
  m.type = c.module;
  m.training = c.training;
  for (const char* name :
       {"d_model", "nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps", "norm_first", "bias"})
    if (c.arguments.contains(name)) m.options[name] = c.arguments[name];
  const bool first = c.argument("batch_first", false) == true;
  const Index heads = c.arguments.at("nhead").get<Index>();
  const std::string input = decoder ? "tgt" : "src";
  m.inputs = {{input, "default", {}, leading(first, "T")}};
  if (decoder) m.inputs.push_back({"memory", "memory", {}, leading(first, "T_memory")});
  bool added = false;
  for (const std::string of : {"src", "tgt", "memory"})
    for (const std::string mask : {"_mask", "_key_padding_mask"}) added = added || is_added(c, of + mask);
  m.options["added_masks"] = added;
  add_masks(c, m, input + "_mask", input + "_key_padding_mask", heads, added);
  if (decoder) add_masks(c, m, "memory_mask", "memory_key_padding_mask", heads, added);
  m.outputs = {{"y", "Layer.default", {}, leading(first, "T")}};
  add_parameters(c.file, "", m);
  return m;
}

}  // namespace

void add_attention_modules(TorchTable& table) {
  table["MultiheadAttention"] = attention;
  table["scaled_dot_product_attention"] = scaled_dot_product;
  table["TransformerEncoderLayer"] = [](const TorchCase& c) { return transformer(c, false); };
  table["TransformerDecoderLayer"] = [](const TorchCase& c) { return transformer(c, true); };
}

}  // namespace squall::conformance
