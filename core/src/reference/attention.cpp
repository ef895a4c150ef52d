// Attention from products, softmax and masks, one head of one example after another.
#include "squall/core/ops/attention.hpp"

#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/random.hpp"

namespace squall {

namespace {

constexpr double kForbidden = -1e30;

HostArray later_keys(Index queries, Index keys) {
  HostArray mask(DType::F64, Shape{queries, keys});
  for (Index i = 0; i < queries; ++i)
    for (Index j = 0; j < keys; ++j) mask.set_value(i * keys + j, j > i ? kForbidden : 0.0);
  return mask;
}

class AttentionReference final : public AttentionPlan {
 public:
  AttentionReference(Handler& h, const AttentionSpec& s)
      : AttentionPlan(s),
        h_(h),
        p_(book({s.queries, s.keys})),
        kept_(book({s.queries, s.keys})),
        a_(book({s.queries, s.keys})),
        b_(book({s.queries, s.keys})),
        mask_(book({s.queries, s.masked_keys()})),
        padding_(book({s.batch, s.masked_keys()})),
        line_(book({s.masked_keys(), 1})),
        draws_(book({s.keep() < 1 ? s.queries : 0, (s.keys + 3) / 4 * 4})) {
    if (s.causal) later_ = own(h, later_keys(s.queries, s.masked_keys()).view(), h.dtype());
  }
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  void do_forward(const AttentionRun& run) override {
    each([&](Index n, Index h) {
      weigh(run, n, h);
      h_.linalg().matmul(workspace_[kept_], values(run.v, n, h), Matrix(writable(of_query(run.y, n, h, value_dim()))));
      if (run.weights) {
        h_.elementwise().affine(workspace_[kept_], share(), 0.0, Sink(workspace_[a_]));
        h_.linalg().copy_block(workspace_[a_], MatrixSink(writable(weight_rows(run.weights, n, h)),
                                                          spec().averaged && h > 0 ? Write::Add : Write::Overwrite));
      }
    });
  }

  void do_backward(const AttentionRun& run, const AttentionDeltas& d) override {
    each([&](Index n, Index h) {
      weigh(run, n, h);
      const ConstMatrix dy = d.dy.data != nullptr ? of_query(d.dy, n, h, value_dim()) : ConstMatrix();
      const Tensor da = workspace_[a_];  // delta of what multiplies the values
      if (dy.data != nullptr)
        h_.linalg().matmul(dy, values(run.v, n, h).T(), da);
      else
        h_.elementwise().fill(da, 0.0);
      if (d.dweights) {
        h_.linalg().copy_block(weight_rows(d.dweights, n, h), MatrixSink(workspace_[b_]));
        h_.elementwise().affine(workspace_[b_], share(), 0.0, Sink(da, Write::Add));
      }
      if (spec().keep() < 1) h_.elementwise().binary(Binary::Multiply, da, draw(run, n, h), Sink(da));
      h_.linalg().softmax_back(workspace_[p_], da, MatrixSink(da));
      h_.elementwise().affine(da, spec().scale, 0.0, Sink(da));
      h_.linalg().matmul(da, keys(run.k, n, h), part(d.dq, n, h, spec().queries, spec().key_dim));
      h_.linalg().matmul(ConstMatrix(da).T(), of_query(run.q, n, h, spec().key_dim),
                         part(d.dk, n, h, spec().keys, spec().key_dim));
      if (dy.data != nullptr)
        h_.linalg().matmul(ConstMatrix(workspace_[kept_]).T(), dy, part(d.dv, n, h, spec().keys, value_dim()));
      else
        clear(part(d.dv, n, h, spec().keys, value_dim()));
    });
  }

 private:
  int book(const Shape& shape) { return workspace_.book(h_.dtype(), shape); }
  Index value_dim() const { return spec().value_dim; }
  double share() const { return spec().averaged ? 1.0 / static_cast<double>(spec().heads) : 1.0; }
  template <class F>
  void each(const F& f) const {
    for (Index n = 0; n < spec().batch; ++n)
      for (Index h = 0; h < spec().heads; ++h) f(n, h);
  }

