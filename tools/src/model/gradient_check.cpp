#include "squall/tools/gradient_check.hpp"

#include <cmath>

namespace squall {

namespace {

class Line {  // the loss along a direction from the present parameters
 public:
  Line(Network& net, PassId pass, std::vector<HostArray> at, std::vector<HostArray> states)
      : net_(net), pass_(pass), at_(std::move(at)), states_(std::move(states)), step_(net.random_step()) {}

  double loss(const std::vector<std::vector<double>>& direction, double h) {
    std::size_t i = 0;
    for (const auto& e : net_.store().entries()) {
      HostArray moved = at_[i];
      for (Index k = 0; k < moved.elements(); ++k)
        moved.span<double>()[static_cast<std::size_t>(k)] += h * direction[i][static_cast<std::size_t>(k)];
      net_.store().set(e, moved);
      ++i;
    }
    net_.set_states(states_);
    net_.set_random_step(step_);
    net_.forward(pass_);
    return net_.total_loss();
  }

 private:
  Network& net_;
  PassId pass_;
  std::vector<HostArray> at_, states_;
  std::uint64_t step_;
};

}  // namespace

GradientCheck check_gradients(Network& net, int directions, std::uint64_t seed, double tolerance) {
  if (net.handler().dtype() != DType::F64)
    raise<ConfigError>("gradients are checked in double precision: use --handler cpu:f64");
  const PassId pass = net.pass(Mode::Train);
  std::vector<HostArray> values;
  for (const auto& e : net.store().entries()) values.push_back(net.store().get(e));
  Line line(net, pass, values, net.get_states());
  std::vector<std::vector<double>> zero;
  for (const auto& v : values) zero.emplace_back(static_cast<std::size_t>(v.elements()), 0.0);
  const double middle = line.loss(zero, 0);
  net.backward();
  std::vector<HostArray> gradients;
  for (const auto& e : net.store().entries()) gradients.push_back(net.store().get_gradient(e));
  GradientCheck result;
  for (int d = 0; d < directions; ++d) {
    Rng rng(seed, concat("gradient_check/", d));
    auto direction = zero;
    double expected = 0;
    for (std::size_t i = 0; i < direction.size(); ++i)
      for (std::size_t k = 0; k < direction[i].size(); ++k) {
        direction[i][k] = rng.normal();
        expected += direction[i][k] * gradients[i].span<double>()[k];
      }
    constexpr double kStep = 1e-6;
    const double forward = (line.loss(direction, kStep) - middle) / kStep;
    const double backward = (middle - line.loss(direction, -kStep)) / kStep;
    const double scale = std::max({std::abs(expected), std::abs(forward), 1e-3});
    if (std::abs(forward - backward) > 1e-3 * scale) {
      ++result.skipped;
      continue;
    }
    ++result.directions;
    result.worst = std::max(result.worst, std::abs((forward + backward) / 2 - expected) / scale);
  }
  line.loss(zero, 0);
  result.passed = result.directions > 0 && result.worst <= tolerance;
  return result;
}

}  // namespace squall
