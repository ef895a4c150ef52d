// What all facets and plans of one CPU handler share: its kernels, its threads and their scratch memory.
#pragma once

#include <cstdlib>
#include <memory>

#include "cpu/blas.hpp"
#include "cpu/isa.hpp"
#include "cpu/parallel.hpp"
#include "squall/core/activation.hpp"
#include "squall/core/tensor.hpp"

namespace squall::cpu {

template <class R>
class Context {
 public:
  Context(int threads, Isa isa);
  Isa isa() const { return isa_; }
  const Kernels<R>& kernels() const { return kernels_; }
  const Parallel& parallel() const { return parallel_; }
  // c (=, +=) a b by one thread, inside a tile of `worker`.
  void multiply(const GemmCall<R>& call, int worker) const;
  // Room of the kernels of products, one for each worker.
  R* scratch(int worker) const {
    return reinterpret_cast<R*>(scratch_.get() + scratch_stride_ * static_cast<std::size_t>(worker));
  }
  // Room for one piece of a second factor in panels, shared by the tiles of a product.
  static constexpr Index kSharedColumns = 1536;
  R* shared_panels() const { return shared_.get(); }
  // Whether a library makes products of this size.
  bool by_library(Index m, Index n, Index k) const;
  // Room for partial sums of one operation.
  static constexpr Index kSums = 16384;
  double* sums() const { return sums_.get(); }
  std::string describe_products() const;

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  Isa isa_;
  Kernels<R> kernels_;
  Parallel parallel_;
  const Blas* library_ = nullptr;
  std::size_t scratch_stride_ = 0;
  std::unique_ptr<std::byte, Free> scratch_;
  std::unique_ptr<double, Free> sums_;
  std::unique_ptr<R, Free> shared_;
};

template <class R>
using ContextPtr = std::shared_ptr<const Context<R>>;

// Index of an enumerator in the tables of kernels.
template <class E>
constexpr std::size_t at(E e) {
  return static_cast<std::size_t>(e);
}

}  // namespace squall::cpu
