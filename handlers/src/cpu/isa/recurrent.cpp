// One step of an LSTM or a GRU for a block of sequences and units: everything between two products in one pass.
#include "cpu/isa/activations.hpp"
#include "cpu/isa/fill.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

template <class F, bool kPeepholes, class R>
void lstm_rows(const LstmCall<R>& k) {
  for (Count row = 0; row < k.rows; ++row) {
    const Count at = row * k.ld;
    R *z = k.gate[0] + at, *i = k.gate[1] + at, *f = k.gate[2] + at, *o = k.gate[3] + at;
    const R* before = k.c_before + at;
    R *c = k.c + at, *output = k.output + at, *h = k.h + at;
#pragma omp simd
    for (Count j = 0; j < k.n; ++j) {
      const R last = before[j];
      const R zj = F::of(z[j] + k.bias[0][j]);
      const R ij = sigmoid_of(i[j] + k.bias[1][j] + (kPeepholes ? k.peephole[0][j] * last : R(0)));
      const R fj = sigmoid_of(f[j] + k.bias[2][j] + (kPeepholes ? k.peephole[1][j] * last : R(0)));
      const R now = ij * zj + fj * last;
      const R oj = sigmoid_of(o[j] + k.bias[3][j] + (kPeepholes ? k.peephole[2][j] * now : R(0)));
      const R out = F::of(now);
      z[j] = zj;
      i[j] = ij;
      f[j] = fj;
      o[j] = oj;
      c[j] = now;
      output[j] = out;
      h[j] = oj * out;
    }
  }
}
template <class F, class R>
void lstm(const LstmCall<R>& k) {
  if (k.peephole[0] != nullptr)
    lstm_rows<F, true>(k);
  else
    lstm_rows<F, false>(k);
}

template <class F, bool kPeepholes, class R>
void lstm_back_rows(const LstmCall<R>& k) {
  for (Count row = 0; row < k.rows; ++row) {
    const Count at = row * k.ld;
    const R *z = k.gate[0] + at, *i = k.gate[1] + at, *f = k.gate[2] + at, *o = k.gate[3] + at;
    const R *before = k.c_before + at, *output = k.output + at, *dh = k.dh + at;
    R* dc = k.dc + at;
    R *dz = k.delta[0] + at, *di = k.delta[1] + at, *df = k.delta[2] + at, *d_o = k.delta[3] + at;
#pragma omp simd
    for (Count j = 0; j < k.n; ++j) {
      const R dout = Sigmoid::back(o[j], dh[j] * output[j]);
      const R d = dc[j] + F::back(output[j], dh[j] * o[j]) + (kPeepholes ? k.peephole[2][j] * dout : R(0));
      const R dforget = Sigmoid::back(f[j], d * before[j]);
      const R din = Sigmoid::back(i[j], d * z[j]);
      dz[j] = F::back(z[j], d * i[j]);
      di[j] = din;
      df[j] = dforget;
      d_o[j] = dout;
      dc[j] = d * f[j] + (kPeepholes ? k.peephole[0][j] * din + k.peephole[1][j] * dforget : R(0));
    }
    if (!kPeepholes) continue;
    const R* now = k.c + at;
#pragma omp simd
    for (Count j = 0; j < k.n; ++j) {
      k.peephole_sums[0][j] += static_cast<double>(di[j] * before[j]);
      k.peephole_sums[1][j] += static_cast<double>(df[j] * before[j]);
      k.peephole_sums[2][j] += static_cast<double>(d_o[j] * now[j]);
    }
  }
}
template <class F, class R>
void lstm_back(const LstmCall<R>& k) {
  if (k.peephole[0] != nullptr)
    lstm_back_rows<F, true>(k);
  else
    lstm_back_rows<F, false>(k);
}

template <class F, class R>
void gru(const GruCall<R>& k) {
  for (Count row = 0; row < k.rows; ++row) {
    const Count at = row * k.ld;
    R *r = k.gate[0] + at, *z = k.gate[1] + at, *n = k.gate[2] + at, *q = k.gate[3] + at;
    const R* before = k.h_before + at;
    R* h = k.h + at;
#pragma omp simd
    for (Count j = 0; j < k.n; ++j) {
      const R rj = sigmoid_of(r[j] + k.bias[0][j]);
      const R zj = sigmoid_of(z[j] + k.bias[1][j]);
      const R qj = q[j] + k.bias[3][j];
      const R nj = F::of(n[j] + k.bias[2][j] + rj * qj);
      r[j] = rj;
      z[j] = zj;
      n[j] = nj;
      q[j] = qj;
      h[j] = nj + zj * (before[j] - nj);
    }
  }
}

template <class F, class R>
void gru_back(const GruCall<R>& k) {
  for (Count row = 0; row < k.rows; ++row) {
    const Count at = row * k.ld;
    const R *r = k.gate[0] + at, *z = k.gate[1] + at, *n = k.gate[2] + at, *q = k.gate[3] + at;
    const R *before = k.h_before + at, *dh = k.dh + at;
    R* carry = k.carry + at;
    R *dr = k.delta[0] + at, *dz = k.delta[1] + at, *dn = k.delta[2] + at, *dq = k.delta[3] + at;
#pragma omp simd
    for (Count j = 0; j < k.n; ++j) {
      const R d = dh[j];
      const R candidate = F::back(n[j], d * (R(1) - z[j]));
      dz[j] = Sigmoid::back(z[j], d * (before[j] - n[j]));
      dn[j] = candidate;
      dr[j] = Sigmoid::back(r[j], candidate * q[j]);
      dq[j] = candidate * r[j];
      carry[j] += d * z[j];
    }
  }
}

template <class... F>
struct Cells {
  template <class R>
  static void fill(SequenceKernels<R>& k) {
    int a = 0;
    ((k.lstm[a] = lstm<F, R>, k.lstm_back[a] = lstm_back<F, R>, k.gru[a] = gru<F, R>, k.gru_back[a++] = gru_back<F, R>),
     ...);
  }
};

}  // namespace

void fill_recurrent(Kernels<float>& k) { Cells<Linear, Rel, Tanh, Sigmoid, El>::fill(k.sequence); }
void fill_recurrent(Kernels<double>& k) { Cells<Linear, Rel, Tanh, Sigmoid, El>::fill(k.sequence); }

}  // namespace squall::cpu::SQUALL_ISA
