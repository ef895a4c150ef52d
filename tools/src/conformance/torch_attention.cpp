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

// Of sequences: one example alone, (batch, length, ...) or (time, batch, ...).
enum class Layout : std::uint8_t { Alone, BatchFirst, TimeFirst };
Layout layout_of(const TorchCase& c, const std::string& input) {
  if (c.file.read("/inputs/" + input).shape().rank() == 2) return Layout::Alone;
  return c.argument("batch_first", false) == true ? Layout::BatchFirst : Layout::TimeFirst;
}
Names leading(Layout layout, const std::string& time) {
  return layout == Layout::Alone ? Names{} : layout == Layout::BatchFirst ? Names{"B"} : Names{time, "B"};
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
struct Masks {
  Index heads;
  bool added;
  Layout layout;
  void add(const TorchCase& c, RecordedLayer& m, const std::string& mask, const std::string& padding) const {
    if (c.file.exists("/inputs/" + mask)) {
      const bool each = c.file.read("/inputs/" + mask).shape().rank() == 3 && layout != Layout::Alone;
      m.inputs.push_back({mask, mask, arrange(each), each ? Names{"B"} : Names{}});
    }
    if (c.file.exists("/inputs/" + padding))
      m.inputs.push_back({padding, padding, arrange(false), layout == Layout::Alone ? Names{} : Names{"B"}});
  }
  Arrange arrange(bool each) const {
    return [each, *this](const HostArray& x) {
      const HostArray y = added && !is_real(x.dtype()) ? flags_as_added(x) : x;
      const Shape s = x.shape();
      return each ? y.reshaped(Shape{s[0] / heads, heads, s[1], s[2]}) : y;
    };
  }
};

// Theirs are (N, L, S), or (N, heads, L, S); ours have the heads behind the queries.
std::vector<int> order_of_weights(Layout layout, bool averaged) {
  if (layout == Layout::Alone) return averaged ? std::vector<int>{0, 1} : std::vector<int>{1, 0, 2};
  if (layout == Layout::BatchFirst) return averaged ? std::vector<int>{0, 1, 2} : std::vector<int>{0, 2, 1, 3};
  return averaged ? std::vector<int>{1, 0, 2} : std::vector<int>{2, 0, 1, 3};
}

void copy_options(const TorchCase& c, RecordedLayer& m, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (c.arguments.contains(name) && !c.arguments[name].is_null()) m.options[name] = c.arguments[name];
}

RecordedLayer attention(const TorchCase& c) {
  RecordedLayer m;
  m.type = "MultiHeadAttention";
  m.training = c.training;
  copy_options(c, m, {"embed_dim", "num_heads", "bias", "add_bias_kv", "add_zero_attn", "kdim", "vdim"});
  const Layout layout = layout_of(c, "query");
  m.inputs = {{"query", "default", {}, leading(layout, "T")}};
  for (const std::string name : {"key", "value"})
    if (c.file.exists("/inputs/" + name)) m.inputs.push_back({name, name, {}, leading(layout, "T_keys")});
  const bool added = is_added(c, "attn_mask") || is_added(c, "key_padding_mask");
  m.options["added_masks"] = added;
  Masks{c.arguments.at("num_heads").get<Index>(), added, layout}.add(c, m, "attn_mask", "key_padding_mask");
  m.outputs = {{"y", "Layer.default", {}, leading(layout, "T")}};
  add_parameters(c.file, "", m);
  if (!c.file.exists("/outputs/weights")) return m;
  const bool averaged = c.call.value("average_attn_weights", true);
  m.options["need_weights"] = true;
  m.options["average_attn_weights"] = averaged;
  if (layout == Layout::TimeFirst) m.options["weight_keys"] = c.file.read("/outputs/weights").shape()[-1];
  const std::vector<int> order = order_of_weights(layout, averaged);
  const auto arrange = [order](const HostArray& x) { return permuted(x, order); };
  m.outputs.push_back({"weights", "Layer.weights", arrange, leading(layout, "T")});
  return m;
}

// There 1 allows.
HostArray forbidden(const HostArray& x) {
  HostArray out(DType::U8, x.shape());
  for (Index i = 0; i < x.elements(); ++i) out.set_value(i, x.value(i) == 0 ? 1 : 0);
  return out;
}
// A mask with as many axes as the queries, the first of which is the batch; others may still be 1.
HostArray for_all_examples(const HostArray& mask, const Shape& query) {
  Shape shape = mask.shape();
  while (shape.rank() < query.rank()) shape = shape.with_front(1);
  HostArray one = mask.reshaped(shape);
  if (shape[0] == query[0]) return one;
  HostArray all(mask.dtype(), shape.from(1).with_front(query[0]));
  for (Index i = 0; i < all.elements(); ++i) all.set_value(i, one.value(i % one.elements()));
  return all;
}

RecordedLayer scaled_dot_product(const TorchCase& c) {
  RecordedLayer m;
  m.type = "ScaledDotProductAttention";
  m.options = {{"is_causal", c.call.value("is_causal", false)}, {"added_mask", is_added(c, "attn_mask")}};
  if (c.call.contains("scale") && !c.call["scale"].is_null()) m.options["scale"] = c.call["scale"];
  m.inputs = {{"query", "default"}, {"key", "key"}, {"value", "value"}};
  if (c.file.exists("/inputs/attn_mask")) {
    const Shape query = c.file.read("/inputs/query").shape();
    const bool plain = c.file.read("/inputs/attn_mask").shape().rank() == 2;
    const auto arrange = [=](const HostArray& x) {
      const HostArray y = is_real(x.dtype()) ? x : forbidden(x);
      return plain ? y : for_all_examples(y, query);
    };
    m.inputs.push_back({"attn_mask", "attn_mask", arrange, plain ? Names{} : Names{"B"}});
  }
  m.outputs = {{"y", "Layer.default"}};
  return m;
}

RecordedLayer transformer(const TorchCase& c, bool decoder) {
  RecordedLayer m;
  m.type = c.module;
  m.training = c.training;
  copy_options(
      c, m, {"d_model", "nhead", "dim_feedforward", "dropout", "activation", "layer_norm_eps", "norm_first", "bias"});
  const std::string input = decoder ? "tgt" : "src";
  const Layout layout = layout_of(c, input);
  m.inputs = {{input, "default", {}, leading(layout, "T")}};
  if (decoder) m.inputs.push_back({"memory", "memory", {}, leading(layout, "T_memory")});
  bool added = false;
  for (const std::string of : {"src", "tgt", "memory"})
    for (const std::string mask : {"_mask", "_key_padding_mask"}) added = added || is_added(c, of + mask);
  m.options["added_masks"] = added;
  const Masks masks{c.arguments.at("nhead").get<Index>(), added, layout};
  masks.add(c, m, input + "_mask", input + "_key_padding_mask");
  if (decoder) masks.add(c, m, "memory_mask", "memory_key_padding_mask");
  m.outputs = {{"y", "Layer.default", {}, leading(layout, "T")}};
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
