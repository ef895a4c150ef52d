// A recurrent problem in double: its formulas, one sequence at a time, its derivatives by finite differences, and its
// operands on a device.
#pragma once

#include "squall/core/ops/recurrent.hpp"
#include "support/op_case_plan.hpp"

namespace squall::test::recurrent {

inline std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// A plan's operands in double. Deltas belong to the problem: its loss is the sum of outputs times deltas.
struct Problem {
  RecurrentSpec s;
  Values x, h0, c0, projection, timing, dh, dh_last, dc_last;
  std::array<Values, 4> W, R, b, rb;
  std::array<Values, 3> p;
  std::vector<Index> lengths;
  Index first_step = 0;
};

struct Outcome {
  Values h, c, h_last, c_last;  // h, c: (time, batch, ...)
};

inline Problem draw(const RecurrentSpec& s, Index first_step = 0) {
  Rng rng(11, "recurrent");
  const auto some = [&](Index n, double scale) {
    Values v(at(n));
    for (double& e : v) e = static_cast<double>(static_cast<float>(rng.uniform(-scale, scale)));
    return v;
  };
  Problem q;
  q.s = s;
  q.first_step = first_step;
  q.x = some(s.time * s.batch * s.in, 1);
  q.h0 = some(s.batch * s.state(), 0.8);
  q.c0 = some(s.batch * s.size, 1);
  q.dh = some(s.time * s.batch * s.state(), 1);
  q.dh_last = some(s.batch * s.state(), 1);
  q.dc_last = some(s.batch * s.size, 1);
  const double share = 1 / std::sqrt(static_cast<double>(s.state()));
  for (std::size_t g = 0; g < 4; ++g) {
    q.W[g] = some(s.size * s.in, 0.7);
    q.R[g] = some(s.size * s.state(), share);
    q.b[g] = some(s.size, 0.5);
    q.rb[g] = some(s.size, 0.5);
  }
  for (auto& one : q.p) one = some(s.size, 0.6);
  q.projection = some(s.projection * s.size, 0.7);
  for (Index j = 0; j < s.size; ++j) q.timing.push_back(static_cast<double>(1 + j % 3));
  for (Index i = 0; i < s.batch; ++i) q.lengths.push_back(s.lengths ? 1 + (s.time - 1 + i) % s.time : s.time);
  return q;
}

// One sequence of a problem, step by step.
class Sequence {
 public:
  Sequence(const Problem& q, Index b) : q_(q), s_(q.s), b_(b) {
    for (Index j = 0; j < s_.state(); ++j) h_.push_back(q.h0[at(b * s_.state() + j)]);
    for (Index j = 0; j < s_.size; ++j) c_.push_back(q.c0[at(b * s_.size + j)]);
  }
  const Values& h() const { return h_; }
  const Values& c() const { return c_; }

  void step(Index t) {
    t_ = t;
    const Values h = h_, c = c_;
    Values units(at(s_.size));
    for (Index j = 0; j < s_.size; ++j) units[at(j)] = unit(j, h);
    h_ = s_.projection > 0 ? projected(units) : units;
    const Index now = q_.first_step + t;
    for (Index j = 0; j < s_.size && s_.clockwork && now > 0; ++j)
      if (std::fmod(static_cast<double>(now), q_.timing[at(j)]) != 0) h_[at(j)] = h[at(j)], c_[at(j)] = c[at(j)];
  }

 private:
  double in(std::size_t g, Index j) const {
    double sum = s_.bias ? q_.b[g][at(j)] : 0;
    for (Index i = 0; i < s_.in; ++i) sum += q_.W[g][at(j * s_.in + i)] * q_.x[at((t_ * s_.batch + b_) * s_.in + i)];
    return sum;
  }
  double back(std::size_t g, Index j, const Values& h) const {
    double sum = s_.recurrent_bias ? q_.rb[g][at(j)] : 0;
    for (Index i = 0; i < s_.state(); ++i) sum += q_.R[g][at(j * s_.state() + i)] * h[at(i)];
    return sum;
  }
  double unit(Index j, const Values& h) {
    const auto f = [&](double v) { return naive::activate(s_.activation, v); };
    if (s_.cell == Cell::Simple) return f(in(0, j) + back(0, j, h));
    if (s_.cell == Cell::Gru) {
      const double r = naive::sigmoid(in(0, j) + back(0, j, h)), z = naive::sigmoid(in(1, j) + back(1, j, h));
      return (1 - z) * f(in(2, j) + r * back(2, j, h)) + z * h[at(j)];
    }
    double& c = c_[at(j)];
    const auto see = [&](std::size_t k) { return s_.peepholes ? q_.p[k][at(j)] * c : 0; };
    const double z = f(in(0, j) + back(0, j, h));
    const double i = naive::sigmoid(in(1, j) + back(1, j, h) + see(0));
    const double forget = naive::sigmoid(in(2, j) + back(2, j, h) + see(1));
    c = i * z + forget * c;
    return naive::sigmoid(in(3, j) + back(3, j, h) + see(2)) * f(c);
  }
  Values projected(const Values& units) const {
    Values out(at(s_.projection), 0.0);
    for (Index k = 0; k < s_.projection; ++k)
      for (Index j = 0; j < s_.size; ++j) out[at(k)] += q_.projection[at(k * s_.size + j)] * units[at(j)];
    return out;
  }

