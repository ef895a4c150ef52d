// Looking up rows of a table, alone or pooled: a thread for each number of the result. On the way back a thread for
// each number of the table adds what the ids of its row send, in their order.
#include "cuda/facets.hpp"
#include "cuda/kernels/scatter.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

// Ids and offsets that are wrong have been reported; here they must only do no harm.
template <class R>
struct Lookup {
  const std::int32_t *ids, *offsets;  // offsets: or null
  const R *weights, *table;           // weights: or null
  Index count, vocabulary, width, bags, padding;

  SQUALL_HD bool counts(Index i) const { return ids[i] != padding && ids[i] >= 0 && ids[i] < vocabulary; }
  SQUALL_HD Index start(Index b) const {
    if (offsets == nullptr) return b * (count / bags);
    if (b == 0) return 0;  // so every id is in a bag, whatever offsets say
    const Index at = b < bags ? offsets[b] : count;
    return at < 0 ? 0 : (at > count ? count : at);
  }
  SQUALL_HD R mean_share(Index b) const {
    Index size = 0;
    for (Index i = start(b); i < start(b + 1); ++i) size += counts(i) ? 1 : 0;
    return R(1) / static_cast<R>(size > 1 ? size : 1);
  }
  SQUALL_HD R rate(Index i) const { return weights != nullptr ? weights[i] : R(1); }
};

struct IdKernel {
  const std::int32_t* ids;
  FaultKey* fault;
  Index vocabulary;
  SQUALL_HD void operator()(Index i) const {
    if (ids[i] < 0 || ids[i] >= vocabulary) report(fault, i, ids[i]);
  }
};
struct OffsetKernel {
  const std::int32_t* offsets;
  FaultKey* fault;
  Index ids;
  SQUALL_HD void operator()(Index b) const {
    const std::int32_t before = b > 0 ? offsets[b - 1] : 0;
    const Index most = b > 0 ? ids : 0;
    if (offsets[b] < before || offsets[b] > most) report(fault, b, offsets[b]);
  }
};
void raise_offset(const FaultSite& site, const Fault& fault) {
  raise<DataError>(site.words[0], ": bag ", fault.place, " begins at ", fault.value, ", which is not in 0..",
                   fault.place > 0 ? site.numbers[0] : 0, " or before where the bag before it begins");
}

template <class R>
struct RowsKernel {
  Lookup<R> look;
  R* y;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, look.width);
    const std::int32_t id = look.ids[at.quotient];
    y[i] = id >= 0 && id < look.vocabulary ? look.table[id * look.width + at.rest] : R(0);
  }
};
template <class R>
struct SumKernel {
  Lookup<R> look;
  R* y;
  bool mean;
  SQUALL_HD void operator()(Index at) const {
    const Divided bag = divide(at, look.width);
    R sum = R(0);
    for (Index i = look.start(bag.quotient); i < look.start(bag.quotient + 1); ++i)
      if (look.counts(i)) sum += look.rate(i) * look.table[look.ids[i] * look.width + bag.rest];
    y[at] = mean ? sum * look.mean_share(bag.quotient) : sum;
  }
};
template <class R>
struct LargestKernel {
  Lookup<R> look;
  R* y;
  std::int32_t* places;
  SQUALL_HD void operator()(Index at) const {
    const Divided bag = divide(at, look.width);
    R best = R(0);
    std::int32_t place = -1;
    for (Index i = look.start(bag.quotient); i < look.start(bag.quotient + 1); ++i) {
      if (!look.counts(i)) continue;
      const R v = look.table[look.ids[i] * look.width + bag.rest];
      if (place >= 0 && !(v > best)) continue;
      best = v;
      place = static_cast<std::int32_t>(i);
    }
    y[at] = best;
    places[at] = place;
  }
};

template <class R>
struct BagKernel {  // which bag an id is in
  Lookup<R> look;
  std::int32_t* bag;
  SQUALL_HD void operator()(Index b) const {
    for (Index i = look.start(b); i < look.start(b + 1); ++i) bag[i] = static_cast<std::int32_t>(b);
  }
};
template <class R>
struct ShareKernel {
  Lookup<R> look;
  R* shares;
  SQUALL_HD void operator()(Index b) const { shares[b] = look.mean_share(b); }
};
template <class R>
struct TableKernel {
  Lookup<R> look;
  Lists lists;
  const std::int32_t *bag, *places;  // bag: null without pooling; places: of maxima
  const R *dy, *shares;              // shares: of means
  R* dtable;
  bool frequency, add;
  SQUALL_HD R sent(std::int32_t i, Index column) const {
    if (bag == nullptr) return dy[i * look.width + column];
    const Index at = bag[i] * look.width + column;
    if (places != nullptr) return places[at] == i ? dy[at] : R(0);
    return (shares != nullptr ? shares[bag[i]] : look.rate(i)) * dy[at];
  }
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, look.width);
    const std::int32_t first = lists.begin[at.quotient], end = lists.begin[at.quotient + 1];
    const R rate = frequency && end > first ? R(1) / static_cast<R>(end - first) : R(1);
    R sum = add ? dtable[i] : R(0);
    if (at.quotient != look.padding)
      for (std::int32_t e = first; e < end; ++e) sum += rate * sent(lists.list[e], at.rest);
    dtable[i] = sum;
  }
};
template <class R>
struct WeightKernel {
  Lookup<R> look;
  const std::int32_t* bag;
  const R* dy;
  R* to;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    R sum = R(0);
    if (look.counts(i))
      for (Index j = 0; j < look.width; ++j)
        sum += look.table[look.ids[i] * look.width + j] * dy[bag[i] * look.width + j];
    put(to + i, sum, add);
  }
};

