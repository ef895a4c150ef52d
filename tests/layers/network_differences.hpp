// Gradients of a whole network's loss against finite differences, for what only several layers together show.
#pragma once

#include <algorithm>
#include <cmath>

#include "squall/core/network.hpp"
#include "squall/layers/layers.hpp"
#include "squall/testing/layer_case.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

namespace squall::testing {

inline const Catalog& layers_and_sums() {
  static const Catalog catalog = [] {
    Catalog c;
    register_layers(c);
    register_weighted_sum(c);
    return c;
  }();
  return catalog;
}

inline std::unique_ptr<Network> inspectable(const Architecture& a, const char* handler = "cpu:f64") {
  NetworkOptions options{.memory = MemoryMode::Inspectable, .seed = 3, .wants_deltas = {"Input.*"}};
  return std::make_unique<Network>(a, layers_and_sums(), squall::test::make_under_test(handler), options);
}

inline HostArray numbers(const Shape& shape, const std::string& name, double scale = 1.0) {
  Rng rng(5, name);
  HostArray out(DType::F64, shape);
  for (Index i = 0; i < out.elements(); ++i) out.set_value(i, scale * rng.normal());
  return out;
}

inline void fill_with_numbers(Network& net, double scale = 0.5) {
  for (const auto& e : net.store().entries()) {
    const std::string path = net.graph().node(e.node).name + "." + e.info->name;
    net.set_parameter(path, numbers(e.info->shape, path, scale));
  }
}

// The loss of a training pass with the same noise each time.
inline double loss_of(Network& net, const std::vector<std::string>& heads = {}) {
  net.set_random_step(7);
  net.forward(net.pass(Mode::Train, heads));
  return net.total_loss();
}

// Checks every parameter (of one layer); gives how many numbers were compared.
inline int check_gradients(Network& net, const std::vector<std::string>& heads = {}, const std::string& only = "") {
  constexpr double kTolerance = 1e-6;
  loss_of(net, heads);
  net.backward();
  std::vector<std::pair<std::string, HostArray>> gradients;
  for (const auto& e : net.store().entries()) {
    const std::string layer = net.graph().node(e.node).name;
    if (!only.empty() && layer != only) continue;
    gradients.emplace_back(layer + "." + e.info->name, net.get(layer + ".gradients." + e.info->name));
  }
  int compared = 0;
  for (const auto& one : gradients) {
    const std::string& path = one.first;
    const HostArray& gradient = one.second;
    const std::string full = std::string(path).replace(path.find('.'), 1, ".parameters.");
    HostArray values = net.get(full);
    for (Index i = 0; i < values.elements(); ++i) {
      const double x = values.value(i), h = 1e-5;
      const auto at = [&](double v) {
        values.set_value(i, v);
        net.set_parameter(path, values);
        return loss_of(net, heads);
      };
      const double numeric = (at(x + h) - at(x - h)) / (2 * h);
      at(x);
      ++compared;
      if (std::abs(numeric - gradient.value(i)) > kTolerance * std::max(1.0, std::abs(numeric)))
        FAIL_CHECK(path << "[" << i << "]: backward gives " << gradient.value(i) << ", differences " << numeric);
    }
  }
  return compared;
}

}  // namespace squall::testing
