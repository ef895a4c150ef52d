// One step of recurrent units: everything but the products, forward and back, one thread for each unit of an example.
#pragma once

#include "cuda/kernels/math.hpp"
#include "cuda/kernels/rows.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall::cuda::SQUALL_GRID {

// Where a step stands among all of its sequences.
struct StepPlace {
  Index t = 0, time = 0, batch = 0;
  const std::int32_t* lengths = nullptr;  // or null: all have `time` steps
  bool reverse = false;
  SQUALL_HD Index last(Index b) const { return lengths != nullptr ? lengths[b] - 1 : time - 1; }
  SQUALL_HD bool inside(Index b) const { return t <= last(b); }
  SQUALL_HD bool first_in_order(Index b) const { return reverse ? t == last(b) : t == 0; }
  SQUALL_HD bool last_in_order(Index b) const { return reverse ? t == 0 : t == last(b); }
  // What the state was before the step: rows are (1 + time, batch, width).
  template <class R>
  SQUALL_HD R before(const R* rows, Index b, Index width, Index u) const {
    const Index row = first_in_order(b) ? 0 : (reverse ? t + 2 : t);
    return row <= time ? rows[(row * batch + b) * width + u] : R(0);
  }
};

// Numbers of the units: null where there are none.
template <class R>
struct UnitNumbers {
  const R* bias[4];
  const R* recurrent_bias[4];
  const R* peephole[3];
  const R* timing;
  SQUALL_HD R both(int gate, Index u) const { return first(gate, u) + second(gate, u); }
  SQUALL_HD R first(int gate, Index u) const { return bias[gate] != nullptr ? bias[gate][u] : R(0); }
  SQUALL_HD R second(int gate, Index u) const {
    return recurrent_bias[gate] != nullptr ? recurrent_bias[gate][u] : R(0);
  }
  SQUALL_HD R seen(int hole, Index u, R cell) const {
    return peephole[hole] != nullptr ? peephole[hole][u] * cell : R(0);
  }
  // Whether the unit rests at this step.
  SQUALL_HD bool rests(Index now, Index u) const {
    return timing != nullptr && now != 0 && mod_of(static_cast<R>(now), timing[u]) != R(0);
  }
};

// Rows of a run, and of deltas, at their beginnings; null where they are not wanted.
template <class R>
struct CellRows {
  R *h, *c;     // (1 + time, batch, size)
  R* gates[4];  // (time, batch, size)
  R* cell_output;
};

template <class R>
struct StepForward {
  StepPlace place;
  Index size = 0, now = 0;
  Activation activation = Activation::Tanh;
  const R* input = nullptr;      // products with x of this step: (batch, gates * size), rows of input_ld
  const R* recurrent = nullptr;  // and with the state before, without a gap
  Index input_ld = 0;
  R* projected = nullptr;  // (batch, size), in place of h; or null
  UnitNumbers<R> units{};
  CellRows<R> rows{};

  SQUALL_HD Index here(Index b, Index u) const { return (place.t * place.batch + b) * size + u; }
  SQUALL_HD void keep(int gate, Index b, Index u, R value) const {
    if (rows.gates[gate] != nullptr) rows.gates[gate][here(b, u)] = value;
  }
  SQUALL_HD void leave(R* to, Index b, Index u, R value) const {
    to[((place.t + 1) * place.batch + b) * size + u] = place.inside(b) ? value : R(0);
  }
};

template <class R>
struct SimpleForward {
  StepForward<R> s;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, s.size);
    const Index b = at.quotient, u = at.rest;
    R h = apply(s.activation, s.input[b * s.input_ld + u] + s.recurrent[i] + s.units.both(0, u));
    if (s.units.rests(s.now, u)) h = s.place.before(s.rows.h, b, s.size, u);
    s.leave(s.rows.h, b, u, h);
  }
};

template <class R>
struct LstmForward {
  StepForward<R> s;
  SQUALL_HD R product(int gate, Index b, Index u) const {
    const Index k = gate * s.size + u;
    return s.input[b * s.input_ld + k] + s.recurrent[b * 4 * s.size + k] + s.units.both(gate, u);
  }
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, s.size);
    const Index b = at.quotient, u = at.rest;
    const R before = s.place.before(s.rows.c, b, s.size, u);
    const R z = apply(s.activation, product(0, b, u));
    const R in = formulas::sigmoid(product(1, b, u) + s.units.seen(0, u, before));
    const R forget = formulas::sigmoid(product(2, b, u) + s.units.seen(1, u, before));
    R c = in * z + forget * before;
    const R open = formulas::sigmoid(product(3, b, u) + s.units.seen(2, u, c));
    const R out = apply(s.activation, c);
    R h = open * out;
    const R gates[4] = {z, in, forget, open};
    for (int g = 0; g < 4; ++g) s.keep(g, b, u, gates[g]);
    if (s.rows.cell_output != nullptr) s.rows.cell_output[s.here(b, u)] = out;
    if (s.units.rests(s.now, u)) {
      c = before;
      h = s.place.before(s.rows.h, b, s.size, u);
    }
    s.leave(s.rows.c, b, u, c);
    if (s.projected != nullptr)
      s.projected[i] = h;
    else
      s.leave(s.rows.h, b, u, h);
  }
};

