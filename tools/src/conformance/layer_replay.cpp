#include "conformance/layer_replay.hpp"

#include <algorithm>

#include "conformance/given_gradient.hpp"
#include "squall/tools/catalog.hpp"

namespace squall::conformance {

namespace {

// "Layer.W" as "Layer.gradients.W".
std::string within(const std::string& path, const std::string& category) {
  const auto dot = path.find('.');
  return path.substr(0, dot) + "." + category + path.substr(dot);
}

// Shape of an input of the network: names of time and batch, then the extents.
json shape_of(const HostArray& x, const RecordedTensor& t) {
  json shape = json::array();
  for (const auto& name : t.leading) shape.push_back(name);
  for (int i = static_cast<int>(t.leading.size()); i < x.shape().rank(); ++i) shape.push_back(x.shape()[i]);
  return shape;
}

class Replay {
 public:
  Replay(const H5Reader& file, const RecordedGroups& groups, const RecordedLayer& layer, Comparison& c)
      : file_(file), groups_(groups), layer_(layer), c_(c) {
    json shapes = json::object();
    const auto add = [&](const std::string& field, const std::string& group, const RecordedTensor& t) {
      HostArray x = read(group, t);
      shapes[field] = shape_of(x, t);
      batch_.fields.emplace_back(field, std::move(x));
    };
    for (const auto& in : first_or_all(layer.inputs)) add(field(in), groups.inputs, in);
    for (const auto& out : first_or_all(layer.outputs))
      if (differentiated(out)) add(gradient_field(out), groups.output_gradients, out);
    architecture_.input(shapes);
    wire();
  }

  void run(const std::shared_ptr<Handler>& handler) {
    Catalog catalog = make_catalog();
    register_given_gradient(catalog);
    NetworkOptions options;
    options.memory = MemoryMode::Inspectable;
    if (layer_.differentiate) options.wants_deltas = {"Input.*"};
    Network network(architecture_, catalog, handler, options);
    fill(network);
    if (layer_.in_turn) return run_in_turn(network);
    network.provide(batch_);
    network.forward(layer_.differentiate || layer_.training ? Mode::Train : Mode::Eval);
    for (const auto& out : layer_.outputs) compare(groups_.outputs, out, network.get(within(out.ours, "outputs")));
    for (const auto& s : layer_.states) compare(groups_.states_after, s, network.get(within(s.ours, "state")));
    if (!layer_.differentiate) return;
    network.backward();
    for (const auto& in : layer_.inputs)
      if (file_.exists(groups_.input_gradients + in.recorded))
        compare(groups_.input_gradients, in, network.get("Input.output_deltas." + field(in)));
    for (const auto& p : layer_.parameters) compare(groups_.gradients, p, network.get(within(p.ours, "gradients")));
  }

