// Kernels that treat every element alike: y = f(x), z = f(x, y).
#include "cpu/isa/activations.hpp"
#include "cpu/isa/fill.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

// Functions of one or two elements, in the order of the enumerations of ops/elementwise.hpp and activation.hpp.
struct Copy {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x;
  }
};
struct Negate {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return -x;
  }
};
struct Abs {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x < R(0) ? -x : x + R(0);
  }  // -0 gives 0
};
struct Log {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return log_of(x);
  }
};
struct Sqrt {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return root_of(x);
  }
};
struct Sign {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x > R(0) ? R(1) : (x < R(0) ? R(-1) : x);
  }
};
struct Square {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x * x;
  }
};
struct Exp {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return exp_of(x);
  }
};
struct Reciprocal {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return R(1) / x;
  }
};

struct Add {
  template <class R>
  SQUALL_INLINE R of(R a, R b) {
    return a + b;
  }
};
struct Subtract {
  template <class R>
  SQUALL_INLINE R of(R a, R b) {
    return a - b;
  }
};
struct Multiply {
  template <class R>
  SQUALL_INLINE R of(R a, R b) {
    return a * b;
  }
};
struct Divide {
  template <class R>
  SQUALL_INLINE R of(R a, R b) {
    return a / b;
  }
};
struct Modulo {
  template <class R>
  SQUALL_INLINE R of(R a, R b) {
    return mod_of(a, b);
  }
};
// NaN in either operand gives NaN.
struct Maximum {
  template <class R>
  SQUALL_INLINE R of(R a, R b) {
    return a > b || a != a ? a : b;
  }
};
struct Minimum {
  template <class R>
  SQUALL_INLINE R of(R a, R b) {
    return a < b || a != a ? a : b;
  }
};

template <bool kAdd, class R>
SQUALL_INLINE void put(R& out, R value) {
  out = kAdd ? out + value : value;
}

template <class F, bool kAdd, class R>
void map(Count n, const R* x, R* out) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) put<kAdd>(out[i], F::of(x[i]));
}
template <class F, bool kAdd, class R>
void zip(Count n, const R* a, const R* b, R* out) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) put<kAdd>(out[i], F::of(a[i], b[i]));
}
template <class F, bool kAdd, class R>
void zip_scalar(Count n, const R* a, R b, R* out) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) put<kAdd>(out[i], F::of(a[i], b));
}
template <bool kAdd, class R>
void affine(Count n, const R* x, R scale, R shift, R* out) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) put<kAdd>(out[i], scale * x[i] + shift);
}
template <bool kAdd, class R>
void clip(Count n, const R* x, R low, R high, R* out) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) {
    const R raised = x[i] < low ? low : x[i];
    put<kAdd>(out[i], raised > high ? high : raised);
  }
}
template <bool kAdd, class R>
void select_owner(Count n, const R* x, const std::uint8_t* owner, std::uint8_t task, R* out) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) put<kAdd>(out[i], owner[i] == task ? x[i] : R(0));
}
template <class F, bool kAdd, class R>
void map_back(Count n, const R* y, const R* dy, R* dx) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) put<kAdd>(dx[i], F::back(y[i], dy[i]));
}
template <class F, class R>
void bias_map(Count rows, Count n, const R* bias, R* y, Count ld) {
  for (Count r = 0; r < rows; ++r) {
    R* row = y + r * ld;
    if (bias != nullptr) {
#pragma omp simd
      for (Count i = 0; i < n; ++i) row[i] = F::of(row[i] + bias[i]);
    } else {
      map<F, false>(n, row, row);
    }
  }
}

// All bits of the exponent set: infinite or not a number.
bool finite(Count n, const float* x) {
  std::uint32_t bad = 0;
#pragma omp simd reduction(| : bad)
  for (Count i = 0; i < n; ++i) bad |= (__builtin_bit_cast(std::uint32_t, x[i]) & 0x7F800000U) == 0x7F800000U ? 1U : 0U;
  return bad == 0;
}
bool finite(Count n, const double* x) {
  std::uint64_t bad = 0;
#pragma omp simd reduction(| : bad)
  for (Count i = 0; i < n; ++i) {
    constexpr std::uint64_t kExponent = 0x7FF0000000000000U;
    bad |= (__builtin_bit_cast(std::uint64_t, x[i]) & kExponent) == kExponent ? 1U : 0U;
  }
  return bad == 0;
}

template <class... F>
struct List {
  template <class R>
  static void unaries(Kernels<R>& k) {
    int i = 0;
    ((k.unary[i][0] = map<F, false, R>, k.unary[i++][1] = map<F, true, R>), ...);
  }
  template <class R>
  static void binaries(Kernels<R>& k) {
    int i = 0;
    ((k.binary[i][0] = zip<F, false, R>, k.binary[i++][1] = zip<F, true, R>), ...);
    i = 0;
    ((k.binary_scalar[i][0] = zip_scalar<F, false, R>, k.binary_scalar[i++][1] = zip_scalar<F, true, R>), ...);
  }
  template <class R>
  static void activations(Kernels<R>& k) {
    int i = 0;
    ((k.activate[i] = map<F, false, R>, k.bias_activate[i++] = bias_map<F, R>), ...);
    i = 0;
    ((k.activate_back[i][0] = map_back<F, false, R>, k.activate_back[i++][1] = map_back<F, true, R>), ...);
  }
};

template <class R>
void fill(Kernels<R>& k) {
  List<Copy, Negate, Abs, Log, Sqrt, Sign, Square, Exp, Reciprocal>::unaries(k);
  List<Add, Subtract, Multiply, Divide, Modulo, Maximum, Minimum>::binaries(k);
  List<Linear, Rel, Tanh, Sigmoid, El>::activations(k);
  k.affine[0] = affine<false, R>;
  k.affine[1] = affine<true, R>;
  k.clip[0] = clip<false, R>;
  k.clip[1] = clip<true, R>;
  k.select_owner[0] = select_owner<false, R>;
  k.select_owner[1] = select_owner<true, R>;
  k.all_finite = finite;
}

}  // namespace

void fill_elementwise(Kernels<float>& k) { fill(k); }
void fill_elementwise(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
