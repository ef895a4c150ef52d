// Attention by blocks: scores of some queries and some keys at a time, with a running maximum and sum. A tile is some
// queries of one head of one example, on the way back one head of one example, so nothing depends on the number of
// threads. The reserve holds the logarithm of the sum behind each query's softmax, from which backward makes the
// weights again.
#include "squall/core/ops/attention.hpp"

#include <cmath>
#include <limits>

#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

constexpr Index kQueries = 64, kKeys = 256;  // of a block; a multiple of 4 each

template <class R>
class BlockAttention final : public AttentionPlan {
 public:
  BlockAttention(const AttentionSpec& s, ContextPtr<R> ctx)
      : AttentionPlan(s),
        ctx_(std::move(ctx)),
        rows_(std::min(kQueries, s.queries)),
        columns_((std::min(kKeys, s.keys) + 3) / 4 * 4) {}
  std::string_view kind() const override { return "blocks"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(ctx_->parallel().threads() * own()) * sizeof(R);
  }
  std::size_t reserve_bytes() const override {
    return static_cast<std::size_t>(spec().training ? pairs() * spec().queries : 0) * sizeof(R);
  }
  void set_workspace(void* memory) override { workspace_ = static_cast<R*>(memory); }
  void set_reserve(void* memory) override { log_sums_ = static_cast<R*>(memory); }

 protected:
  void do_forward(const AttentionRun& run) override {
    // Averaged weights are summed over the heads by one thread.
    const Index together = run.weights && spec().averaged ? spec().heads : 1;
    const Index blocks = ceil_div(spec().queries, kQueries);
    ctx_->parallel().run(pairs() / together * blocks, worth(), [&](Index tile, int worker) {
      const Index first = tile % blocks * kQueries;
      for (Index i = 0; i < together; ++i) {
        Tile t = tile_of(run, tile / blocks * together + i, worker);
        t.queries = {first, std::min(kQueries, spec().queries - first)};
        attend(t);
      }
    });
  }

  void do_backward(const AttentionRun& run, const AttentionDeltas& d) override {
    ctx_->parallel().run(pairs(), worth(), [&](Index pair, int worker) {
      Tile t = tile_of(run, pair, worker);
      t.d = &d;
      for (const MatrixSink* sink : {&d.dq, &d.dk, &d.dv}) clear(t, *sink, sink == &d.dq);
      for (Index first = 0; first < spec().queries; first += kQueries) {
        t.queries = {first, std::min(kQueries, spec().queries - first)};
        find_along(t);
        each_keys(t, [&](Span keys) { send_back(t, keys); });
      }
    });
  }

 private:
  static constexpr R kNever = -std::numeric_limits<R>::infinity();
  // One head of one example, and the block of queries at work.
  struct Tile {
    const AttentionRun& run;
    Index example, head;
    int worker;
    R* scores;
    R *deltas = nullptr, *draws = nullptr, *padding = nullptr, *top = nullptr, *sum = nullptr, *along = nullptr;
    Span queries = {};
    const AttentionDeltas* d = nullptr;
  };

  Index pairs() const { return spec().batch * spec().heads; }
  bool worth() const {
    return 2 * pairs() * spec().queries * spec().keys * (spec().key_dim + spec().value_dim) >= kWorthFlops;
  }
  // Numbers that a worker needs.
  Index own() const { return rows_ * columns_ * 2 + columns_ + spec().keys + 3 * rows_; }
  const Kernels<R>& k() const { return ctx_->kernels(); }

  Tile tile_of(const AttentionRun& run, Index pair, int worker) const {
    R* at = workspace_ + worker * own();
    Tile t{run, pair / spec().heads, pair % spec().heads, worker, at};
    t.deltas = t.scores + rows_ * columns_;
    t.draws = t.deltas + rows_ * columns_;
    t.padding = t.draws + columns_;
    t.top = t.padding + spec().keys;
    t.sum = t.top + rows_;
    t.along = t.sum + rows_;
    read_padding(t);
    return t;
  }
  static R added(const ConstTensor& mask, Index i) {
    if (mask.dtype() == DType::U8) return mask.as<std::uint8_t>()[i] != 0 ? kNever : R(0);
    return mask.as<R>()[i];
  }
  void read_padding(const Tile& t) const {
    if (!t.run.padding) return;
    const Index masked = spec().masked_keys();
    std::fill_n(t.padding + masked, spec().open_keys, R(0));
    for (Index j = 0; j < masked; ++j)
      t.padding[j] =
          added(t.run.padding, spec().padding_batch_first ? t.example * masked + j : j * spec().batch + t.example);
  }

