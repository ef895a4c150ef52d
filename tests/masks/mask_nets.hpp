// Small networks of several tasks, data for them, and looks at their masks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "squall/handlers/make_handler.hpp"
#include "squall/layers/layers.hpp"
#include "squall/training/iterators.hpp"
#include "squall/training/rsn2.hpp"
#include "squall/training/stepper.hpp"
#include "squall/training/training.hpp"
#include "support/catch.hpp"

namespace squall::test {

using Bytes = std::vector<std::uint8_t>;
using Values = std::vector<double>;

inline const Catalog& catalog() {
  static const Catalog made = [] {
    Catalog c;
    register_layers(c);
    register_training(c);
    return c;
  }();
  return made;
}

inline std::vector<std::string> task_names(int tasks) {
  std::vector<std::string> names;
  for (int t = 0; t < tasks; ++t) names.push_back(std::string(1, static_cast<char>('a' + t)));
  return names;
}

inline std::vector<Task> tasks_of(const std::vector<std::string>& names) {
  std::vector<Task> tasks;
  for (const auto& name : names) {
    Task t;
    t.name = name;
    t.input = name;
    t.targets = name + "_targets";
    t.loss = "Loss_" + name;
    tasks.push_back(t);
  }
  return tasks;
}

struct NetOptions {
  std::vector<std::string> names = task_names(2);
  bool images = false;   // a convolution before the dense layers
  bool volumes = false;  // a convolution of three axes instead
  bool norm = false;     // batch normalisation and dropout on the path of each task
  bool heads = false;    // a MaskedDense for each task instead of a multi layer
  bool sparsify = true;
  Index units = 12;
  std::string handler = "cpu:f32";
};

inline Shape features_of(const NetOptions& o) {
  return o.volumes ? Shape{3, 4, 3, 2} : o.images ? Shape{6, 6, 2} : Shape{9};
}

// Input (a, b, ...) -> [conv] -> hidden -> [BatchNorm, Dropout] -> out or out_a, out_b, ... -> criteria -> losses.
inline Architecture make_architecture(const NetOptions& o) {
  Architecture a;
  json shapes = json::object();
  for (const auto& name : o.names) {
    shapes[name] = json{"T", "B"};
    const Shape features = features_of(o);
    for (const Index e : features.extents()) shapes[name].push_back(e);
    shapes[name + "_targets"] = json{"T", "B", 1};
  }
  a.input(shapes);
  std::string before = "Input";
  if (o.images || o.volumes) {
    a.add("conv", o.volumes ? "MultiMaskedConv3D" : "MultiMaskedConv2D",
          {{"tasks", o.names}, {"filters", 5}, {"activation", "rel"}, {"sparsify", o.sparsify}});
    for (const auto& name : o.names) a.connect({"Input", name, "conv", name});
    before = "conv";
  }
  a.add("hidden", "MultiMaskedDense",
        {{"tasks", o.names}, {"units", o.units}, {"activation", "rel"}, {"sparsify", o.sparsify}});
  if (!o.heads) a.add("out", "MultiMaskedDense", {{"tasks", o.names}, {"units", 4}, {"sparsify", o.sparsify}});
  for (const auto& name : o.names) {
    a.connect({before, name, "hidden", name});
    std::string from = "hidden", port = name;
    if (o.norm) {
      a.add("norm_" + name, "BatchNorm");
      a.add("drop_" + name, "Dropout", {{"drop_prob", 0.3}});
      a.connect({"hidden", name, "norm_" + name, "default"});
      a.connect({"norm_" + name, "default", "drop_" + name, "default"});
      from = "drop_" + name;
      port = "default";
    }
    if (o.heads) a.add("out_" + name, "MaskedDense", {{"units", 4}, {"sparsify", o.sparsify}});
    const std::string out = o.heads ? "out_" + name : "out";
    a.connect({from, port, out, o.heads ? "default" : name});
    a.add("ce_" + name, "SoftmaxCE");
    a.add("Loss_" + name, "Loss");
    a.connect({out, o.heads ? "default" : name, "ce_" + name, "default"});
    a.connect({"Input", name + "_targets", "ce_" + name, "targets"});
    a.connect({"ce_" + name, "loss", "Loss_" + name, "default"});
  }
  return a;
}

struct Net {
  explicit Net(const NetOptions& o = {})
      : options(o), network(make_architecture(o), catalog(), make_handler(o.handler)), tasks(tasks_of(o.names)) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.4}}}}, 7);
  }
  NetOptions options;
  Network network;
  std::vector<Task> tasks;

  ParameterEntry& entry(const std::string& layer, const std::string& name = "W") {
    ParameterEntry* e = network.store().find(layer, name);
    REQUIRE(e != nullptr);
    return *e;
  }
  HostArray value(const std::string& layer, const std::string& name = "W") {
    return network.store().get(entry(layer, name));
  }
  // The mask of one slice (or of all), ones where there is none.
  Bytes mask(const std::string& layer, int slice = 0, const std::string& name = "W") {
    const ParameterEntry& e = entry(layer, name);
    const auto size = static_cast<std::size_t>(e.slice_shape().elements());
    const auto keep = network.store().mask(e);
    if (!keep) return Bytes(size, 1);
    const auto part = keep->span<std::uint8_t>().subspan(static_cast<std::size_t>(slice) * size, size);
    return {part.begin(), part.end()};
  }
  // How many slices keep each weight.
  std::vector<int> owners(const std::string& layer, const std::string& name = "W") {
    std::vector<int> sum(mask(layer, 0, name).size(), 0);
    for (int t = 0; t < entry(layer, name).tasks(); ++t) {
      const Bytes m = mask(layer, t, name);
      for (std::size_t i = 0; i < m.size(); ++i) sum[i] += m[i];
    }
    return sum;
  }
};