  const Problem& q_;
  const RecurrentSpec& s_;
  Index b_, t_ = 0;
  Values h_, c_;
};

inline Outcome solve(const Problem& q) {
  const RecurrentSpec& s = q.s;
  Outcome o;
  o.h.assign(at(s.time * s.batch * s.state()), 0.0);
  o.c.assign(at(s.time * s.batch * s.size), 0.0);
  for (Index b = 0; b < s.batch; ++b) {
    Sequence sequence(q, b);
    const Index length = q.lengths[at(b)];
    for (Index k = 0; k < length; ++k) {
      const Index t = s.reverse ? length - 1 - k : k;
      sequence.step(t);
      std::copy(sequence.h().begin(), sequence.h().end(), o.h.begin() + (t * s.batch + b) * s.state());
      std::copy(sequence.c().begin(), sequence.c().end(), o.c.begin() + (t * s.batch + b) * s.size);
    }
    o.h_last.insert(o.h_last.end(), sequence.h().begin(), sequence.h().end());
    o.c_last.insert(o.c_last.end(), sequence.c().begin(), sequence.c().end());
  }
  return o;
}

inline double loss(const Problem& q) {
  const Outcome o = solve(q);
  double sum = 0;
  const auto add = [&](const Values& a, const Values& b) {
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  };
  add(o.h, q.dh);
  add(o.h_last, q.dh_last);
  if (q.s.cell == Cell::Lstm) add(o.c_last, q.dc_last);
  return sum;
}

inline Values slope(Problem q, const std::function<Values&(Problem&)>& part) {
  Values& v = part(q);
  Values out;
  for (double& e : v) {
    const double keep = e, h = 1e-5;
    e = keep + h;
    const double up = loss(q);
    e = keep - h;
    const double down = loss(q);
    e = keep;
    out.push_back((up - down) / (2 * h));
  }
  return out;
}

// Memory of one run of a plan.
struct OnDevice {
  RecurrentRun run;
  RecurrentWeights w;
  RecurrentDeltas d;
  RecurrentGradients g;

  OnDevice(OpCase& c, const Problem& q, Write mode, bool keep = true) {
    const RecurrentSpec& s = q.s;
    const Shape weight{s.size, s.in}, recurrent{s.size, s.state()}, whole{s.time, s.batch, s.size};
    const auto sink = [&](const Shape& shape) { return Sink(c.constant(shape, mode == Write::Add ? 2 : kNaN), mode); };
    run.x = c.real({s.time, s.batch, s.in}, q.x);
    run.h = c.nans({s.time + 1, s.batch, s.state()});
    c.h().memory().copy(c.real({s.batch, s.state()}, q.h0), run.h.at(0));
    run.h_last = c.nans({s.batch, s.state()});
    run.first_step = q.first_step;
    d.dh = c.real({s.time, s.batch, s.state()}, q.dh);
    d.dh_last = c.real({s.batch, s.state()}, q.dh_last);
    d.dx = sink({s.time, s.batch, s.in});
    d.dh_first = sink({s.batch, s.state()});
    if (s.lengths) run.lengths = c.i32({s.batch}, Values(q.lengths.begin(), q.lengths.end()));
    for (std::size_t k = 0; k < at(gate_count(s.cell)); ++k) {
      w.input[k] = c.real(weight, q.W[k]);
      w.recurrent[k] = c.real(recurrent, q.R[k]);
      g.input[k] = sink(weight);
      g.recurrent[k] = sink(recurrent);
      if (s.bias) w.bias[k] = c.real({s.size}, q.b[k]), g.bias[k] = sink({s.size});
      if (s.recurrent_bias) w.recurrent_bias[k] = c.real({s.size}, q.rb[k]), g.recurrent_bias[k] = sink({s.size});
    }
    for (auto& gate : run.gates)
      if (keep && s.cell != Cell::Simple) gate = c.nans(whole);
    if (s.clockwork) w.timing = c.real({s.size}, q.timing);
    if (s.cell == Cell::Lstm) lstm(c, q, keep, sink);
  }

 private:
  template <class MakeSink>
  void lstm(OpCase& c, const Problem& q, bool keep, const MakeSink& sink) {
    const RecurrentSpec& s = q.s;
    run.c = c.nans({s.time + 1, s.batch, s.size});
    c.h().memory().copy(c.real({s.batch, s.size}, q.c0), run.c.at(0));
    run.c_last = c.nans({s.batch, s.size});
    d.dc_last = c.real({s.batch, s.size}, q.dc_last);
    d.dc_first = sink({s.batch, s.size});
    if (keep) run.cell_output = c.nans({s.time, s.batch, s.size});
    for (std::size_t k = 0; k < 3 && s.peepholes; ++k) {
      w.peephole[k] = c.real({s.size}, q.p[k]);
      g.peephole[k] = sink({s.size});
    }
    if (s.projection == 0) return;
    w.projection = c.real({s.projection, s.size}, q.projection);
    g.projection = sink({s.projection, s.size});
    if (keep) run.units = c.nans({s.time, s.batch, s.size});
  }
};

}  // namespace squall::test::recurrent