  // Row `i` of the tile's example in a matrix of `length` rows for each, at its head's columns.
  Index step(const ConstMatrix& m) const { return spec().batch_first ? m.ld : spec().batch * m.ld; }
  template <class M>
  R* place(const M& m, const Tile& t, Index length, Index width, Index i) const {
    const Index row = spec().batch_first ? t.example * length + i : i * spec().batch + t.example;
    return const_cast<R*>(m.template as<R>()) + row * m.ld + t.head * width;
  }
  R* query(const ConstMatrix& m, const Tile& t, Index width, Index i = 0) const {
    return place(m, t, spec().queries, width, t.queries.first + i);
  }
  R* key(const ConstMatrix& m, const Tile& t, Index width, Index j) const { return place(m, t, spec().keys, width, j); }
  R* weight_row(const ConstTensor& weights, const Tile& t, Index i, Index j) const {
    const Index row = spec().batch_first ? t.example * spec().queries + t.queries.first + i
                                         : (t.queries.first + i) * spec().batch + t.example;
    return const_cast<R*>(weights.as<R>()) + row * spec().weight_columns() +
           (spec().averaged ? 0 : t.head * spec().keys) + j;
  }

  // f(keys) for the blocks of keys that some query of the tile may see.
  template <class F>
  void each_keys(const Tile& t, const F& f) const {
    const Index last = t.queries.first + t.queries.count;
    for (Index j = 0; j < spec().keys; j += kKeys) {
      const Span keys{j, std::min(kKeys, spec().keys - j)};
      if (spec().causal && j >= last && j + keys.count <= spec().masked_keys()) continue;
      f(keys);
    }
  }

  // scores = q k^T, times `scale` and with masks added where there are any; returns by what they are yet to be
  // multiplied.
  R score(const Tile& t, Span keys) const {
    GemmCall<R> g;
    g.m = t.queries.count, g.n = keys.count, g.k = spec().key_dim;
    g.a = query(t.run.q, t, spec().key_dim), g.a_row = step(t.run.q), g.a_col = 1;
    g.b = key(t.run.k, t, spec().key_dim, keys.first), g.b_row = 1, g.b_col = step(t.run.k);
    g.c = t.scores, g.ldc = columns_;
    ctx_->multiply(g, t.worker);
    const auto scale = static_cast<R>(spec().scale);
    if (!t.run.mask && !t.run.padding && !spec().causal) return scale;
    for (Index i = 0; i < t.queries.count; ++i) {
      R* row = t.scores + i * columns_;
      k().affine[0](keys.count, row, scale, R(0), row);
      forbid(t, keys, i, row);
    }
    return R(1);
  }
  void forbid(const Tile& t, Span keys, Index i, R* row) const {
    if (t.run.padding) k().binary[at(Binary::Add)][0](keys.count, row, t.padding + keys.first, row);
    const Index masked = std::clamp<Index>(spec().masked_keys() - keys.first, 0, keys.count);
    const Index now = t.queries.first + i;
    if (t.run.mask && masked > 0) {
      const Index example = spec().mask_batch > 1 ? t.example : 0;
      const Index head = spec().mask_heads > 1 ? t.head : 0;
      const Index first =
          ((example * spec().mask_heads + head) * spec().queries + now) * spec().masked_keys() + keys.first;
      for (Index j = 0; j < masked; ++j) row[j] += added(t.run.mask, first + j);
    }
    for (Index j = std::max<Index>(now + 1 - keys.first, 0); spec().causal && j < masked; ++j) row[j] = kNever;
  }