inline Index count(const Bytes& mask) { return std::count(mask.begin(), mask.end(), 1); }

inline Rsn2 rsn2(double sparsity, const std::string& score = "magnitude") {
  Rsn2 r;
  r.options.sparsity = sparsity;
  r.options.score = score;
  return r;
}

// Examples with a rule that can be learned: the class is the place of the largest of the first four numbers.
inline std::shared_ptr<DataSource> make_data(const NetOptions& o, Index examples, std::uint64_t seed = 3) {
  auto source = std::make_shared<DataSource>();
  const Shape features = features_of(o);
  for (const auto& name : o.names) {
    Rng rng(seed, "data/" + name);
    Values x;
    std::vector<std::int32_t> y;
    for (Index i = 0; i < examples; ++i) {
      const std::size_t first = x.size();
      for (Index k = 0; k < features.elements(); ++k) x.push_back(rng.normal());
      const auto begin = x.begin() + static_cast<std::ptrdiff_t>(first);
      y.push_back(static_cast<std::int32_t>(std::max_element(begin, begin + 4) - begin));
    }
    source->fields.emplace_back(name, HostArray::of(features.with_front(examples), x).cast(DType::F32));
    source->fields.emplace_back(name + "_targets", HostArray::of(Shape{examples, 1}, y));
  }
  return source;
}

inline Minibatches batches(const NetOptions& o, Index examples, Index batch_size) {
  MinibatchesOptions m;
  m.batch_size = batch_size;
  m.shuffle = false;
  return Minibatches(make_data(o, examples), m);
}

inline Stepper make_stepper(const json& rule) {
  return Stepper(catalog().of<UpdateRule>().make(rule, "stepper", catalog()));
}

// So many updates on the losses of these tasks (all, for none).
inline void train(Net& net, Stepper& stepper, Index updates, const std::vector<std::string>& names = {}) {
  std::vector<std::string> heads;
  for (const auto& name : names) heads.push_back("Loss_" + name);
  const PassId pass = net.network.pass(Mode::Train, heads);
  auto data = batches(net.options, 64, 16);
  Batch batch;
  data.restart(0);
  for (Index u = 0; u < updates; ++u) {
    if (!data.next(batch)) {
      data.restart(0);
      REQUIRE(data.next(batch));
    }
    net.network.provide(batch);
    stepper.step(pass, {});
  }
}

// What the network says for one task, without training.
inline HostArray output_of(Net& net, const std::string& task) {
  const std::string layer = net.options.heads ? "out_" + task : "out";
  const std::string port = net.options.heads ? "default" : task;
  auto data = batches(net.options, 16, 16);
  Batch batch;
  data.restart(0);
  REQUIRE(data.next(batch));
  net.network.provide(batch);
  net.network.forward(net.network.pass(Mode::Eval, {layer + "." + port}));
  return net.network.get(layer + ".outputs." + port);
}

// Slice t of an array with a task axis.
inline HostArray slice(const HostArray& x, int t) { return HostArray::copy_of(x.view().at(t)); }

// How many elements differ in their bits.
inline Index changed(const HostArray& a, const HostArray& b) {
  REQUIRE(a.shape() == b.shape());
  const std::size_t size = size_of(a.dtype());
  Index n = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    const auto at = static_cast<std::size_t>(i) * size;
    n += std::memcmp(static_cast<const char*>(a.data()) + at, static_cast<const char*>(b.data()) + at, size) != 0;
  }
  return n;
}

}  // namespace squall::test
