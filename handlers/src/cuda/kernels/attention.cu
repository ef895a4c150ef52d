// Attention: products of many heads or examples in one call, and between them one kernel for masks, softmax and dropout
// of whole rows. Scores of so many items are held at once as fit into a bounded workspace.
#include "cuda/booked.hpp"
#include "cuda/facets.hpp"
#include "cuda/kernels/score_rows.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

constexpr Index kMostScores = Index{1} << 24;  // numbers held in one array of scores

// What is computed at once: `count` examples of one head, or heads of one example.
struct Group {
  Index example = 0, head = 0, count = 0;
};

template <class R>
class GridAttention final : public AttentionPlan {
 public:
  GridAttention(Handler& h, const AttentionSpec& s, ContextPtr ctx)
      : AttentionPlan(s), h_(h), ctx_(std::move(ctx)), by_head_(s.batch >= s.heads || (s.weights && s.averaged)) {
    const Index most = std::max<Index>(1, kMostScores / std::max<Index>(1, s.queries * s.keys));
    at_once_ = std::min(by_head_ ? s.batch : s.heads, most);
    const Shape scores{at_once_, s.queries, s.keys};
    p_ = booked_.book(h.dtype(), scores);
    if (s.keep() < 1) kept_ = booked_.book(h.dtype(), scores);
    if (s.training) delta_ = booked_.book(h.dtype(), scores);
  }
  std::string_view kind() const override { return "batched products"; }
  std::size_t workspace_bytes() const override { return booked_.bytes(); }
  void set_workspace(void* block) override { booked_.set(block); }

 protected:
  void do_forward(const AttentionRun& run) override {
    for_groups([&](const Group& g) {
      weigh(run, g, run.weights ? run.weights.as<R>() : nullptr);
      product(g, scores(kept()), values(run.v, g), output(run.y, g, value_dim()), false);
    });
  }

  void do_backward(const AttentionRun& run, const AttentionDeltas& d) override {
    const AttentionSpec& s = spec();
    const bool through = d.dy.data != nullptr;
    for_groups([&](const Group& g) {
      weigh(run, g, nullptr);
      const Side da = scores(delta_);
      if (through) product(g, queries(d.dy, g, value_dim()), turned(values(run.v, g)), da, false);
      rows(*ctx_, g.count * s.queries, s.keys,
           ScoreBackRows<R>{
               place(run, g), booked_[p_].template as<R>(), through ? booked_[delta_].template as<R>() : nullptr,
               d.dweights ? d.dweights.as<R>() : nullptr, booked_[delta_].template as<R>(), static_cast<R>(s.scale)});
      if (wanted(d.dq)) product(g, da, keys(run.k, g), output(d.dq.to, g, s.key_dim), add(d.dq));
      if (wanted(d.dk))
        product(g, turned(da), queries(run.q, g, s.key_dim), key_rows(d.dk.to, g, s.key_dim), add(d.dk));
      if (through && wanted(d.dv))
        product(g, turned(scores(kept())), queries(d.dy, g, value_dim()), key_rows(d.dv.to, g, value_dim()), add(d.dv));
    });
    if (through || !wanted(d.dv)) return;  // else a sum over nothing
    const ConstMatrix left(nullptr, h_.dtype(), d.dv.to.nrows, 0, 0), right(nullptr, h_.dtype(), 0, d.dv.to.ncols, 0);
    h_.linalg().matmul(left, right, d.dv);
  }

 private:
  // A matrix of the first item, and how far the next one is.
  struct Side {
    void* data;
    Index rows, columns, ld, step;
    bool turned = false;
  };
  static Side turned(Side s) {
    s.turned = !s.turned;
    return s;
  }
  static bool wanted(const MatrixSink& sink) { return sink.to.data != nullptr; }
  static bool add(const MatrixSink& sink) { return sink.mode == Write::Add; }
  Index value_dim() const { return spec().value_dim; }
  int kept() const { return kept_ >= 0 ? kept_ : p_; }

