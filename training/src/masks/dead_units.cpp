#include "squall/training/dead_units.hpp"

#include <algorithm>

#include "squall/core/activation.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

enum class Kind : std::uint8_t { Dense, Convolution, Same, Pool, Channels, Other };

// Whether the layer gives 0 for 0, as its description says.
bool keeps_zero(const Node& node, const Catalog& catalog) {
  const json description = node.layer->describe();
  json name;
  for (const auto& option : catalog.of<Layer>().doc(node.layer->type()).options)
    if (option.name == "activation") name = json::parse(option.default_value);
  if (description.contains("activation")) name = description["activation"];
  if (name.is_null()) return true;
  Activation f{};
  if (read_value(name, f)) return false;
  return f != Activation::Sigmoid && f != Activation::Softmax;
}

Kind kind_of(const Node& node) {
  const std::string type(node.layer->type());
  static constexpr std::string_view kSame[] = {"Dropout", "SelectorLayer", "Flatten",
                                               "NoOp",    "Elementwise",   "FilterLayer"};
  if (std::ranges::find(kSame, type) != std::end(kSame)) return Kind::Same;
  if (type.ends_with("Dense")) return Kind::Dense;
  if (type.ends_with("Conv2D") || type.ends_with("Conv3D")) return Kind::Convolution;
  if (type.ends_with("MaxPool2D") || type.ends_with("MaxPool3D") || type.ends_with("AvgPool2D")) return Kind::Pool;
  if (type.starts_with("BatchNorm")) return Kind::Channels;  // shifts: what is 0 does not stay 0
  return Kind::Other;
}

Shape features_of(const Node& node, int output) { return node.outputs[at(output)].shape.features; }
std::size_t channels_of(const Node& node, int output) {
  const Shape features = features_of(node, output);
  return features.rank() > 0 ? at(std::max<Index>(1, features[-1])) : 1;
}

using Flags = std::vector<char>;

// Per channel (the last axis): whether all of its features are set, or any.
Flags all_of_channel(const Flags& features, std::size_t channels) {
  Flags out(channels, 1);
  for (std::size_t i = 0; i < features.size(); ++i)
    if (features[i] == 0) out[i % channels] = 0;
  return out;
}
Flags any_of_channel(const Flags& features, std::size_t channels) {
  Flags out(channels, 0);
  for (std::size_t i = 0; i < features.size(); ++i)
    if (features[i] != 0) out[i % channels] = 1;
  return out;
}
// Sets the features of channels that are set.
void set_channels(const Flags& channels, Flags& features) {
  for (std::size_t i = 0; i < features.size(); ++i)
    if (channels[i % channels.size()] != 0) features[i] = 1;
}

}  // namespace

// One slice: rows of weights, each column belongs to an input feature (dense) or to a channel.
struct DeadUnits::Weights {
  HostArray values, mask;
  std::vector<double> bias;
  Index rows = 0, columns = 0;
  std::size_t channels = 0;  // of the input; dense: all features
  bool kept(Index r, Index c) const {
    const Index i = r * columns + c;
    return values.value(i) != 0 && (mask.empty() || mask.span<std::uint8_t>()[at(i)] != 0);
  }
  // Whether a row has a kept weight of a channel that is not among `silent`.
  bool hears(Index r, const Flags& silent) const {
    for (Index c = 0; c < columns; ++c)
      if (kept(r, c) && silent[at(c) % channels] == 0) return true;
    return false;
  }
};

int DeadUnits::input_of(int node, int output) const {
  const auto& depends = network_.graph().node(node).outputs[at(output)].depends;
  if (depends.size() != 1) return -1;
  const Source& s = network_.graph().node(node).inputs[at(depends[0])].source;
  return s.kind == Source::Kind::Output ? depends[0] : -1;
}

std::pair<int, int> DeadUnits::source_of(int node, int input) const {
  const Source& s = network_.graph().node(node).inputs[at(input)].source;
  return {s.node, s.slot};
}

bool DeadUnits::runs(int node, int output) const {
  const NodePlan& p = plan_.nodes[at(node)];
  return p.forward && p.output_active[at(output)] != 0;
}

// False where the layer has no weights that can be followed.
bool DeadUnits::finds_weights(int node, int output, Weights& w) const {
  const Node& n = network_.graph().node(node);
  const Kind kind = kind_of(n);
  const int slot = n.find_parameter("W"), bias = n.find_parameter("bias"), input = input_of(node, output);
  if (slot < 0 || input < 0 || (kind != Kind::Dense && kind != Kind::Convolution)) return false;
  const ParameterStore& store = network_.store();
  const auto slice = [&](const HostArray& x, const ParameterEntry& e) {
    return e.info->task_axis ? HostArray::copy_of(ConstTensor(x.view()).at(output)) : x;
  };
  const ParameterEntry& e = store.entry(node, slot);
  w.values = slice(store.get(e), e);
  if (const auto mask = store.mask(e)) w.mask = slice(*mask, e);
  if (bias >= 0) w.bias = slice(store.get(store.entry(node, bias)), store.entry(node, bias)).doubles();
  const Shape shape = e.slice_shape();
  const auto [from, from_output] = source_of(node, input);
  const Node& before = network_.graph().node(from);
  w.rows = shape[0];
  w.columns = shape.elements() / std::max<Index>(1, w.rows);
  w.channels = channels_of(before, from_output);
  if (const std::size_t all = at(features_of(before, from_output).elements());
      kind == Kind::Dense && at(shape[-1]) == all)
    w.channels = all;  // not only the last axis
  return w.channels > 0 && at(shape[-1]) == w.channels;
}