  // row *= 0 or 1 / keep
  void drop(const Tile& t, Span keys, Index i, R* row) const {
    if (spec().keep() >= 1) return;
    const RandomKey key = attention_stream(t.run.random, t.example * spec().heads + t.head);
    const auto threshold = static_cast<std::uint32_t>(std::ceil(spec().keep() * 0x1p24));
    const Index first = (t.queries.first + i) * ceil_div(spec().keys, 4) + keys.first / 4;
    k().bernoulli(key.key, key.step, first, ceil_div(keys.count, 4), threshold, t.draws);
    const auto scale = static_cast<R>(1.0 / spec().keep());
    k().affine[0](keys.count, t.draws, scale, R(0), t.draws);
    k().binary[at(Binary::Multiply)][0](keys.count, row, t.draws, row);
  }

  void attend(const Tile& t) const {
    std::fill_n(t.top, t.queries.count, kNever);
    std::fill_n(t.sum, t.queries.count, R(0));
    R* y = query(t.run.y, t, spec().value_dim);
    bool begun = false;
    each_keys(t, [&](Span keys) {
      const R scale = score(t, keys);
      for (Index i = 0; i < t.queries.count; ++i) {
        R* row = t.scores + i * columns_;
        const R factor = k().attention.attend(keys.count, row, scale, t.top + i, t.sum + i);
        R* out = y + i * step(t.run.y);
        if (begun && factor != R(1)) k().affine[0](spec().value_dim, out, factor, R(0), out);
        drop(t, keys, i, row);
      }
      GemmCall<R> g;
      g.m = t.queries.count, g.n = spec().value_dim, g.k = keys.count;
      g.a = t.scores, g.a_row = columns_, g.a_col = 1;
      g.b = key(t.run.v, t, spec().value_dim, keys.first), g.b_row = step(t.run.v), g.b_col = 1;
      g.c = y, g.ldc = step(t.run.y), g.add = begun;
      ctx_->multiply(g, t.worker);
      begun = true;
    });
    finish(t, y);
    if (t.run.weights) each_keys(t, [&](Span keys) { write_weights(t, keys); });
  }
  // Divides by the sums and keeps their logarithms: that of a query without keys is infinite, so that its weights are
  // 0.
  void finish(const Tile& t, R* y) const {
    for (Index i = 0; i < t.queries.count; ++i) {
      R* out = y + i * step(t.run.y);
      const bool any = t.sum[i] > R(0) || t.sum[i] != t.sum[i];
      k().affine[0](spec().value_dim, out, any ? R(1) / t.sum[i] : R(0), R(0), out);
      t.along[i] = any ? t.top[i] + std::log(t.sum[i]) : -kNever;
      if (spec().training) log_sum(t)[i] = t.along[i];
      if (!t.run.weights) continue;
      if (t.head == 0 || !spec().averaged) std::fill_n(weight_row(t.run.weights, t, i, 0), spec().keys, R(0));
    }
  }
  R* log_sum(const Tile& t) const {
    return log_sums_ + (t.example * spec().heads + t.head) * spec().queries + t.queries.first;
  }
  R share() const { return spec().averaged ? R(1) / static_cast<R>(spec().heads) : R(1); }
  void write_weights(const Tile& t, Span keys) const {
    weigh(t, keys, t.along);
    for (Index i = 0; i < t.queries.count; ++i) {
      R* row = t.scores + i * columns_;
      drop(t, keys, i, row);
      k().affine[1](keys.count, row, share(), R(0), weight_row(t.run.weights, t, i, keys.first));
    }
  }
  // scores = the softmax, before dropout
  void weigh(const Tile& t, Span keys, const R* log_sums) const {
    const R scale = score(t, keys);
    for (Index i = 0; i < t.queries.count; ++i)
      k().attention.probabilities(keys.count, t.scores + i * columns_, scale, log_sums[i]);
  }

