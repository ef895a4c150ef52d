// Attention without projections: queries, keys and values are inputs.
#pragma once

#include <cmath>

#include "common/drop.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/memory.hpp"

namespace squall {

// D says by what scores are multiplied: scale(width of keys). Sequences are (T, B, width), (B, ..., length, width), or
// (B, width), where the batch itself is the sequence.
template <class D, class Options>
class DotProductLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    require_probability(d, options.dropout_p);
    q_ = d.input("default", "...");
    k_ = d.input("key", "...");
    v_ = d.input("value", "...");
    const BufferShape &q = d.shape(q_), &k = d.shape(k_), &v = d.shape(v_);
    const int last = q.features.rank() - 1;
    steps_ = q.scales_with_time() && last == 0;
    const bool alike = k.features.rank() == last + 1 && v.features.rank() == last + 1 && same_leading(q, k, last) &&
                       same_leading(k, v, last) && k.time == v.time && k.batch == v.batch &&
                       k.features.until(last) == v.features.until(last) && q.features[-1] == k.features[-1];
    if (!alike || (last == 0 && !q.scales_with_batch()))
      d.fail("queries ", q, ", keys ", k, " and values ", v,
             " do not fit: they should be (T, B, width), (B, ..., length, width) or (B, width), keys as wide as "
             "queries and as many as values");
    y_ = d.output("default", d.like(q_, q.features.until(last).with_back(v.features[-1])));
    kept_ = d.internal("kept", d.like(q_, q.features.until(last).with_back(v.features[-1])));
    plan_ = d.plan<AttentionPlan>();
    d.backward_reads(q_, k_, v_);
    masked_ = d.connected("attn_mask");
    if (masked_) declare_mask(d);
  }
  void prepare(Prepare& p) const override {
    const Shape q = p.shape(q_), k = p.shape(k_), v = p.shape(v_);
    AttentionSpec spec;
    spec.batch_first = !steps_;
    spec.queries = steps_ ? q[0] : q[-2];
    spec.keys = steps_ ? k[0] : k[-2];
    spec.batch = steps_ ? q[1] : q.until(q.rank() - 2).elements();
    spec.key_dim = q[-1];
    spec.value_dim = v[-1];
    spec.scale = static_cast<const D&>(*this).scale(q[-1]);
    spec.causal = options.is_causal;
    spec.dropout = options.dropout_p;
    spec.training = p.training();
    if (masked_) {
      const Shape m = p.shape(mask_);
      if (m[-2] != spec.queries || m[-1] != spec.keys)
        raise<ShapeError>("input 'attn_mask' is ", m, ", but there are ", spec.queries, " queries and ", spec.keys,
                          " keys");
      spec.mask_batch = m.rank() > 2 ? spec.batch : 1;
    }
    p.keep(plan_, p.handler().attention().plan(spec));
  }
  void forward(Forward& f) const override {
    if (masked_ && spread_) spread(f, f[mask_], f[spread_mask_]);
    AttentionRun run = run_of(f);
    run.y = Matrix(as_rows(f[kept_]));
    f[plan_].forward(run);
    f.handler().elementwise().unary(Unary::Copy, f[kept_], f[y_]);
  }
  void backward(Backward& b) const override {
    AttentionRun run = run_of(b);
    run.y = Matrix(as_rows(b[kept_]));
    AttentionDeltas d;
    d.dy = Matrix(as_rows(b.delta(y_)));
    const auto sink = [&](In in) {
      const Sink s = b.delta(in);
      return s ? MatrixSink(Matrix(as_rows(s.to)), s.mode) : MatrixSink(s);
    };
    d.dq = sink(q_);
    d.dk = sink(k_);
    d.dv = sink(v_);
    b[plan_].backward(run, d);
  }

 private:
  // Whether all axes in front of length and width are alike.
  static bool same_leading(const BufferShape& a, const BufferShape& b, int last) {
    if (a.scales_with_time() != b.scales_with_time() || a.scales_with_batch() != b.scales_with_batch()) return false;
    if (last == 0) return !a.scales_with_time() || a.batch == b.batch;
    return a.time == b.time && a.batch == b.batch && a.features.until(last - 1) == b.features.until(last - 1);
  }
  void declare_mask(Declare& d) {
    mask_ =
        d.input("attn_mask", "...", {.dtype = options.added_mask ? DType::F32 : DType::U8, .differentiable = false});
    d.backward_reads(mask_);
    const BufferShape &m = d.shape(mask_), &q = d.shape(q_);
    const bool plain = !m.scales_with_batch() && m.features.rank() == 2;
    const bool whole = !steps_ && m.batch == q.batch && m.time == q.time && m.features.rank() == q.features.rank();
    if (!plain && !whole)
      d.fail("input 'attn_mask' should be (queries, keys), or have the leading axes of the queries ", q,
             " (or 1 in their place) before that, but is ", m);
    if (plain) return;
    const int lead = q.features.rank() - 2;
    for (int i = 0; i < lead; ++i) {
      if (m.features[i] != 1 && m.features[i] != q.features[i])
        d.fail("axis ", i, " of input 'attn_mask' ", m, " should be 1 or that of the queries ", q);
      spread_ = spread_ || m.features[i] != q.features[i];
    }
    if (spread_)
      spread_mask_ = d.internal("mask", d.like(q_, q.features.until(lead).joined(m.features.from(lead))),
                                {.dtype = options.added_mask ? DType::F32 : DType::U8});
  }
  // Copies the mask for every example, with axes of 1 repeated.
  void spread(Forward& f, const ConstTensor& mask, const Tensor& all) const {
    const Shape to = all.shape(), from = mask.shape();
    const int lead = to.rank() - 2;
    const Shape one = to.from(lead);
    const Tensor target = all.reshaped(Shape{to.until(lead).elements(), one.elements()});
    const ConstTensor source = mask.reshaped(Shape{from.until(lead).elements(), one.elements()});
    for (Index n = 0; n < target.shape()[0]; ++n) {
      Index rest = n, place = 0, step = 1;
      for (int i = lead - 1; i >= 0; --i) {
        if (from[i] != 1) place += rest % to[i] * step;
        rest /= to[i];
        step *= from[i];
      }
      f.handler().memory().copy(source.at(place), target.at(n));
    }
  }
  template <class P>
  AttentionRun run_of(const P& pass) const {
    AttentionRun run;
    run.q = ConstMatrix(as_rows(pass[q_]));
    run.k = ConstMatrix(as_rows(pass[k_]));
    run.v = ConstMatrix(as_rows(pass[v_]));
    if (masked_) run.mask = spread_ ? ConstTensor(pass[spread_mask_]) : pass[mask_];
    run.random = stream_of(pass, 0);
    return run;
  }
  In q_, k_, v_, mask_;
  Out y_;
  Internal kept_, spread_mask_;
  PlanSlot<AttentionPlan> plan_;
  bool steps_ = false, masked_ = false, spread_ = false;
};

}  // namespace squall
