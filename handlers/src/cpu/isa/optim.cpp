// Update rules over a range of parameters in one pass. A weight whose write byte is 0 is stored back as it was read.
#include "cpu/isa/fill.hpp"
#include "squall/core/formulas/update.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

// Applies `rule(p, g, s0, s1, s2)` to every weight; kStates says how many state vectors exist.
template <int kStates, bool kMasked, bool kGradient, class R, class Rule>
[[gnu::always_inline]] inline void sweep_as(const RangeCall<R>& c, const Rule& rule) {
#pragma omp simd
  for (Count i = 0; i < c.n; ++i) {
    const R old_p = c.p[i];
    const R old_0 = kStates > 0 ? c.s0[i] : R(0);
    const R old_1 = kStates > 1 ? c.s1[i] : R(0);
    const R old_2 = kStates > 2 ? c.s2[i] : R(0);
    R p = old_p;
    R s0 = old_0;
    R s1 = old_1;
    R s2 = old_2;
    rule(p, kGradient ? c.g[i] : R(0), s0, s1, s2);
    const bool write = !kMasked || c.write[i] != 0;
    c.p[i] = write ? p : old_p;
    if (kStates > 0) c.s0[i] = write ? s0 : old_0;
    if (kStates > 1) c.s1[i] = write ? s1 : old_1;
    if (kStates > 2) c.s2[i] = write ? s2 : old_2;
  }
}
template <int kStates, bool kGradient, class R, class Rule>
[[gnu::always_inline]] inline void sweep(const RangeCall<R>& c, const Rule& rule) {
  if (c.write != nullptr)
    sweep_as<kStates, true, kGradient>(c, rule);
  else
    sweep_as<kStates, false, kGradient>(c, rule);
}

template <class R>
void sgd(const RangeCall<R>& c, R rate) {
  sweep<0, true>(
      c, [rate](R & p, R g, R&, R&, R&) __attribute__((always_inline)) { formulas::sgd(p, g, rate); });
}
template <class R>
void momentum(const RangeCall<R>& c, R rate, R mu) {
  sweep<1, true>(
      c, [ rate, mu ](R & p, R g, R & v, R&, R&)
             __attribute__((always_inline)) { formulas::momentum(p, g, v, rate, mu); });
}
template <class R>
void nesterov_ahead(const RangeCall<R>& c, R mu) {
  sweep<1, false>(
      c, [mu](R & p, R, R & v, R&, R&) __attribute__((always_inline)) { formulas::nesterov_ahead(p, v, mu); });
}
template <class R>
void nesterov_correct(const RangeCall<R>& c, R rate) {
  sweep<1, true>(
      c, [rate](R & p, R g, R & v, R&, R&)
             __attribute__((always_inline)) { formulas::nesterov_correct(p, g, v, rate); });
}
// Rules that are objects; a copy, which nothing else can change, keeps coefficients in registers.
template <class F, class R>
void update(const RangeCall<R>& c, const void* formula) {
  const F f = *static_cast<const F*>(formula);
  sweep<F::kStates, true>(
      c, [f](R & p, R g, R & s0, R & s1, R & s2) __attribute__((always_inline)) { f(p, g, s0, s1, s2); });
}
template <class... F>
struct Updates {
  template <class R>
  static void fill(Kernels<R>& k) {
    static_assert(sizeof...(F) == kUpdates);
    int i = 0;
    ((k.update[i++] = update<F, R>), ...);
  }
};
template <class R>
void l1_decay(Count n, const R* w, R factor, R* g) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) g[i] += factor * (w[i] > R(0) ? R(1) : (w[i] < R(0) ? R(-1) : R(0)));
}
template <class R>
void l2_decay(Count n, const R* w, R factor, R* g) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) g[i] += factor * w[i];
}

template <class R>
void fill(Kernels<R>& k) {
  k.sgd = sgd<R>;
  k.momentum = momentum<R>;
  k.nesterov_ahead = nesterov_ahead<R>;
  k.nesterov_correct = nesterov_correct<R>;
  formulas::AllUpdates<Updates>::fill(k);
  k.l1_decay = l1_decay<R>;
  k.l2_decay = l2_decay<R>;
}

}  // namespace

void fill_optim(Kernels<float>& k) { fill(k); }
void fill_optim(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
