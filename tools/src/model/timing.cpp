#include "model/timing.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "squall/core/random.hpp"
#include "squall/tools/extract_task.hpp"

namespace squall {

namespace {

double at_share(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// The fastest of as many runs as fit into a moment: what else the machine does only makes runs slower.
double fastest(const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  const auto elapsed = [](Clock::time_point since) {
    return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
  };
  constexpr double kMoment = 1500;
  constexpr int kMost = 200;
  const auto begin = Clock::now();
  double best = 0;
  for (int runs = 0; runs < kMost && (runs == 0 || elapsed(begin) < kMoment); ++runs) {
    const auto start = Clock::now();
    run();
    const double us = elapsed(start);
    best = runs == 0 ? us : std::min(best, us);
  }
  return best;
}

std::vector<double> ratios(const std::vector<double>& reference, const std::vector<double>& way) {
  std::vector<double> out;
  for (std::size_t r = 0; r < way.size(); ++r) out.push_back(reference[r] / way[r]);
  return out;
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

void Rounds::add(const std::vector<std::function<void()>>& ways, int rounds) {
  us.resize(ways.size());
  for (const auto& run : ways) run();  // the first one makes plans
  for (int r = 0; r < rounds; ++r)
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const std::size_t way = r % 2 == 0 ? i : ways.size() - 1 - i;
      us[way].push_back(fastest(ways[way]));
    }
}
double Rounds::median_us(std::size_t way) const { return at_share(us[way], 0.5); }
double Rounds::ratio(std::size_t way, double share) const { return at_share(ratios(us[0], us[way]), share); }
double Rounds::spread(std::size_t way) const {
  const auto r = ratios(us[0], us[way]);
  return (at_share(r, 0.75) - at_share(r, 0.25)) / at_share(r, 0.5);
}

LayerAlone::LayerAlone(const Network& network, const ParameterEntry& entry, int task)
    : whole_(network),
      architecture_(alone(network, network.graph().node(entry.node), task)),
      layer_(network.graph().node(entry.node).name),
      parameter_(entry.info->name) {
  const HostArray all = network.store().get(entry);
  values_ = entry.info->task_axis ? HostArray::copy_of(ConstTensor(all.view()).slice(task, 1)) : all;
}

std::unique_ptr<Network> LayerAlone::dense() const {
  auto net = std::make_unique<Network>(architecture_, whole_.catalog(), whole_.handler_pointer());
  net->store().set(*net->store().find(layer_, parameter_), values_);
  return net;
}

std::unique_ptr<Network> LayerAlone::packed(const PackedWeight& slice, WeightFormat format) const {
  auto net = dense();
  PackedWeight weight = slice;
  weight.format = format;
  net->store().set_stored(*net->store().find(layer_, parameter_), {std::move(weight)});
  return net;
}

std::vector<std::function<void()>> runs_of(const std::vector<Network*>& networks, const std::vector<std::string>& heads,
                                           Index batch) {
  std::vector<std::function<void()>> runs;
  const Batch data = random_batch(*networks.front(), batch, 2);
  for (Network* net : networks) {
    net->provide(data);
    const PassId pass = net->pass(Mode::Eval, heads);
    runs.emplace_back([net, pass] {
      net->forward(pass);
      net->handler().synchronize();
    });
  }
  return runs;
}

BatchTiming time_networks(Network& dense, Network& packed, const std::vector<std::string>& heads, Index batch,
                          int rounds) {
  Rounds measured;
  measured.add(runs_of({&dense, &packed}, heads, batch), rounds);
  return {batch, measured.median_us(0), measured.median_us(1), measured.ratio(1)};
}

double relative_difference(const HostArray& a, const HostArray& b) {
  double largest = 0;
  double difference = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    largest = std::max(largest, std::abs(a.value(i)));
    difference = std::max(difference, std::abs(a.value(i) - b.value(i)));
  }
  return largest > 0 ? difference / largest : difference;
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
    worst = std::max(worst, relative_difference(outputs[0], outputs[1]));
  }
  return worst;
}

}  // namespace squall