  template <class F>
  void for_groups(const F& f) const {
    const AttentionSpec& s = spec();
    const Index all = by_head_ ? s.batch : s.heads, others = by_head_ ? s.heads : s.batch;
    for (Index other = 0; other < others; ++other)
      for (Index first = 0; first < all; first += at_once_) {
        const Index count = std::min(at_once_, all - first);
        f(by_head_ ? Group{first, other, count} : Group{other, first, count});
      }
  }
  // c (=, +=) a b for all items of a group.
  void product(const Group& g, const Side& a, const Side& b, const Side& c, bool add) {
    Product p;
    p.dtype = h_.dtype();
    p.m = c.rows;
    p.n = c.columns;
    p.k = a.turned ? a.rows : a.columns;
    p.a = a.data;
    p.b = b.data;
    p.c = c.data;
    p.a_ld = a.ld;
    p.b_ld = b.ld;
    p.c_ld = c.ld;
    p.a_turned = a.turned;
    p.b_turned = b.turned;
    p.add = add;
    p.count = g.count;
    p.a_step = a.step;
    p.b_step = b.step;
    p.c_step = c.step;
    ctx_->multiply(p);
  }
  Side scores(int part) const {
    const AttentionSpec& s = spec();
    return {booked_[part].data(), s.queries, s.keys, s.keys, s.queries * s.keys};
  }
  // `length` rows of each example, `width` columns of each head.
  Side block(const ConstMatrix& m, const Group& g, Index length, Index width) const {
    const bool batch_first = spec().batch_first;
    const Index example = batch_first ? length * m.ld : m.ld;
    const R* first = m.as<R>() + g.example * example + g.head * width;
    return {const_cast<R*>(first), length, width, batch_first ? m.ld : spec().batch * m.ld, by_head_ ? example : width};
  }
  Side queries(const ConstMatrix& m, const Group& g, Index width) const { return block(m, g, spec().queries, width); }
  Side keys(const ConstMatrix& m, const Group& g) const { return block(m, g, spec().keys, spec().key_dim); }
  Side values(const ConstMatrix& m, const Group& g) const { return block(m, g, spec().keys, value_dim()); }
  Side output(const Matrix& m, const Group& g, Index width) const { return block(m, g, spec().queries, width); }
  Side key_rows(const Matrix& m, const Group& g, Index width) const { return block(m, g, spec().keys, width); }

  ScorePlace<R> place(const AttentionRun& run, const Group& g) const {
    const AttentionSpec& s = spec();
    ScorePlace<R> p{};
    p.example = g.example;
    p.head = g.head;
    p.by_head = by_head_;
    p.batch = s.batch;
    p.heads = s.heads;
    p.queries = s.queries;
    p.keys = s.keys;
    p.masked_keys = s.masked_keys();
    p.causal = s.causal;
    p.mask_batch = s.mask_batch;
    p.mask_heads = s.mask_heads;
    p.mask = MaskOf<R>(run.mask);
    p.padding = MaskOf<R>(run.padding);
    p.padding_batch_first = s.padding_batch_first;
    p.batch_first = s.batch_first;
    p.averaged = s.averaged;
    p.key = run.random.key;
    p.step = run.random.step;
    p.keep = s.keep();
    p.threshold = static_cast<std::uint32_t>(std::ceil(s.keep() * 0x1p24));
    return p;
  }
  // The softmax of the group's rows, and what is left of it after dropout.
  void weigh(const AttentionRun& run, const Group& g, R* weights) {
    const AttentionSpec& s = spec();
    product(g, queries(run.q, g, s.key_dim), turned(keys(run.k, g)), scores(p_), false);
    rows(*ctx_, g.count * s.queries, s.keys,
         ScoreRows<R>{place(run, g), booked_[p_].template as<R>(),
                      kept_ >= 0 ? booked_[kept_].template as<R>() : nullptr, weights, static_cast<R>(s.scale)});
  }

  Handler& h_;
  ContextPtr ctx_;
  bool by_head_;
  Index at_once_ = 1;
  Booked booked_;
  int p_ = -1, kept_ = -1, delta_ = -1;
};

template <class R>
class GridAttentionOps final : public AttentionOps {
 public:
  explicit GridAttentionOps(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<AttentionPlan> do_plan(const AttentionSpec& s) override {
    for (const Index extent : {s.batch, s.heads, s.queries, s.keys, s.key_dim, s.value_dim})
      if (extent == 0) return nullptr;
    return std::make_unique<GridAttention<R>>(handler(), s, ctx_);
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<AttentionOps> make_attention(ContextPtr ctx) {
  return std::make_unique<GridAttentionOps<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(AttentionOps, make_attention);

}  // namespace squall::cuda::SQUALL_GRID
