// Networks of the tests of core: made, filled with numbers, run and checked against differences.
#pragma once

#include <cmath>

#include "squall/core/network.hpp"
#include "squall/handlers/make_handler.hpp"
#include "support/graph_checks.hpp"
#include "support/graph_special_layers.hpp"

namespace graph_test {

inline std::shared_ptr<Handler> cpu(std::string_view name = "cpu:f64") { return make_handler(name, {.threads = 1}); }

inline const Catalog& layers() {
  static const Catalog catalog = layer_catalog();
  return catalog;
}

// A network; derived from Network only to be made in one expression.
struct Net : Network {
  explicit Net(const Architecture& a, const NetworkOptions& options = {}, std::string_view handler = "cpu:f64")
      : Network(a, layers(), cpu(handler), options) {}
  Net(const Architecture& a, const Catalog& catalog, const NetworkOptions& options = {},
      std::string_view handler = "cpu:f64")
      : Network(a, catalog, cpu(handler), options) {}
};

inline NetworkOptions inspectable() { return {.memory = MemoryMode::Inspectable}; }

inline HostArray random_array(const Shape& shape, std::uint64_t seed, std::string_view name = "data") {
  HostArray a(DType::F64, shape);
  Rng rng(seed, name);
  for (double& v : a.span<double>()) v = rng.normal();
  return a;
}

// Data for every output of Input; `sizes` by symbol name, others are 2.
inline Batch random_batch(const Graph& graph, std::uint64_t seed,
                          const std::vector<std::pair<std::string, Index>>& sizes = {}) {
  Batch batch;
  Sizes concrete;
  for (int s = 0; s < graph.symbols().size(); ++s) {
    concrete.push_back(2);
    for (const auto& [name, value] : sizes)
      if (graph.symbols().name(s) == name) concrete.back() = value;
  }
  for (const auto& output : graph.node(0).outputs)
    batch.fields.emplace_back(output.name, random_array(output.shape.concrete(concrete), seed, output.name));
  return batch;
}
inline Batch random_batch(const Graph& graph, std::uint64_t seed, Index time, Index batch) {
  return random_batch(graph, seed, {{"T", time}, {"B", batch}});
}

// Every parameter drawn from a stream of its name.
inline void fill_parameters(Network& net, std::uint64_t seed = 1, double scale = 0.5) {
  for (const auto& node : net.graph().nodes())
    for (const auto& p : node.parameters) {
      const std::string path = node.name + "." + p.name;
      HostArray value = random_array(p.shape, seed, path);
      for (double& v : value.span<double>()) v *= scale;
      net.set_parameter(path, value);
    }
}

inline double train_step(Network& net, const Batch& batch, const std::vector<std::string>& heads = {}) {
  net.provide(batch);
  net.forward(net.pass(Mode::Train, heads));
  net.backward();
  return net.total_loss();
}

// Everything a training step gives: the losses and all gradients.
inline HostArray gradients(const Network& net) { return net.get("gradients"); }

// Runs a training pass; gives the largest difference between its gradient along some random directions and central
// differences, relative to its size. Noise and states are put back for every run.
inline double gradient_error(Network& net, PassId pass, int directions = 3) {
  const HostArray at = net.get("parameters");
  const std::uint64_t step = net.random_step();
  const auto states = net.get_states();
  const auto loss_at = [&](const HostArray& values) {
    net.handler().memory().upload(values.view(), net.parameters());
    net.store().touch();
    net.set_states(states);
    net.set_random_step(step);
    net.forward(pass);
    return net.total_loss();
  };
  loss_at(at);
  net.backward();
  const HostArray gradient = net.get("gradients");
  double worst = 0;
  for (int d = 0; d < directions; ++d) {
    const HostArray direction = random_array(at.shape(), static_cast<std::uint64_t>(d), "direction");
    HostArray up = at;
    HostArray down = at;
    double expected = 0;
    const double h = 1e-5;
    for (std::size_t i = 0; i < direction.span<double>().size(); ++i) {
      const double v = direction.span<double>()[i];
      up.span<double>()[i] += h * v;
      down.span<double>()[i] -= h * v;
      expected += v * gradient.span<double>()[i];
    }
    const double measured = (loss_at(up) - loss_at(down)) / (2 * h);
    worst = std::max(worst, std::abs(expected - measured) / std::max(1.0, std::abs(measured)));
  }
  loss_at(at);
  return worst;
}

inline double largest_difference(const HostArray& a, const HostArray& b) {
  if (a.shape() != b.shape()) return INFINITY;
  double worst = 0;
  for (Index i = 0; i < a.elements(); ++i) worst = std::max(worst, std::abs(a.value(i) - b.value(i)));
  return worst;
}

inline bool all_zero(const HostArray& a) {
  for (Index i = 0; i < a.elements(); ++i)
    if (a.value(i) != 0) return false;
  return true;
}

}  // namespace graph_test
