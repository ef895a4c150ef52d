// Looking up rows of a table, alone or pooled. On the way back every row of the table belongs to one thread, which
// adds what the ids send in their order: the sums do not depend on the number of threads.
#include "squall/core/ops/embedding.hpp"
#include "cpu/facets.hpp"
#include "cpu/indices.hpp"

namespace squall::cpu {

namespace {

template <class R>
class TableLookup final : public EmbeddingPlan {
 public:
  TableLookup(const EmbeddingSpec& spec, ContextPtr<R> ctx) : EmbeddingPlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "table"; }
  std::size_t workspace_bytes() const override {
    const Index counts = spec().frequency ? spec().vocabulary : 0;
    return static_cast<std::size_t>(spec().bags) * sizeof(R) +
           static_cast<std::size_t>(spec().ids + counts) * sizeof(std::int32_t);
  }
  std::size_t reserve_bytes() const override {
    const Index places = spec().pooling == Pooling::Max ? spec().bags * spec().width : 0;
    return static_cast<std::size_t>(places) * sizeof(std::int32_t);
  }
  void set_workspace(void* memory) override {
    shares_ = static_cast<R*>(memory);
    bag_ = reinterpret_cast<std::int32_t*>(shares_ + spec().bags);
    counts_ = bag_ + spec().ids;
  }
  void set_reserve(void* memory) override { places_ = static_cast<std::int32_t*>(memory); }

 protected:
  void do_forward(const EmbeddingRun& run, const Tensor& y) override {
    const Frame f = frame(run, "embedding forward");
    R* out = y.as<R>();
    constexpr Index kOutputs = 16;
    const Index outputs = spec().outputs();
    ctx_->parallel().run(ceil_div(outputs, kOutputs), spec().ids * n() >= kWorthElements, [&](Index tile, int) {
      for (Index o = tile * kOutputs; o < std::min(outputs, (tile + 1) * kOutputs); ++o) {
        if (spec().pooling == Pooling::None)
          std::copy_n(row(f, o), n(), out + o * n());
        else if (spec().pooling == Pooling::Max)
          largest(f, o, out + o * n());
        else
          sum(f, o, out + o * n());
      }
    });
  }

  void do_backward(const EmbeddingRun& run, const ConstTensor& dy, const Sink& dtable, const Sink& dweights) override {
    const Frame f = frame(run, "embedding backward");
    for (Index b = 0; b < spec().bags; ++b) {
      shares_[b] = spec().pooling == Pooling::Mean ? mean_share(f, b) : R(1);
      for (Index i = begin(f, b); i < end(f, b); ++i) bag_[i] = static_cast<std::int32_t>(b);
    }
    if (dweights) weights_delta(f, dy.as<R>(), dweights);
    if (!dtable) return;
    if (spec().frequency) {
      std::fill_n(counts_, spec().vocabulary, 0);
      for (Index i = 0; i < spec().ids; ++i) ++counts_[f.ids[i]];
    }
    constexpr Index kParts = 16;
    const Index parts = std::min(kParts, spec().vocabulary);
    const Index work = spec().ids * n() + spec().vocabulary * n();
    ctx_->parallel().run(parts, work >= kWorthElements, [&](Index part, int) {
      const Span rows = part_of(spec().vocabulary, parts, part);
      R* to = dtable.to.as<R>();
      if (dtable.mode == Write::Overwrite) std::fill_n(to + rows.first * n(), rows.count * n(), R(0));
      scatter(f, dy.as<R>(), rows, to);
    });
  }

 private:
  struct Frame {
    const std::int32_t *ids, *offsets;
    const R *weights, *table;
  };
  Index n() const { return spec().width; }
  Index length() const { return spec().bags > 0 ? spec().ids / spec().bags : 0; }
  const R* row(const Frame& f, Index i) const { return f.table + f.ids[i] * n(); }
  bool counts(const Frame& f, Index i) const { return f.ids[i] != spec().padding; }
  Index begin(const Frame& f, Index b) const { return f.offsets != nullptr ? f.offsets[b] : b * length(); }
  Index end(const Frame& f, Index b) const {
    if (f.offsets == nullptr) return (b + 1) * length();
    return b + 1 < spec().bags ? f.offsets[b + 1] : spec().ids;
  }
  Index size(const Frame& f, Index b) const {
    Index count = 0;
    for (Index i = begin(f, b); i < end(f, b); ++i) count += counts(f, i) ? 1 : 0;
    return count;
  }