  // `length` rows of example n, `width` columns of head h.
  ConstMatrix block(const ConstMatrix& m, Index n, Index h, Index length, Index width) const {
    const Index row = spec().batch_first ? n * length : n;
    const auto* data = m.as<std::byte>() + static_cast<std::size_t>(row * m.ld + h * width) * size_of(m.dtype);
    return {data, m.dtype, length, width, spec().batch_first ? m.ld : spec().batch * m.ld};
  }
  ConstMatrix of_query(const ConstMatrix& m, Index n, Index h, Index width) const {
    return block(m, n, h, spec().queries, width);
  }
  ConstMatrix keys(const ConstMatrix& m, Index n, Index h) const { return block(m, n, h, spec().keys, spec().key_dim); }
  ConstMatrix values(const ConstMatrix& m, Index n, Index h) const { return block(m, n, h, spec().keys, value_dim()); }
  ConstMatrix weight_rows(const ConstTensor& weights, Index n, Index h) const {
    const Index columns = spec().weight_columns();
    const ConstMatrix rows(weights.data(), h_.dtype(), spec().batch * spec().queries, columns, columns);
    return of_query(rows, n, spec().averaged ? 0 : h, spec().keys);
  }
  static Matrix writable(const ConstMatrix& m) { return {const_cast<void*>(m.data), m.dtype, m.nrows, m.ncols, m.ld}; }
  MatrixSink part(const MatrixSink& sink, Index n, Index h, Index length, Index width) const {
    if (sink.to.data == nullptr) return sink;
    return {writable(block(sink.to, n, h, length, width)), sink.mode};
  }
  // What a sum over nothing leaves behind.
  void clear(const MatrixSink& sink) const {
    const Matrix nothing(nullptr, h_.dtype(), sink.to.nrows, 0, 0), none(nullptr, h_.dtype(), 0, sink.to.ncols, 0);
    h_.linalg().matmul(nothing, none, sink);
  }

  // p: the softmax of one head, 0 where forbidden; kept: after dropout.
  void weigh(const AttentionRun& run, Index n, Index h) {
    const Tensor p = workspace_[p_], allowed = workspace_[a_];
    h_.linalg().matmul(of_query(run.q, n, h, spec().key_dim), keys(run.k, n, h).T(), p);
    h_.elementwise().affine(p, spec().scale, 0.0, Sink(p));
    forbid(run, n, h);
    h_.elementwise().clip(p, kForbidden, -kForbidden, Sink(p));
    h_.elementwise().affine(p, 1.0, -kForbidden / 2, Sink(allowed));
    h_.elementwise().unary(Unary::Sign, allowed, Sink(allowed));
    h_.elementwise().clip(allowed, 0.0, 1.0, Sink(allowed));
    h_.linalg().softmax(p, p);
    h_.elementwise().binary(Binary::Multiply, p, allowed, Sink(p));
    if (spec().keep() < 1)
      h_.elementwise().binary(Binary::Multiply, p, draw(run, n, h), Sink(workspace_[kept_]));
    else
      h_.memory().copy(p, workspace_[kept_]);
  }
  void forbid(const AttentionRun& run, Index n, Index h) {
    if (spec().masked_keys() == 0) return;
    const MatrixSink scores(Matrix(workspace_[p_]).columns(0, spec().masked_keys()), Write::Add);
    if (run.mask) {
      const ConstTensor all = run.mask.reshaped(spec().mask_shape());
      const Tensor mask = workspace_[mask_];
      added(all.at(spec().mask_batch > 1 ? n : 0).at(spec().mask_heads > 1 ? h : 0), mask);
      h_.linalg().copy_block(mask, scores);
    }
    if (later_.tensor) h_.linalg().copy_block(later_.tensor, scores);
    if (!run.padding) return;
    const Tensor line = workspace_[line_];
    added(run.padding, workspace_[padding_]);
    const Index step = spec().padding_batch_first ? spec().masked_keys() : 1;
    const auto* first = static_cast<const std::byte*>(workspace_[padding_].data()) +
                        static_cast<std::size_t>(n * step) * size_of(h_.dtype());
    h_.linalg().copy_block({first, h_.dtype(), spec().masked_keys(), 1, spec().padding_batch_first ? 1 : spec().batch},
                           line);
    h_.linalg().with_row(Binary::Add, scores.to, line, scores.to);
  }
  // What a mask adds to the scores.
  void added(const ConstTensor& mask, const Tensor& out) {
    if (is_real(mask.dtype())) return h_.elementwise().clip(mask, kForbidden, -kForbidden, Sink(out));
    h_.elementwise().fill(out, 0.0);
    h_.elementwise().fill_if(kForbidden, mask, out);
  }
  // 0 or 1 / keep for each weight of one head.
  Tensor draw(const AttentionRun& run, Index n, Index h) {
    const Tensor draws = workspace_[draws_];
    h_.random().bernoulli(attention_stream(run.random, n * spec().heads + h), spec().keep(), draws);
    h_.elementwise().affine(draws, 1.0 / spec().keep(), 0.0, Sink(draws));
    h_.linalg().copy_block(ConstMatrix(draws).columns(0, spec().keys), workspace_[b_]);
    return workspace_[b_];
  }

  Handler& h_;
  Parts workspace_;
  int p_, kept_, a_, b_, mask_, padding_, line_, draws_;
  OwnedTensor later_;
};

}  // namespace

std::unique_ptr<AttentionPlan> make_attention_reference(Handler& handler, const AttentionSpec& spec) {
  return std::make_unique<AttentionReference>(handler, spec);
}

}  // namespace squall
