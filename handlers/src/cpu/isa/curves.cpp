// Activations whose derivative needs their input, in the order of ops/elementwise.hpp.
#include "cpu/isa/fill.hpp"
#include "cpu/isa/math.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

constexpr double kRootHalf = 0.70710678118654752440, kDensity = 0.39894228040143267794;  // of a normal number at 0
constexpr double kTanhScale = 0.79788456080286535588, kCubic = 0.044715;

// Abramowitz, Stegun 7.1.26: absolute error below 2e-7.
SQUALL_INLINE float erf_of(float x) {
  const float magnitude = x < 0.0F ? -x : x;
  const float t = 1.0F / (1.0F + 0.3275911F * magnitude);
  float p = 1.061405429F;
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const float y = 1.0F - p * t * exp_of(-x * x);
  return x < 0.0F ? -y : y;
}
SQUALL_INLINE double erf_of(double x) { return ::erf(x); }

struct Gelu {
  template <class R>
  SQUALL_INLINE R share(R x) {  // P(X <= x)
    return R(0.5) * (R(1) + erf_of(x * R(kRootHalf)));
  }
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x * share(x);
  }
  template <class R>
  SQUALL_INLINE R slope(R x) {
    return share(x) + x * R(kDensity) * exp_of(R(-0.5) * x * x);
  }
};
struct GeluTanh {
  template <class R>
  SQUALL_INLINE R inner(R x) {
    return tanh_of(R(kTanhScale) * (x + R(kCubic) * x * x * x));
  }
  template <class R>
  SQUALL_INLINE R of(R x) {
    return R(0.5) * x * (R(1) + inner(x));
  }
  template <class R>
  SQUALL_INLINE R slope(R x) {
    const R t = inner(x);
    return R(0.5) * (R(1) + t) + R(0.5) * x * (R(1) - t * t) * R(kTanhScale) * (R(1) + R(3 * kCubic) * x * x);
  }
};
struct Silu {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x * sigmoid_of(x);
  }
  template <class R>
  SQUALL_INLINE R slope(R x) {
    const R s = sigmoid_of(x);
    return s * (R(1) + x * (R(1) - s));
  }
};

template <class F, class R>
void map(Count n, const R* x, R* y) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) y[i] = F::of(x[i]);
}
template <class F, bool kAdd, class R>
void map_back(Count n, const R* x, const R* dy, R* dx) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) {
    const R d = F::slope(x[i]) * dy[i];
    dx[i] = kAdd ? dx[i] + d : d;
  }
}

template <class... F>
struct List {
  template <class R>
  static void fill(Kernels<R>& k) {
    int i = 0;
    ((k.curve[i] = map<F, R>, k.curve_back[i][0] = map_back<F, false, R>, k.curve_back[i++][1] = map_back<F, true, R>),
     ...);
  }
};

}  // namespace

void fill_curves(Kernels<float>& k) { List<Gelu, GeluTanh, Silu>::fill(k); }
void fill_curves(Kernels<double>& k) { List<Gelu, GeluTanh, Silu>::fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