// Products lie as n, r, z from the inputs and as r, z, n from the state: so both are parts of n, r, z, q going back.
template <class R>
struct GruForward {
  StepForward<R> s;
  SQUALL_HD void operator()(Index i) const {
    const Index size = s.size;
    const Divided at = divide(i, size);
    const Index b = at.quotient, u = at.rest;
    const R* x = s.input + b * s.input_ld + u;
    const R* state = s.recurrent + b * 3 * size + u;
    const R r = formulas::sigmoid(x[size] + state[0] + s.units.both(0, u));
    const R z = formulas::sigmoid(x[2 * size] + state[size] + s.units.both(1, u));
    const R q = state[2 * size] + s.units.second(2, u);
    const R n = apply(s.activation, x[0] + s.units.first(2, u) + r * q);
    const R before = s.place.before(s.rows.h, b, size, u);
    const R gates[4] = {r, z, n, q};
    for (int g = 0; g < 4; ++g) s.keep(g, b, u, gates[g]);
    s.leave(s.rows.h, b, u, (before - n) * z + n);
  }
};

// Back: `flow` (batch, size) is what later steps send to this state, and then what this one sends past its products.
template <class R>
struct StepBack {
  StepPlace place;
  Index size = 0, now = 0;
  Activation activation = Activation::Tanh;
  const R* dh = nullptr;       // (batch, size) of this step
  const R* dh_last = nullptr;  // or null
  const R* dc_last = nullptr;
  const R* units_delta = nullptr;  // with a projection: (batch, size), in place of dh, dh_last and flow
  R* flow = nullptr;
  R* dc = nullptr;        // (batch, size)
  R* deltas = nullptr;    // (batch, products * size)
  R* dc_first = nullptr;  // or null
  bool add_first = false;
  UnitNumbers<R> units{};
  CellRows<R> rows{};

  SQUALL_HD Index here(Index b, Index u) const { return (place.t * place.batch + b) * size + u; }
  SQUALL_HD R gate(int g, Index b, Index u) const { return rows.gates[g][here(b, u)]; }
  // Delta of the state after the step.
  SQUALL_HD R of_state(Index b, Index u) const {
    const Index i = b * size + u;
    if (!place.inside(b)) return R(0);
    R total = dh[i] + flow[i];
    if (dh_last != nullptr && place.last_in_order(b)) total += dh_last[i];
    return total;
  }
  SQUALL_HD R of_cell(Index b, Index u) const {
    const Index i = b * size + u;
    if (!place.inside(b)) return R(0);
    return dc_last != nullptr && place.last_in_order(b) ? dc[i] + dc_last[i] : dc[i];
  }
};

template <class R>
struct SimpleBack {
  StepBack<R> s;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, s.size);
    const Index b = at.quotient, u = at.rest;
    const R dh = s.of_state(b, u);
    const bool rests = s.units.rests(s.now, u);
    const R h = s.rows.h[((s.place.t + 1) * s.place.batch + b) * s.size + u];
    s.deltas[i] = rests ? R(0) : apply_back(s.activation, h, dh);
    s.flow[i] = rests ? dh : R(0);
  }
};

template <class R>
struct LstmBack {
  StepBack<R> s;
  SQUALL_HD void operator()(Index i) const {
    const Index size = s.size;
    const Divided at = divide(i, size);
    const Index b = at.quotient, u = at.rest;
    R* to = s.deltas + b * 4 * size + u;
    const R given = s.units_delta != nullptr ? s.units_delta[i] : s.of_state(b, u);
    const R kept = s.of_cell(b, u);
    const bool rests = s.units.rests(s.now, u);
    R left = kept;
    for (int g = 0; g < 4 && rests; ++g) to[g * size] = R(0);
    if (!rests) left = through(b, u, given, kept, to);
    if (s.units_delta == nullptr) s.flow[i] = rests ? given : R(0);
    s.dc[i] = left;
    if (s.dc_first != nullptr && s.place.first_in_order(b)) put(s.dc_first + i, left, s.add_first);
  }
  // Deltas of the gates; gives that of the cell before.
  SQUALL_HD R through(Index b, Index u, R du, R dc, R* to) const {
    const auto& units = s.units;
    const R z = s.gate(0, b, u), in = s.gate(1, b, u), forget = s.gate(2, b, u), open = s.gate(3, b, u);
    const R before = s.place.before(s.rows.c, b, s.size, u);
    const R out = s.rows.cell_output[s.here(b, u)];
    const R d_open = formulas::sigmoid_back(open, du * out);
    dc += apply_back(s.activation, out, du * open) + units.seen(2, u, d_open);
    const R d_forget = formulas::sigmoid_back(forget, dc * before);
    const R d_in = formulas::sigmoid_back(in, dc * z);
    to[0] = apply_back(s.activation, z, dc * in);
    to[s.size] = d_in;
    to[2 * s.size] = d_forget;
    to[3 * s.size] = d_open;
    return dc * forget + units.seen(0, u, d_in) + units.seen(1, u, d_forget);
  }
};

template <class R>
struct GruBack {
  StepBack<R> s;
  SQUALL_HD void operator()(Index i) const {
    const Index size = s.size;
    const Divided at = divide(i, size);
    const Index b = at.quotient, u = at.rest;
    const R dh = s.of_state(b, u);
    const R r = s.gate(0, b, u), z = s.gate(1, b, u), n = s.gate(2, b, u), q = s.gate(3, b, u);
    const R before = s.place.before(s.rows.h, b, size, u);
    const R dn = apply_back(s.activation, n, (R(1) - z) * dh);
    R* to = s.deltas + b * 4 * size + u;
    to[0] = dn;
    to[size] = formulas::sigmoid_back(r, dn * q);
    to[2 * size] = formulas::sigmoid_back(z, (before - n) * dh);
    to[3 * size] = dn * r;
    s.flow[i] = dh * z;
  }
};

}  // namespace squall::cuda::SQUALL_GRID
