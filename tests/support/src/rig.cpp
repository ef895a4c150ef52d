#include "rig.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "squall/core/random.hpp"

namespace squall::testing {

namespace {

constexpr std::uint64_t kStep = 7;  // of noise

json extents(const BufferShape& shape, const Symbols& symbols) {
  json out = json::array();
  if (shape.time >= 0) out.push_back(symbols.name(shape.time));
  if (shape.batch >= 0) out.push_back(symbols.name(shape.batch));
  for (const Index e : shape.features.extents()) out.push_back(e);
  return out;
}

json extents(const CaseInput& input) {
  json out = input.leading;
  for (const Index e : input.features) out.push_back(e);
  return out;
}

}  // namespace

HostArray random_array(const std::string& name, const Shape& shape, CaseInput::Values values, Index classes) {
  using Values = CaseInput::Values;
  Rng rng(20, name);
  HostArray a(values == Values::Labels ? DType::I32 : values == Values::Flags ? DType::U8 : DType::F64, shape);
  for (Index i = 0; i < a.elements(); ++i) {
    const double v = values == Values::Normal                              ? rng.normal()
                     : values == Values::Probabilities                     ? rng.uniform(0.1, 0.9)
                     : values == Values::Binary || values == Values::Flags ? static_cast<double>(rng.below(2))
                                                                           : static_cast<double>(rng.below(classes));
    a.set_value(i, static_cast<double>(static_cast<float>(v)));
  }
  return a;
}

HostArray slice_of(const HostArray& a, int axis, Index first, Index count) {
  const Index before = a.shape().until(axis).elements();
  const auto inner = static_cast<std::size_t>(a.shape().from(axis + 1).elements()) * size_of(a.dtype());
  const auto step = inner * static_cast<std::size_t>(a.shape()[axis]);
  HostArray out(a.dtype(), a.shape().until(axis).with_back(count).joined(a.shape().from(axis + 1)));
  for (Index i = 0; i < before; ++i)
    std::memcpy(static_cast<std::byte*>(out.data()) + static_cast<std::size_t>(i * count) * inner,
                static_cast<const std::byte*>(a.data()) + static_cast<std::size_t>(i) * step +
                    static_cast<std::size_t>(first) * inner,
                static_cast<std::size_t>(count) * inner);
  return out;
}

std::string difference(const Results& a, const Results& b, double tolerance) {
  if (a.size() != b.size()) return concat(a.size(), " arrays against ", b.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    const auto& [name, x] = a[k];
    const auto& [other, y] = b[k];
    if (name != other || x.shape() != y.shape())
      return concat(name, " ", x.shape(), " against ", other, " ", y.shape());
    if (tolerance == 0 && x == y) continue;
    double largest = 0;
    for (Index i = 0; i < x.elements(); ++i) largest = std::max({largest, std::abs(x.value(i)), std::abs(y.value(i))});
    for (Index i = 0; i < x.elements(); ++i) {
      const double off = std::abs(x.value(i) - y.value(i));
      if (tolerance == 0 ? x.value(i) != y.value(i) || std::isnan(x.value(i)) : !(off <= tolerance * largest))
        return concat(name, "[", i, "]: ", x.value(i), " against ", y.value(i), ", largest is ", largest);
    }
    if (tolerance == 0) return name + ": bits differ";
  }
  return {};
}

Rig::Rig(const LayerCase& c, const Catalog& catalog, const Setup& setup) : setup_(setup) {
  const Graph probe(wire(c, nullptr), catalog);
  NetworkOptions options;
  options.memory = setup.memory;
  options.seed = 5;
  options.poison = setup.poison;
  options.sentinels = setup.sentinels;
  if (setup.want_deltas) options.wants_deltas = {"Input.*"};
  network_ = std::make_unique<Network>(wire(c, &probe), catalog, setup.handler, options);
  if (setup.pin) network_->pin("Layer.*");
  fill_data(c);
  fill_parameters(c);
}

Architecture Rig::wire(const LayerCase& c, const Graph* probe) {
  Architecture a;
  json shapes = json::object();
  for (const auto& input : c.inputs) shapes[input.name] = extents(input);
  a.add("Layer", c.type, c.options);
  Architecture wired;
  if (probe != nullptr) {
    add_roots(a, shapes, *probe);
    if (setup_.other_readers) add_other_readers(a, shapes, *probe);
  }
  wired.input(shapes);
  for (const auto& l : a.layers()) wired.add(l.name, l.type, l.options);
  for (const auto& connection : a.connections()) wired.connect(connection);
  for (const auto& input : c.inputs) {
    const std::string& data = input.name == setup_.shared.second ? setup_.shared.first : input.name;
    if (setup_.chain && input.values < CaseInput::Values::Labels) {  // numbers
      const std::string before = "Before_" + input.name;
      wired.add(before, "NoOp");
      wired.connect({"Input", data, before, "default"});
      wired.connect({before, "default", "Layer", input.name});
    } else {
      wired.connect({"Input", data, "Layer", input.name});
    }
  }
  // Connections into the sums come from Input, which exists now.
  for (const auto& [name, shape] : shapes.items())
    if (name.starts_with("weights_")) wired.connect({"Input", name, "Sum_" + name.substr(8), "weights"});
  for (const auto& [name, shape] : shapes.items())
    if (name.starts_with("weights_in_")) wired.connect({"Input", name.substr(11), "Sum_" + name.substr(8), "default"});
  return wired;
}

void Rig::add_roots(Architecture& a, json& shapes, const Graph& probe) {
  for (const auto& output : probe.node(probe.find("Layer")).outputs) {
    if (output.loss || !output.takes_delta || !is_real(output.dtype)) continue;
    if (setup_.outputs && std::ranges::find(*setup_.outputs, output.name) == setup_.outputs->end()) continue;
    const std::string name = "out_" + output.name;
    shapes["weights_" + name] = extents(output.shape, probe.symbols());
    a.add("Sum_" + name, "WeightedSum");
    roots_.push_back("Sum_" + name);
    if (setup_.chain) {
      a.add("After_" + output.name, "NoOp");
      a.connect({"Layer", output.name, "After_" + output.name, "default"});
      a.connect({"After_" + output.name, "default", "Sum_" + name, "default"});
    } else {
      a.connect({"Layer", output.name, "Sum_" + name, "default"});
    }
  }
}

// Their names come late in the alphabet: they run after the layer and send their deltas before it.
void Rig::add_other_readers(Architecture& a, json& shapes, const Graph& probe) {
  const Node& layer = probe.node(probe.find("Layer"));
  for (const auto& input : layer.inputs) {
    if (!input.differentiable || !is_real(input.dtype)) continue;
    shapes["weights_in_" + input.name] = extents(input.shape, probe.symbols());
    a.add("Sum_in_" + input.name, "WeightedSum");
  }
  for (const auto& parameter : layer.parameters) {
    const std::string name = "parameter_" + parameter.name;
    shapes["weights_" + name] = extents(BufferShape{-1, -1, parameter.shape}, probe.symbols());
    a.add("Sum_" + name, "WeightedSum");
    a.connect({"Layer", "..parameters." + parameter.name, "Sum_" + name, "default"});
  }
}

Index Rig::extent_of(const std::string& symbol) const {
  const Index extent = symbol.starts_with('T') ? setup_.time : setup_.batch;
  return symbol.size() > 1 && symbol.starts_with('B') && !setup_.equal_sizes ? extent + 1 : extent;
}

void Rig::fill_data(const LayerCase& c) {
  const Graph& graph = network_->graph();
  for (const auto& output : graph.node(0).outputs) {
    Shape shape;
    for (const int symbol : {output.shape.time, output.shape.batch})
      if (symbol >= 0) shape = shape.with_back(extent_of(graph.symbols().name(symbol)));
    const auto input = std::ranges::find(c.inputs, output.name, &CaseInput::name);
    const bool own = input != c.inputs.end();
    batch_.fields.emplace_back(output.name,
                               random_array(output.name, shape.joined(output.shape.features),
                                            own ? input->values : CaseInput::Values::Normal, own ? input->classes : 2));
  }
}

void Rig::fill_parameters(const LayerCase& c) {
  for (const auto& one : c.fixed) fixed_.push_back(one.first);
  for (const auto& p : layer().parameters) {
    HostArray a = random_array("parameter " + p.name, p.shape, CaseInput::Values::Normal, 0);
    for (const auto& [name, values] : c.fixed)
      if (name == p.name) a = HostArray::of(p.shape, values);
    network_->set_parameter("Layer.parameters." + p.name, a);
  }
  for (const auto& s : layer().states) {
    states_.emplace_back(s.name, random_array("state " + s.name, s.shape, CaseInput::Values::Probabilities, 0));
  }
}

HostArray* Rig::data(std::string_view name) {
  for (auto& [field, array] : batch_.fields)
    if (field == name) return &array;
  return nullptr;
}

void Rig::forward(Mode mode, const std::vector<std::string>& heads) {
  for (const auto& [name, value] : states_) network_->set_parameter("Layer." + name, value);
  network_->set_random_step(kStep);
  network_->provide(batch_);
  const PassId pass = network_->pass(mode, heads);
  if (setup_.carried) network_->set_context(pass, context());
  network_->forward(pass, setup_.carried ? Start::Continue : Start::Fresh);
}

bool Rig::is_fixed(const std::string& parameter) const { return std::ranges::find(fixed_, parameter) != fixed_.end(); }

bool Rig::carries() const {
  const auto any = [](const auto& infos) {
    return std::ranges::any_of(infos, [](const auto& i) { return i.context > 0; });
  };
  return any(layer().outputs) || any(layer().internals);
}

Context Rig::context() const {
  Context context;
  const auto add = [&](const std::string& path, const BufferShape& shape, Index rows) {
    const Index batch = extent_of(network_->graph().symbols().name(shape.batch));
    const Shape whole = Shape{rows, batch}.joined(shape.features);
    if (rows > 0) context.rows.push_back({path, random_array(path, whole, CaseInput::Values::Normal, 0)});
  };
  for (const auto& o : layer().outputs) add("Layer.outputs." + o.name, o.shape, o.context);
  for (const auto& i : layer().internals) add("Layer.internals." + i.name, i.shape, i.context);
  context.steps = {{"T", 3}};
  return context;
}

Results Rig::train() {
  forward(Mode::Train);
  network_->backward();
  Results all = outputs();
  all.emplace_back("loss", HostArray::of(Shape{1}, std::vector<double>{network_->total_loss()}));
  for (auto& r : gradients()) all.push_back(std::move(r));
  for (auto& r : input_deltas()) all.push_back(std::move(r));
  return all;
}

Results Rig::eval() {
  forward(Mode::Eval);
  return outputs();
}

Results Rig::outputs() {
  Results all;
  if (!setup_.pin && setup_.memory == MemoryMode::Compact) return all;
  for (const auto& o : layer().outputs) all.emplace_back("output " + o.name, network_->get("Layer.outputs." + o.name));
  return all;
}

Results Rig::gradients() {
  Results all;
  for (const auto& p : layer().parameters)
    all.emplace_back("gradient of " + p.name, network_->get("Layer.gradients." + p.name));
  return all;
}

Results Rig::input_deltas() {
  Results all;
  if (!setup_.want_deltas) return all;
  for (const auto& name : differentiable_inputs())
    all.emplace_back("delta of " + name, network_->get("Input.output_deltas." + name));
  return all;
}

std::vector<std::string> Rig::differentiable_inputs() const {
  std::vector<std::string> names;
  for (const auto& input : layer().inputs)
    if (input.differentiable && is_real(input.dtype) && input.name != setup_.shared.second) names.push_back(input.name);
  return names;
}

}  // namespace squall::testing
