#include "model/timing.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "squall/core/random.hpp"
#include "squall/tools/extract_task.hpp"

namespace squall {

namespace {

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Microseconds of one pass, over as many as fit into a few milliseconds.
double time_pass(Network& net, PassId pass) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  int runs = 0;
  double us = 0;
  do {
    net.forward(pass);
    ++runs;
    us = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  } while (us < 2000 && runs < 200);
  net.handler().synchronize();
  return us / runs;
}

// The layer alone: Input feeds each of its (active) inputs.
Architecture alone(const Network& network, const Node& node, int task) {
  const LayerSpec& spec = *network.architecture().find(node.name);
  const bool slots = !node.tasks.empty();
  json options = spec.options;
  if (slots) options["tasks"] = {node.tasks[static_cast<std::size_t>(task)]};
  Architecture a;
  json shapes = json::object();
  std::vector<std::string> inputs;
  for (const auto& in : node.inputs) {
    if (slots && in.name != node.tasks[static_cast<std::size_t>(task)]) continue;
    json shape = json::array();
    if (in.shape.time >= 0) shape.push_back("T");
    if (in.shape.batch >= 0) shape.push_back("B");
    for (const Index e : in.shape.features.extents()) shape.push_back(e);
    shapes[in.name] = shape;
    inputs.push_back(in.name);
  }
  a.input(shapes);
  a.add(node.name, spec.type, options);
  for (const auto& name : inputs) a.connect({"Input", name, node.name, name});
  return a;
}

}  // namespace

Batch random_batch(const Network& network, Index batch, std::uint64_t seed) {
  Batch out;
  for (const auto& o : network.graph().node(0).outputs) {
    Sizes sizes(static_cast<std::size_t>(network.graph().symbols().size()), batch);
    if (o.shape.time >= 0) sizes[static_cast<std::size_t>(o.shape.time)] = 1;
    HostArray array(o.dtype, o.shape.concrete(sizes));
    Rng rng(seed, "random_batch/" + o.name);
    if (is_real(o.dtype))
      for (auto& v : array.span<float>()) v = static_cast<float>(rng.uniform());
    out.fields.emplace_back(o.name, std::move(array));
  }
  return out;
}

LayerTimer::LayerTimer(const Network& network, const ParameterEntry& entry, int task, const std::vector<Index>& batches,
                       int rounds)
    : whole_(network),
      architecture_(alone(network, network.graph().node(entry.node), task)),
      layer_(network.graph().node(entry.node).name),
      parameter_(entry.info->name),
      batches_(batches),
      rounds_(rounds) {
  const HostArray all = network.store().get(entry);
  values_ = entry.info->task_axis ? HostArray::copy_of(ConstTensor(all.view()).slice(task, 1)) : all;
  dense_ = time(*make());
}

std::unique_ptr<Network> LayerTimer::make() const {
  auto net = std::make_unique<Network>(architecture_, whole_.catalog(), whole_.handler_pointer());
  net->store().set(*net->store().find(layer_, parameter_), values_);
  return net;
}

std::vector<double> LayerTimer::packed_us(const PackedWeight& slice) const {
  auto net = make();
  net->store().set_stored(*net->store().find(layer_, parameter_), {slice});
  return time(*net);
}

std::vector<double> LayerTimer::time(Network& net) const {
  std::vector<double> out;
  const PassId pass = net.pass(Mode::Eval);
  for (const Index batch : batches_) {
    net.provide(random_batch(net, batch, 1));
    net.forward(pass);
    std::vector<double> rounds;
    for (int r = 0; r < rounds_; ++r) rounds.push_back(time_pass(net, pass));
    out.push_back(median(rounds));
  }
  return out;
}

BatchTiming time_networks(Network& dense, Network& packed, const std::vector<std::string>& heads, Index batch,
                          int rounds) {
  const Batch data = random_batch(dense, batch, 2);
  std::vector<double> a;
  std::vector<double> b;
  dense.provide(data);
  packed.provide(data);
  const PassId dense_pass = dense.pass(Mode::Eval, heads);
  const PassId packed_pass = packed.pass(Mode::Eval, heads);
  for (int r = 0; r <= rounds; ++r) {
    const double d = time_pass(dense, dense_pass);
    const double p = time_pass(packed, packed_pass);
    if (r == 0) continue;  // the first round makes the bindings
    a.push_back(d);
    b.push_back(p);
  }
  return {batch, median(a), median(b)};
}

double compare_networks(Network& a, Network& b, const std::vector<std::string>& heads, Index batch) {
  const Batch data = random_batch(a, batch, 3);
  double worst = 0;
  for (const auto& head : heads) {
    const auto dot = head.find('.');
    const int n = a.graph().find(head.substr(0, dot));
    const int slot = a.graph().node(n).find_output(head.substr(dot + 1));
    std::vector<HostArray> outputs;
    for (Network* net : {&a, &b}) {
      net->provide(data);
      net->forward(net->pass(Mode::Eval, {head}));
      outputs.push_back(net->handler().memory().to_host(net->output(n, slot)));
    }
    double largest = 0;
    double difference = 0;
    for (Index i = 0; i < outputs[0].elements(); ++i) {
      largest = std::max(largest, std::abs(outputs[0].value(i)));
      difference = std::max(difference, std::abs(outputs[0].value(i) - outputs[1].value(i)));
    }
    if (largest > 0) worst = std::max(worst, difference / largest);
  }
  return worst;
}

}  // namespace squall
