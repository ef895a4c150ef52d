// Tensors with their memory, for rows that work on plans.
#pragma once

#include <memory>
#include <vector>

#include "squall/core/handler.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/random.hpp"
#include "squall/core/sparse_pattern.hpp"

namespace squall::bench {

class Tensors {
 public:
  Tensors(const std::shared_ptr<Handler>& handler, std::uint64_t seed) : handler_(handler), rng_(seed, "bench") {}
  Handler& handler() const { return *handler_; }
  Tensor of(const Shape& shape, const std::vector<float>& values) {
    const Tensor t = empty(shape);
    handler_->memory().upload(HostArray::of(shape, values).view(), t);
    return t;
  }
  Tensor empty(const Shape& shape) {
    blocks_.emplace_back(handler_->memory(), static_cast<std::size_t>(shape.elements()) * sizeof(float));
    const Tensor t(blocks_.back().data(), DType::F32, shape);
    handler_->memory().zero(t);
    return t;
  }
  std::vector<float> numbers(Index count, double scale = 1) {
    std::vector<float> v(static_cast<std::size_t>(count));
    for (auto& x : v) x = static_cast<float>(rng_.normal() * scale);
    return v;
  }
  Tensor random(const Shape& shape, double scale = 1) { return of(shape, numbers(shape.elements(), scale)); }
  // Normal numbers, but zeros for so many percent.
  std::vector<float> sparse(Index count, double percent) {
    std::vector<float> v(static_cast<std::size_t>(count));
    for (auto& x : v) x = rng_.uniform() * 100 < percent ? 0.0F : static_cast<float>(rng_.normal());
    return v;
  }
  void give_memory(Plan& plan) {
    blocks_.emplace_back(handler_->memory(), plan.workspace_bytes());
    plan.set_workspace(blocks_.back().data());
    blocks_.emplace_back(handler_->memory(), plan.reserve_bytes());
    plan.set_reserve(blocks_.back().data());
  }
  HostArray host(const ConstTensor& t) const { return handler_->memory().to_host(t); }

 private:
  std::shared_ptr<Handler> handler_;
  Rng rng_;
  std::vector<DeviceBlock> blocks_;
};

// What is not zero of a matrix.
inline SparsePattern pattern_of(const std::vector<float>& values, Index rows, Index columns) {
  std::vector<std::uint8_t> kept;
  for (const float v : values) kept.push_back(v != 0 ? 1 : 0);
  return SparsePattern::of_owner(kept, 1, rows, columns);
}
inline std::vector<float> kept_of(const std::vector<float>& values) {
  std::vector<float> kept;
  for (const float v : values)
    if (v != 0) kept.push_back(v);
  return kept;
}

}  // namespace squall::bench