// Which features of the output are always 0.
void DeadUnits::forward(int node, int output) {
  const Node& n = network_.graph().node(node);
  Flags& out = zero_.at({node, output});
  const int input = input_of(node, output);
  if (node == 0 || input < 0 || !keeps_zero(n, network_.catalog())) return;
  const Flags& in = zero_.at(source_of(node, input));
  const Kind kind = kind_of(n);
  if (kind == Kind::Same && in.size() == out.size()) out = in;
  if (kind == Kind::Pool) set_channels(all_of_channel(in, channels_of(n, output)), out);
  Weights w;
  if (!finds_weights(node, output, w)) return;
  const Flags silent = all_of_channel(in, w.channels);
  Flags rows(at(w.rows), 0);
  for (Index r = 0; r < w.rows; ++r)
    rows[at(r)] = (w.bias.empty() || w.bias[at(r)] == 0) && !w.hears(r, silent) ? 1 : 0;
  set_channels(rows, out);
}

// Which features of the inputs are used, given those of the output.
void DeadUnits::backward(int node, int output) {
  const Node& n = network_.graph().node(node);
  const Flags& out = used_.at({node, output});
  const int input = input_of(node, output);
  const Kind kind = kind_of(n);
  Weights w;
  const bool followed = finds_weights(node, output, w);
  const bool passes = kind == Kind::Same || kind == Kind::Pool || kind == Kind::Channels;
  if (input < 0 || (!followed && !passes)) {
    for (const int i : n.outputs[at(output)].depends)
      if (n.inputs[at(i)].source.kind == Source::Kind::Output) std::ranges::fill(used_.at(source_of(node, i)), char{1});
    return;
  }
  Flags& in = used_.at(source_of(node, input));
  if (followed) {
    const Flags rows = any_of_channel(out, at(w.rows));
    Flags wanted(w.channels, 0);
    for (Index r = 0; r < w.rows; ++r)
      for (Index c = 0; c < w.columns && rows[at(r)] != 0; ++c)
        if (w.kept(r, c)) wanted[at(c) % w.channels] = 1;
    return set_channels(wanted, in);
  }
  if (kind == Kind::Same && in.size() == out.size()) return set_channels(out, in);
  set_channels(any_of_channel(out, channels_of(n, output)), in);
}

DeadUnits::DeadUnits(const Network& network, const std::vector<std::string>& heads) : network_(network) {
  PassRequest request;
  request.heads = heads;
  plan_ = plan_pass(network.graph(), request);
  const Graph& graph = network.graph();
  for (int n = 0; n < graph.size(); ++n)
    for (int o = 0; o < static_cast<int>(graph.node(n).outputs.size()); ++o) {
      const auto size = at(std::max<Index>(0, features_of(graph.node(n), o).elements()));
      zero_[{n, o}].assign(size, 0);
      used_[{n, o}].assign(size, 0);
    }
  for (const int n : plan_.forward_order)
    for (int o = 0; o < static_cast<int>(graph.node(n).outputs.size()); ++o)
      if (runs(n, o)) forward(n, o);
  for (auto n = plan_.forward_order.rbegin(); n != plan_.forward_order.rend(); ++n) {
    const Node& node = graph.node(*n);
    for (int o = 0; o < static_cast<int>(node.outputs.size()); ++o) {
      if (!runs(*n, o)) continue;
      const std::string path = node.name + "." + node.outputs[at(o)].name;
      const auto names = [&](const std::string& head) { return head == node.name || head == path; };
      const bool head = heads.empty() ? graph.readers(*n, o).empty() : std::ranges::any_of(heads, names);
      if (head) std::ranges::fill(used_.at({*n, o}), char{1});
      if (*n != 0) backward(*n, o);
    }
  }
}

std::vector<std::uint8_t> DeadUnits::needed(int node, int slot, int task) const {
  const ParameterEntry& e = network_.store().entry(node, slot);
  const int output = e.info->task_axis ? task : 0;
  const auto size = at(e.slice_shape().elements());
  std::vector<std::uint8_t> keep(size, 0);
  const HostArray values = network_.store().get(e);
  const auto mask = network_.store().mask(e);
  const auto first = e.info->task_axis ? at(task) * size : 0;
  const auto kept = [&](std::size_t i) {  // a kept weight may be 0
    return mask ? mask->span<std::uint8_t>()[first + i] != 0 : values.value(static_cast<Index>(first + i)) != 0;
  };
  Weights w;
  if (e.info->name == "W" && runs(e.node, output) && finds_weights(e.node, output, w)) {
    const Flags silent = all_of_channel(zero_.at(source_of(e.node, input_of(e.node, output))), w.channels);
    const Flags alive = any_of_channel(used_.at({e.node, output}), at(w.rows));
    for (std::size_t i = 0; i < size; ++i) {
      const Index r = static_cast<Index>(i) / w.columns, c = static_cast<Index>(i) % w.columns;
      keep[i] = alive[at(r)] != 0 && silent[at(c) % w.channels] == 0 && kept(i) ? 1 : 0;
    }
    return keep;
  }
  for (std::size_t i = 0; i < size; ++i) keep[i] = kept(i) ? 1 : 0;
  return keep;
}

Index DeadUnits::dead(const std::string& layer, int task) const {
  const int n = network_.graph().find(layer);
  if (n < 0) raise<ConfigError>("there is no layer '", layer, "'", did_you_mean(layer, network_.graph().names()));
  const std::size_t units = channels_of(network_.graph().node(n), task);
  const Flags silent = all_of_channel(zero_.at({n, task}), units), used = any_of_channel(used_.at({n, task}), units);
  Index dead = 0;
  for (std::size_t u = 0; u < units; ++u) dead += silent[u] != 0 || used[u] == 0 ? 1 : 0;
  return dead;
}

}  // namespace squall
