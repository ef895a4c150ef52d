// How kernels run. A kernel is an object whose index logic and arithmetic are one function for host and device; files
// with kernels are compiled for a device by nvcc (SQUALL_GRID=device) and for the host by tests (SQUALL_GRID=on_host),
// where the same function is called for every index of the grid in turn.
#pragma once

#include <algorithm>
#include <type_traits>

#include "cuda/context.hpp"
#include "squall/core/formulas/portable.hpp"

namespace squall::cuda::SQUALL_GRID {

inline constexpr unsigned kEachThreads = 256;
inline constexpr int kBlockThreads = 128;
inline constexpr Index kMostBlocks = 65535;

template <class F>
struct EachArgument {
  Index n = 0;
  F f;
};
template <class F>
struct BlockArgument {
  Index blocks = 0;
  F f;
};

#ifdef __CUDACC__

template <class F>
__global__ void __launch_bounds__(kEachThreads) each_kernel(EachArgument<F> a) {
  const Index step = static_cast<Index>(gridDim.x) * kEachThreads;
  for (Index i = static_cast<Index>(blockIdx.x) * kEachThreads + threadIdx.x; i < a.n; i += step) a.f(i);
}
template <class F>
__global__ void __launch_bounds__(kBlockThreads) block_kernel(BlockArgument<F> a) {
  __shared__ typename F::Shared shared;
  for (Index b = blockIdx.x; b < a.blocks; b += gridDim.x)
    for (int phase = 0; phase < F::kPhases; ++phase) {
      a.f(phase, b, static_cast<int>(threadIdx.x), shared);
      __syncthreads();
    }
}
template <class F>
const void* each_of() {
  return reinterpret_cast<const void*>(&each_kernel<F>);
}
template <class F>
const void* block_of() {
  return reinterpret_cast<const void*>(&block_kernel<F>);
}
// The smallest key wins, whatever the order of threads.
__device__ inline void lower(FaultKey* to, FaultKey key) { atomicMin(to, key); }
__device__ inline std::int32_t raise_by_one(std::int32_t* to) { return atomicAdd(to, 1); }

#else

using HostKernel = void (*)(const void* argument);

template <class F>
void each_on_host(const void* argument) {
  const auto& a = *static_cast<const EachArgument<F>*>(argument);
  for (Index i = 0; i < a.n; ++i) a.f(i);
}
template <class F>
void block_on_host(const void* argument) {
  const auto& a = *static_cast<const BlockArgument<F>*>(argument);
  for (Index b = 0; b < a.blocks; ++b) {
    typename F::Shared shared;
    for (int phase = 0; phase < F::kPhases; ++phase)
      for (int thread = 0; thread < kBlockThreads; ++thread) a.f(phase, b, thread, shared);
  }
}
template <class F>
const void* each_of() {
  return reinterpret_cast<const void*>(static_cast<HostKernel>(&each_on_host<F>));
}
template <class F>
const void* block_of() {
  return reinterpret_cast<const void*>(static_cast<HostKernel>(&block_on_host<F>));
}
inline void lower(FaultKey* to, FaultKey key) { *to = key < *to ? key : *to; }
inline std::int32_t raise_by_one(std::int32_t* to) { return (*to)++; }

#endif

// f(i) for every i in 0 .. n - 1, each by a thread of its own.
template <class F>
void each(Context& ctx, Index n, const F& f) {
  static_assert(std::is_trivially_copyable_v<F>);
  if (n <= 0) return;
  const EachArgument<F> argument{n, f};
  const Index blocks = std::min((n + kEachThreads - 1) / static_cast<Index>(kEachThreads), kMostBlocks);
  ctx.launch({each_of<F>(), static_cast<unsigned>(blocks), kEachThreads}, &argument, sizeof argument);
}

// f(phase, block, thread, shared) for every block, phase after phase; threads of a block meet between phases.
template <class F>
void blocks(Context& ctx, Index count, const F& f) {
  static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_default_constructible_v<typename F::Shared>);
  if (count <= 0) return;
  const BlockArgument<F> argument{count, f};
  const auto many = static_cast<unsigned>(std::min(count, kMostBlocks));
  ctx.launch({block_of<F>(), many, static_cast<unsigned>(kBlockThreads)}, &argument, sizeof argument);
}

// What kernels do to memory that others write, too. Only whole numbers are ever shared like this.
SQUALL_HD inline void report(FaultKey* to, Index place, std::int32_t value) {
  const FaultKey key = (static_cast<FaultKey>(place) << 32) | static_cast<std::uint32_t>(value);
#if defined(__CUDA_ARCH__) || !defined(__CUDACC__)
  lower(to, key);
#else
  *to = key < *to ? key : *to;  // nvcc compiles it for the host, too; nobody runs that
#endif
}
SQUALL_HD inline std::int32_t counted(std::int32_t* to) {  // the count before
#if defined(__CUDA_ARCH__) || !defined(__CUDACC__)
  return raise_by_one(to);
#else
  return (*to)++;
#endif
}

template <class R>
SQUALL_HD inline void put(R* to, R value, bool add) {
  *to = add ? *to + value : value;
}

}  // namespace squall::cuda::SQUALL_GRID