  // deltas = what comes back to the weights after dropout
  void weight_deltas(const Tile& t, Span keys) const {
    const bool given = t.d->dy.data != nullptr;
    if (given) {
      GemmCall<R> g;
      g.m = t.queries.count, g.n = keys.count, g.k = spec().value_dim;
      g.a = query(t.d->dy, t, spec().value_dim), g.a_row = step(t.d->dy), g.a_col = 1;
      g.b = key(t.run.v, t, spec().value_dim, keys.first), g.b_row = 1, g.b_col = step(t.run.v);
      g.c = t.deltas, g.ldc = columns_;
      ctx_->multiply(g, t.worker);
    }
    for (Index i = 0; i < t.queries.count && t.d->dweights; ++i)
      k().affine[given ? 1 : 0](keys.count, weight_row(t.d->dweights, t, i, keys.first), share(), R(0),
                                t.deltas + i * columns_);
  }
  // along: the sum of each query's weights times their deltas.
  void find_along(const Tile& t) const {
    for (Index i = 0; i < t.queries.count; ++i)
      t.along[i] = t.d->dy.data == nullptr ? R(0)
                                           : k().attention.dot(spec().value_dim, query(t.d->dy, t, spec().value_dim, i),
                                                               query(t.run.y, t, spec().value_dim, i));
    if (!t.d->dweights) return;
    each_keys(t, [&](Span keys) {
      weigh(t, keys, log_sum(t));
      for (Index i = 0; i < t.queries.count; ++i) {
        R* row = t.scores + i * columns_;
        drop(t, keys, i, row);
        t.along[i] += share() * k().attention.dot(keys.count, row, weight_row(t.d->dweights, t, i, keys.first));
      }
    });
  }

  void send_back(const Tile& t, Span keys) const {
    weigh(t, keys, log_sum(t));
    weight_deltas(t, keys);
    if (spec().keep() < 1) {
      for (Index i = 0; i < t.queries.count; ++i) drop(t, keys, i, t.deltas + i * columns_);
    }
    const auto scale = static_cast<R>(spec().scale);
    for (Index i = 0; i < t.queries.count; ++i)
      k().attention.back(keys.count, t.scores + i * columns_, t.along[i], scale, t.deltas + i * columns_);
    if (t.d->dq.to.data != nullptr) {
      GemmCall<R> g;
      g.m = t.queries.count, g.n = spec().key_dim, g.k = keys.count;
      g.a = t.deltas, g.a_row = columns_, g.a_col = 1;
      g.b = key(t.run.k, t, spec().key_dim, keys.first), g.b_row = step(t.run.k), g.b_col = 1;
      g.c = query(t.d->dq.to, t, spec().key_dim), g.ldc = step(t.d->dq.to), g.add = true;
      ctx_->multiply(g, t.worker);
    }
    if (t.d->dk.to.data != nullptr) to_keys(t, keys, t.deltas, t.run.q, t.d->dk.to, spec().key_dim);
    if (t.d->dv.to.data == nullptr || t.d->dy.data == nullptr) return;
    for (Index i = 0; i < t.queries.count; ++i) drop(t, keys, i, t.scores + i * columns_);
    to_keys(t, keys, t.scores, t.d->dy, t.d->dv.to, spec().value_dim);
  }
  // to += a^T rows, for one block of keys
  void to_keys(const Tile& t, Span keys, const R* a, const ConstMatrix& rows, const Matrix& to, Index width) const {
    GemmCall<R> g;
    g.m = keys.count, g.n = width, g.k = t.queries.count;
    g.a = a, g.a_row = 1, g.a_col = columns_;
    g.b = query(rows, t, width), g.b_row = step(rows), g.b_col = 1;
    g.c = key(to, t, width, keys.first), g.ldc = step(to), g.add = true;
    ctx_->multiply(g, t.worker);
  }
  // Zeros for the tile's head and example where the sink is to be overwritten.
  void clear(const Tile& t, const MatrixSink& sink, bool of_queries) const {
    if (sink.to.data == nullptr || sink.mode == Write::Add) return;
    const Index length = of_queries ? spec().queries : spec().keys;
    const Index width = sink.to.ncols / spec().heads;
    for (Index i = 0; i < length; ++i) std::fill_n(place(sink.to, t, length, width, i), width, R(0));
  }

  ContextPtr<R> ctx_;
  Index rows_, columns_;  // of a block
  R* workspace_ = nullptr;
  R* log_sums_ = nullptr;
};

template <class R>
class CpuAttention final : public AttentionOps {
 public:
  explicit CpuAttention(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<AttentionPlan> do_plan(const AttentionSpec& spec) override {
    return std::make_unique<BlockAttention<R>>(spec, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<AttentionOps> make_attention(ContextPtr<R> ctx) {
  return std::make_unique<CpuAttention<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(AttentionOps, make_attention);

}  // namespace squall::cpu
