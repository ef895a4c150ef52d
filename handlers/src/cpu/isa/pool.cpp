// Kernels of max pooling over the channels of one pixel.
#include "cpu/isa/fill.hpp"
#include "cpu/isa/vector.hpp"

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

// Whole numbers as wide as R, which comparisons of vectors of R give.
template <class R>
struct WholeOf {
  using Type = std::int32_t;
};
template <>
struct WholeOf<double> {
  using Type = std::int64_t;
};
template <class R>
using Places = Vector<typename WholeOf<R>::Type, kLanes<R>>;
template <class R>
using PlacesInMemory = Vector<std::int32_t, kLanes<R>>;

template <class R>
SQUALL_ALWAYS Vector<R> choose(Places<R> mask, Vector<R> yes, Vector<R> no) {
  return reinterpret_cast<Vector<R>>((mask & reinterpret_cast<Places<R>>(yes)) |
                                     (~mask & reinterpret_cast<Places<R>>(no)));
}

// f(place of the tap from the corner, its number) for all taps in order.
template <class F>
SQUALL_ALWAYS void each_tap(const TapRange& t, const F& f) {
  for (Count z = t.z0; z < t.z1; ++z)
    for (Count y = t.y0; y < t.y1; ++y)
      for (Count x = t.x0; x < t.x1; ++x)
        f(z * t.plane + y * t.line + x * t.step, z * t.kernel_plane + y * t.kernel_w + x);
}

template <class R>
void max_window(const TapRange& t, const R* image, R* best, std::int32_t* place) {
  constexpr int lanes = kLanes<R>;
  const R* corner = image + t.origin;
  Count i = 0;
  for (; i + lanes <= t.channels; i += lanes) {
    Vector<R> top = load(corner + t.z0 * t.plane + t.y0 * t.line + t.x0 * t.step + i);
    Places<R> at = {};
    at += static_cast<typename WholeOf<R>::Type>(t.z0 * t.kernel_plane + t.y0 * t.kernel_w + t.x0);
    each_tap(t, [&](Count offset, Count tap) {
      const Vector<R> v = load(corner + offset + i);
      const Places<R> larger = (v > top) | ((v != v) & (top == top));
      const Places<R> here = Places<R>{} + static_cast<typename WholeOf<R>::Type>(tap);
      top = choose<R>(larger, v, top);
      at = (larger & here) | (~larger & at);
    });
    store(best + i, top);
    store<std::int32_t, lanes>(place + i, __builtin_convertvector(at, PlacesInMemory<R>));
  }
  if (i == t.channels) return;
  bool first = true;
  each_tap(t, [&](Count offset, Count tap) {
    (first ? max_first<R> : max_next<R>)(t.channels - i, corner + offset + i, static_cast<std::int32_t>(tap), best + i,
                                         place + i);
    first = false;
  });
}

template <class R>
void put_window(const TapRange& t, const R* value, const std::int32_t* place, R* image) {
  constexpr int lanes = kLanes<R>;
  R* corner = image + t.origin;
  Count i = 0;
  for (; i + lanes <= t.channels; i += lanes) {
    const Vector<R> v = load(value + i);
    const Places<R> at = __builtin_convertvector((load<std::int32_t, lanes>(place + i)), Places<R>);
    each_tap(t, [&](Count offset, Count tap) {
      R* pixel = corner + offset + i;
      const Places<R> here = at == static_cast<typename WholeOf<R>::Type>(tap);
      store(pixel, load(pixel) + choose<R>(here, v, Vector<R>{}));
    });
  }
  if (i == t.channels) return;
  each_tap(t, [&](Count offset, Count tap) {
    put_where(t.channels - i, value + i, place + i, static_cast<std::int32_t>(tap), corner + offset + i);
  });
}

template <class R>
void fill(Kernels<R>& k) {
  k.max_window = max_window<R>;
  k.put_window = put_window<R>;
  k.max_first = max_first<R>;
  k.max_next = max_next<R>;
  k.put_where = put_where<R>;
}

}  // namespace

void fill_pool(Kernels<float>& k) { fill(k); }
void fill_pool(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
