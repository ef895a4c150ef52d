// Work on rows of a matrix that needs sums or maxima of the whole row. A row is one thread's where it is short, else
// that of 32 or 128 threads, which put their parts together in a fixed tree: the order depends on the width alone.
//
// A row program F has
//   kStages                                         how many totals it needs, one after another
//   partial(stage, row, first, step, totals)        of the elements first, first + step, ...; totals: of earlier stages
//   combine(stage, a, b)
//   finish(row, first, step, totals)                for the same elements
#pragma once

#include "cuda/grid.hpp"

namespace squall::cuda::SQUALL_GRID {

template <int kLanes, class F>
struct RowKernel {
  static constexpr int kRows = kBlockThreads / kLanes;
  static constexpr int levels() {
    int n = 0;
    for (int lanes = kLanes; lanes > 1; lanes /= 2) ++n;
    return n;
  }
  static constexpr int kSteps = 1 + levels();
  static constexpr int kPhases = F::kStages * kSteps + 1;
  struct Shared {
    double part[kBlockThreads];
    double total[kRows][F::kStages];
  };
  Index rows;
  F f;

  SQUALL_HD void operator()(int phase, Index block, int thread, Shared& s) const {
    const int local = thread / kLanes, lane = thread % kLanes;
    const Index row = block * kRows + local;
    if (row >= rows) return;
    const int stage = phase / kSteps, step = phase % kSteps;
    double* totals = s.total[local];
    if (stage == F::kStages) return f.finish(row, lane, kLanes, totals);
    double* part = s.part + local * kLanes;
    if (step == 0) {
      part[lane] = f.partial(stage, row, lane, kLanes, totals);
    } else {
      const int half = kLanes >> step;
      if (lane < half) part[lane] = f.combine(stage, part[lane], part[lane + half]);
    }
    if (step == kSteps - 1 && lane == 0) totals[stage] = part[0];
  }
};

template <class F>
void rows(Context& ctx, Index count, Index width, const F& f) {
  constexpr int kShort = 32, kLong = 1024;
  const auto run = [&](auto kernel) { blocks(ctx, (count + kernel.kRows - 1) / kernel.kRows, kernel); };
  if (width <= kShort)
    run(RowKernel<1, F>{count, f});
  else if (width <= kLong)
    run(RowKernel<32, F>{count, f});
  else
    run(RowKernel<kBlockThreads, F>{count, f});
}

// i = quotient n + rest; 32 bits are divided much faster than 64.
struct Divided {
  Index quotient, rest;
};
SQUALL_HD inline Divided divide(Index i, Index n) {
  if (((i | n) >> 32) == 0) {
    const std::uint32_t q = static_cast<std::uint32_t>(i) / static_cast<std::uint32_t>(n);
    return {static_cast<Index>(q),
            static_cast<Index>(static_cast<std::uint32_t>(i) - q * static_cast<std::uint32_t>(n))};
  }
  return {i / n, i % n};
}

}  // namespace squall::cuda::SQUALL_GRID
