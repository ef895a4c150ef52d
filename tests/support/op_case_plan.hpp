// Runs plans: poisoned workspace and reserve, no allocation while running; and plain formulas in double.
#pragma once

#include "squall/core/activation.hpp"
#include "support/op_case.hpp"

namespace squall::test {

// Workspace and reserve of a plan, filled with bytes that are NaN as reals and -1 as places.
inline void give_memory(OpCase& c, Plan& plan) {
  const auto block = [&](std::size_t bytes) {
    const Shape shape{static_cast<Index>(bytes)};
    return c.upload(HostArray::of(shape, std::vector<std::uint8_t>(bytes, 0xFF)), DType::U8).data();
  };
  plan.set_workspace(block(plan.workspace_bytes()));
  plan.set_reserve(block(plan.reserve_bytes()));
}

// The call makes no device memory.
template <class F>
void without_allocation(OpCase& c, F&& call) {
  const std::size_t before = c.h().memory().allocations();
  call();
  CHECK(c.h().memory().allocations() == before);
}

inline const std::vector<Activation> kActivations{Activation::Linear,  Activation::Rel, Activation::Tanh,
                                                  Activation::Sigmoid, Activation::El,  Activation::Softmax};

namespace naive {

inline double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

inline double activate(Activation f, double x) {
  switch (f) {
    case Activation::Rel: return x > 0 ? x : 0;
    case Activation::Tanh: return std::tanh(x);
    case Activation::Sigmoid: return sigmoid(x);
    case Activation::El: return x > 0 ? x : std::expm1(x);
    case Activation::Linear:
    case Activation::Softmax: break;
  }
  return x;
}

inline double slope(Activation f, double y) {  // from the output
  switch (f) {
    case Activation::Rel: return y > 0 ? 1 : 0;
    case Activation::Tanh: return 1 - y * y;
    case Activation::Sigmoid: return y * (1 - y);
    case Activation::El: return y > 0 ? 1 : y + 1;
    case Activation::Linear:
    case Activation::Softmax: break;
  }
  return 1;
}

inline Values softmax(const Values& x, std::size_t columns) {
  Values out = x;
  for (std::size_t first = 0; first < x.size(); first += columns) {
    const double top = *std::max_element(x.begin() + static_cast<std::ptrdiff_t>(first),
                                         x.begin() + static_cast<std::ptrdiff_t>(first + columns));
    double sum = 0;
    for (std::size_t j = first; j < first + columns; ++j) sum += out[j] = std::exp(x[j] - top);
    for (std::size_t j = first; j < first + columns; ++j) out[j] /= sum;
  }
  return out;
}

inline Values activate_rows(Activation f, const Values& x, std::size_t columns) {
  if (f == Activation::Softmax) return softmax(x, columns);
  Values out = x;
  for (double& v : out) v = activate(f, v);
  return out;
}

inline Values activate_rows_back(Activation f, const Values& y, const Values& dy, std::size_t columns) {
  Values out(y.size());
  for (std::size_t first = 0; first < y.size(); first += columns) {
    double along = 0;
    for (std::size_t j = first; j < first + columns; ++j) along += y[j] * dy[j];
    for (std::size_t j = first; j < first + columns; ++j)
      out[j] = f == Activation::Softmax ? y[j] * (dy[j] - along) : slope(f, y[j]) * dy[j];
  }
  return out;
}

}  // namespace naive

}  // namespace squall::test
