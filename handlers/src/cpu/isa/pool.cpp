// Kernels of max pooling over the channels of one pixel.
#include "cpu/isa/fill.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

template <class R>
void max_first(Count n, const R* x, std::int32_t tap, R* best, std::int32_t* place) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) {
    best[i] = x[i];
    place[i] = tap;
  }
}
// NaN wins and stays.
template <class R>
void max_next(Count n, const R* x, std::int32_t tap, R* best, std::int32_t* place) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) {
    const bool larger = x[i] > best[i] || (x[i] != x[i] && best[i] == best[i]);
    best[i] = larger ? x[i] : best[i];
    place[i] = larger ? tap : place[i];
  }
}
template <class R>
void put_where(Count n, const R* value, const std::int32_t* place, std::int32_t tap, R* x) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) x[i] += place[i] == tap ? value[i] : R(0);
}

template <class R>
void fill(Kernels<R>& k) {
  k.max_first = max_first<R>;
  k.max_next = max_next<R>;
  k.put_where = put_where<R>;
}

}  // namespace

void fill_pool(Kernels<float>& k) { fill(k); }
void fill_pool(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