template <class R>
class GridLookup final : public EmbeddingPlan {
 public:
  GridLookup(const EmbeddingSpec& spec, ContextPtr ctx) : EmbeddingPlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "table"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(spec().bags) * sizeof(R) +
           static_cast<std::size_t>(spec().ids) * sizeof(std::int32_t);
  }
  std::size_t reserve_bytes() const override {
    return is(Pooling::Max) ? static_cast<std::size_t>(spec().bags * spec().width) * sizeof(std::int32_t) : 0;
  }
  void set_workspace(void* memory) override {
    shares_ = static_cast<R*>(memory);
    bag_ = reinterpret_cast<std::int32_t*>(shares_ + spec().bags);
  }
  void set_reserve(void* memory) override { places_ = static_cast<std::int32_t*>(memory); }

 protected:
  void do_forward(const EmbeddingRun& run, const Tensor& y) override {
    const Lookup<R> look = checked(run, "embedding forward");
    const Index n = spec().outputs() * spec().width;
    if (is(Pooling::None)) return each(*ctx_, n, RowsKernel<R>{look, y.as<R>()});
    if (is(Pooling::Max)) return each(*ctx_, n, LargestKernel<R>{look, y.as<R>(), places_});
    each(*ctx_, n, SumKernel<R>{look, y.as<R>(), is(Pooling::Mean)});
  }
  void do_backward(const EmbeddingRun& run, const ConstTensor& dy, const Sink& dtable, const Sink& dweights) override {
    const Lookup<R> look = checked(run, "embedding backward");
    const bool pooled = !is(Pooling::None);
    if (pooled) each(*ctx_, spec().bags, BagKernel<R>{look, bag_});
    if (is(Pooling::Mean)) each(*ctx_, spec().bags, ShareKernel<R>{look, shares_});
    if (dweights)
      each(*ctx_, spec().ids,
           WeightKernel<R>{look, bag_, dy.as<R>(), dweights.to.as<R>(), dweights.mode == Write::Add});
    if (!dtable) return;
    FaultKey* fault = outside(*ctx_, "embedding backward", "id", spec().vocabulary);
    const Lists lists = make_lists(*ctx_, look.ids, spec().ids, spec().vocabulary, fault);
    each(*ctx_, spec().vocabulary * spec().width,
         TableKernel<R>{look, lists, pooled ? bag_ : nullptr, is(Pooling::Max) ? places_ : nullptr, dy.as<R>(),
                        is(Pooling::Mean) ? shares_ : nullptr, dtable.to.as<R>(), spec().frequency,
                        dtable.mode == Write::Add});
  }

 private:
  bool is(Pooling p) const { return spec().pooling == p; }
  Lookup<R> checked(const EmbeddingRun& run, std::string_view op) {
    const EmbeddingSpec& s = spec();
    const auto* offsets = s.offsets ? run.offsets.as<std::int32_t>() : nullptr;
    const auto* ids = run.ids.as<std::int32_t>();
    each(*ctx_, s.ids, IdKernel{ids, outside(*ctx_, op, "id", s.vocabulary), s.vocabulary});
    if (offsets != nullptr) {
      FaultKey* fault = ctx_->fault({raise_offset, {op}, {s.ids}});
      each(*ctx_, s.bags, OffsetKernel{offsets, fault, s.ids});
    }
    ctx_->look();
    return {
        ids,    offsets,  s.weighted ? run.weights.as<R>() : nullptr, run.table.as<R>(), s.ids, s.vocabulary, s.width,
        s.bags, s.padding};
  }

  ContextPtr ctx_;
  R* shares_ = nullptr;
  std::int32_t *bag_ = nullptr, *places_ = nullptr;
};

template <class R>
class GridEmbedding final : public EmbeddingOps {
 public:
  explicit GridEmbedding(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<EmbeddingPlan> do_plan(const EmbeddingSpec& spec) override {
    return std::make_unique<GridLookup<R>>(spec, ctx_);
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<EmbeddingOps> make_embedding(ContextPtr ctx) {
  return std::make_unique<GridEmbedding<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(EmbeddingOps, make_embedding);

}  // namespace squall::cuda::SQUALL_GRID