 private:
  template <class T>
  std::span<const T> first_or_all(const std::vector<T>& all) const {
    return std::span(all).first(layer_.in_turn ? std::min<std::size_t>(all.size(), 1) : all.size());
  }
  void run_in_turn(Network& network) {
    const RecordedTensor &in = layer_.inputs[0], &out = layer_.outputs[0];
    std::vector<std::vector<double>> sums(layer_.parameters.size());
    for (std::size_t i = 0; i < layer_.inputs.size(); ++i) {
      network.provide({{{field(in), read(groups_.inputs, layer_.inputs[i])},
                        {gradient_field(out), read(groups_.output_gradients, layer_.outputs[i])}}});
      network.forward(Mode::Train);
      compare(groups_.outputs, layer_.outputs[i], network.get(within(out.ours, "outputs")));
      network.backward();
      compare(groups_.input_gradients, layer_.inputs[i], network.get("Input.output_deltas." + field(in)));
      for (std::size_t p = 0; p < sums.size(); ++p) {
        const auto gradient = network.get(within(layer_.parameters[p].ours, "gradients")).doubles();
        sums[p].resize(gradient.size());
        for (std::size_t k = 0; k < gradient.size(); ++k) sums[p][k] += gradient[k];
      }
    }
    for (std::size_t p = 0; p < sums.size(); ++p) {
      const Shape shape = read(groups_.gradients, layer_.parameters[p]).shape();
      compare(groups_.gradients, layer_.parameters[p], HostArray::of(shape, sums[p]));
    }
    for (const auto& s : layer_.states) compare(groups_.states_after, s, network.get(within(s.ours, "state")));
  }
  static std::string field(const RecordedTensor& in) { return "in_" + in.recorded; }
  static std::string gradient_field(const RecordedTensor& out) { return "gradient_" + out.recorded; }
  bool differentiated(const RecordedTensor& out) const {
    return layer_.differentiate && file_.exists(groups_.output_gradients + out.recorded);
  }
  HostArray read(const std::string& group, const RecordedTensor& t) const {
    const HostArray recorded = file_.read(group + t.recorded);
    return t.arrange ? t.arrange(recorded) : recorded;
  }
  void compare(const std::string& group, const RecordedTensor& t, const HostArray& got) {
    const std::string path = group + t.recorded;
    if (file_.exists(path)) c_.tensor(path.substr(1), got, read(group, t));
  }
  void wire() {
    if (layer_.wire) {
      layer_.wire(architecture_);
    } else {
      architecture_.add("Layer", layer_.type, layer_.options);
      for (const auto& in : first_or_all(layer_.inputs)) architecture_.connect({"Input", field(in), "Layer", in.ours});
    }
    for (const auto& out : first_or_all(layer_.outputs)) {
      if (!differentiated(out)) continue;
      const auto dot = out.ours.find('.');
      const std::string sum = "Sum_" + out.recorded;
      architecture_.add(sum, "GivenGradient");
      architecture_.connect({out.ours.substr(0, dot), out.ours.substr(dot + 1), sum, "default"});
      architecture_.connect({"Input", gradient_field(out), sum, "gradient"});
    }
  }
  void fill(Network& network) const {
    for (const auto& p : layer_.parameters) network.set_parameter(p.ours, read(groups_.parameters, p));
    for (const auto& s : layer_.states) network.set_parameter(s.ours, read(groups_.states, s));
    for (const auto& m : layer_.masks) {
      const auto dot = m.ours.find('.');
      ParameterEntry* entry = network.store().find(m.ours.substr(0, dot), m.ours.substr(dot + 1));
      if (entry == nullptr) raise<ConfigError>("there is no parameter ", m.ours, " to be masked");
      network.store().set_mask(*entry, read(groups_.parameters, m).cast(DType::U8).reshaped(entry->info->shape));
    }
  }

  const H5Reader& file_;
  const RecordedGroups& groups_;
  const RecordedLayer& layer_;
  Comparison& c_;
  Architecture architecture_;
  Batch batch_;
};

}  // namespace

void replay_layer(const H5Reader& file, const RecordedGroups& groups, const RecordedLayer& layer,
                  const std::shared_ptr<Handler>& handler, Comparison& c) {
  Replay(file, groups, layer, c).run(handler);
}

void require_all(const H5Reader& file, const std::string& group,
                 const std::vector<const std::vector<RecordedTensor>*>& known) {
  if (!file.exists(group)) return;
  for (const auto& name : file.children(group)) {
    const bool found = std::ranges::any_of(known, [&](const auto* list) {
      return std::ranges::any_of(
          *list, [&](const RecordedTensor& t) { return t.recorded == name || t.recorded.starts_with(name + "/"); });
    });
    if (!found) raise<ConfigError>("nothing is known of ", group, "/", name);
  }
}

HostArray permuted(const HostArray& x, const std::vector<int>& order) {
  const Shape& from = x.shape();
  SQUALL_CHECK(static_cast<int>(order.size()) == from.rank(), "an array ", from, " does not have ", order.size(),
               " axes");
  std::vector<Index> extents, strides(order.size(), 1);
  for (const int axis : order) extents.push_back(from[axis]);
  for (int i = from.rank() - 1; i-- > 0;)
    strides[static_cast<std::size_t>(i)] = strides[static_cast<std::size_t>(i) + 1] * from[i + 1];
  HostArray out(x.dtype(), Shape(std::span<const Index>(extents)));
  for (Index i = 0; i < out.elements(); ++i) {
    Index rest = i, at = 0;
    for (std::size_t a = order.size(); a-- > 0;) {
      at += rest % extents[a] * strides[static_cast<std::size_t>(order[a])];
      rest /= extents[a];
    }
    out.set_value(i, x.value(at));
  }
  return out;
}

Arrange axis_to_end(int axis) {
  return [axis](const HostArray& x) {
    std::vector<int> order;
    for (int i = 0; i < x.shape().rank(); ++i)
      if (i != axis) order.push_back(i);
    order.push_back(axis);
    return permuted(x, order);
  };
}
Arrange end_to_axis(int axis) {
  return [axis](const HostArray& x) {
    std::vector<int> order;
    for (int i = 0; i + 1 < x.shape().rank(); ++i) order.push_back(i);
    order.insert(order.begin() + axis, x.shape().rank() - 1);
    return permuted(x, order);
  };
}

}  // namespace squall::conformance