  Frame frame(const EmbeddingRun& run, std::string_view op) const {
    Frame f{checked_indices(op, "id", run.ids, spec().vocabulary), nullptr, nullptr, run.table.as<R>()};
    if (spec().weighted) f.weights = run.weights.as<R>();
    if (!spec().offsets) return f;
    f.offsets = run.offsets.as<std::int32_t>();
    std::int32_t before = 0;
    for (Index b = 0; b < spec().bags; ++b) {
      if (f.offsets[b] < before || f.offsets[b] > spec().ids || (b == 0 && f.offsets[0] != 0))
        raise<DataError>(op, ": bag ", b, " begins at ", f.offsets[b], ", which is not in ", before, "..",
                         b == 0 ? 0 : spec().ids);
      before = f.offsets[b];
    }
    return f;
  }

  void sum(const Frame& f, Index b, R* y) const {
    std::fill_n(y, n(), R(0));
    for (Index i = begin(f, b); i < end(f, b); ++i)
      if (counts(f, i)) add(row(f, i), f.weights != nullptr ? f.weights[i] : R(1), y);
    if (spec().pooling == Pooling::Mean) k().affine[0](n(), y, mean_share(f, b), R(0), y);
  }
  R mean_share(const Frame& f, Index b) const { return R(1) / static_cast<R>(std::max<Index>(size(f, b), 1)); }
  void largest(const Frame& f, Index b, R* y) const {
    std::int32_t* places = places_ + b * n();
    std::fill_n(y, n(), R(0));
    std::fill_n(places, n(), -1);
    for (Index i = begin(f, b); i < end(f, b); ++i) {
      if (!counts(f, i)) continue;
      const R* from = row(f, i);
      for (Index j = 0; j < n(); ++j)
        if (places[j] < 0 || from[j] > y[j]) y[j] = from[j], places[j] = static_cast<std::int32_t>(i);
    }
  }
  void add(const R* from, R scale, R* to) const { k().affine[1](n(), from, scale, R(0), to); }

  // Adds to the rows of one part what their ids send.
  void scatter(const Frame& f, const R* dy, Span rows, R* to) const {
    for (Index i = 0; i < spec().ids; ++i) {
      const Index id = f.ids[i];
      if (id < rows.first || id >= rows.first + rows.count || !counts(f, i)) continue;
      const R rate = spec().frequency ? R(1) / static_cast<R>(counts_[id]) : R(1);
      R* target = to + id * n();
      if (spec().pooling == Pooling::None) {
        add(dy + i * n(), rate, target);
        continue;
      }
      const Index b = bag_[i];
      const R* delta = dy + b * n();
      if (spec().pooling == Pooling::Max) {
        for (Index j = 0; j < n(); ++j)
          if (places_[b * n() + j] == i) target[j] += rate * delta[j];
      } else {
        add(delta, rate * (f.weights != nullptr ? f.weights[i] : shares_[b]), target);
      }
    }
  }
  void weights_delta(const Frame& f, const R* dy, const Sink& dweights) const {
    R* to = dweights.to.as<R>();
    for (Index i = 0; i < spec().ids; ++i) {
      const R value = counts(f, i) ? k().attention.dot(n(), row(f, i), dy + bag_[i] * n()) : R(0);
      to[i] = dweights.mode == Write::Add ? to[i] + value : value;
    }
  }
  const Kernels<R>& k() const { return ctx_->kernels(); }

  ContextPtr<R> ctx_;
  R* shares_ = nullptr;  // of a bag in its mean
  std::int32_t *bag_ = nullptr, *counts_ = nullptr, *places_ = nullptr;
};

template <class R>
class CpuEmbedding final : public EmbeddingOps {
 public:
  explicit CpuEmbedding(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<EmbeddingPlan> do_plan(const EmbeddingSpec& spec) override {
    return std::make_unique<TableLookup<R>>(spec, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<EmbeddingOps> make_embedding(ContextPtr<R> ctx) {
  return std::make_unique<CpuEmbedding<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(EmbeddingOps, make_embedding);

}  // namespace squall::cpu
