// Criteria from their formulas: one loop over numbers or examples. What data must fulfil is checked before.
#include "cpu/ctc.hpp"
#include "cpu/facets.hpp"

#include "squall/core/formulas/element_criteria.hpp"
#include "squall/core/formulas/row_criteria.hpp"

namespace squall::cpu {

namespace {

using namespace formulas;  // NOLINT: this file puts all of them to work

// f(formula) with the formula of the criterion.
template <class R, class F>
void with_formula(const CriterionSpec& s, const F& f) {
  const R margin = static_cast<R>(s.margin), scale = static_cast<R>(s.scale), epsilon = static_cast<R>(s.epsilon);
  switch (s.criterion) {
    case Criterion::L1: return f(OfDifference<R, AbsoluteDifference<R>>{});
    case Criterion::Mse: return f(OfDifference<R, SquareDifference<R>>{});
    case Criterion::SmoothL1: return f(OfDifference<R, SmoothDifference<R>>{{scale}});
    case Criterion::Huber: return f(OfDifference<R, HuberDifference<R>>{{scale}});
    case Criterion::Bce: return f(OfInput<R, BinaryCrossEntropy<R>>{});
    case Criterion::BceWithLogits: return f(OfInput<R, BinaryCrossEntropyOfLogits<R>>{});
    case Criterion::KlDiv: return f(OfInput<R, Divergence<R>>{{s.log_target}});
    case Criterion::PoissonNll: return f(OfInput<R, PoissonLikelihood<R>>{{s.log_input, s.full, epsilon}});
    case Criterion::GaussianNll: return f(GaussianLikelihood<R>{s.full, epsilon});
    case Criterion::SoftMargin: return f(OfInput<R, SoftMarginOf<R>>{});
    case Criterion::MarginRanking: return f(RankingMargin<R>{margin});
    case Criterion::HingeEmbedding: return f(OfInput<R, HingeOfDistance<R>>{{margin}});
    case Criterion::CrossEntropy: return f(SoftmaxCrossEntropy<R>{static_cast<R>(s.smoothing), s.ignored});
    case Criterion::Nll: return f(NegativeLikelihood<R>{s.ignored});
    case Criterion::MultiMargin: return f(ClassMargins<R>{margin, s.power == 2});
    case Criterion::CosineEmbedding: return f(CosineOfPairs<R>{margin});
    case Criterion::TripletMargin: return f(TripletMargins<R>{margin, static_cast<R>(s.power), epsilon, s.swap});
  }
}

template <class R>
void require_range(std::string_view what, const ConstTensor& x, double low, double high, std::string_view range) {
  const R* values = x.as<R>();
  for (Index i = 0; i < x.elements(); ++i)
    if (static_cast<double>(values[i]) < low || static_cast<double>(values[i]) > high)
      raise<DataError>(what, " ", i, " is ", values[i], ", but should be ", range);
}

template <class R>
class FormulaPlan final : public CriterionPlan {
 public:
  FormulaPlan(const CriterionSpec& spec, ContextPtr<R> ctx)
      : CriterionPlan(spec),
        ctx_(std::move(ctx)),
        weights_(converted(spec.weights)),
        positive_(converted(spec.positive_weights)) {}
  std::string_view kind() const override { return "formula"; }

 protected:
  void do_forward(const CriterionRun& run, const Tensor& losses, const Tensor& shares) override {
    check(run);
    R* to = losses.as<R>();
    R* share = shares ? shares.as<R>() : nullptr;
    with_formula<R>(spec(), [&](const auto& f) {
      each<std::decay_t<decltype(f)>>(run, [&](Index i, const CriterionRow<R>& row) {
        to[i] = f.value(row);
        if (share == nullptr) return;
        if constexpr (requires { f.share(row); })
          share[i] = f.share(row);
        else
          share[i] = R(1);
      });
    });
  }
  void do_backward(const CriterionRun& run, const ConstTensor& dlosses, const CriterionDeltas& deltas) override {
    const R* rates = dlosses.as<R>();
    const Index a = run.a.elements() / spec().losses, b = run.b ? run.b.elements() / spec().losses : 0;
    const Index c = run.c ? run.c.elements() / spec().losses : 0;
    const PutDelta<R> da = put(deltas.a), db = put(deltas.b), dc = put(deltas.c);
    with_formula<R>(spec(), [&](const auto& f) {
      each<std::decay_t<decltype(f)>>(run, [&](Index i, const CriterionRow<R>& row) {
        f.back(row, rates[i], {moved(da, i * a), moved(db, i * b), moved(dc, i * c)});
      });
    });
  }

 private:
  static std::vector<R> converted(const std::vector<double>& values) { return {values.begin(), values.end()}; }
  static PutDelta<R> put(const Sink& s) { return s ? PutDelta<R>{s.to.as<R>(), s.mode == Write::Add} : PutDelta<R>{}; }
  static PutDelta<R> moved(const PutDelta<R>& p, Index by) { return {p.to == nullptr ? nullptr : p.to + by, p.add}; }

  template <class Formula, class F>
  void each(const CriterionRun& run, const F& f) const {
    const Index n = spec().losses, width = Formula::kElement ? 1 : spec().width;
    const auto at = [](const ConstTensor& x) { return x ? x.as<R>() : nullptr; };
    const R *a = at(run.a), *b = at(run.b), *c = at(run.c);
    const Index c_width = c != nullptr ? run.c.elements() / n : 0;
    const auto* labels = run.labels ? run.labels.as<std::int32_t>() : nullptr;
    const R* weights = weights_.empty() ? nullptr : weights_.data();
    const R* positive = positive_.empty() ? nullptr : positive_.data();
    const Index tile_rows = std::clamp<Index>(16384 / std::max<Index>(width, 1), 1, 4096);
    ctx_->parallel().run(ceil_div(n, tile_rows), n * width * 8 >= kWorthElements, [&](Index tile, int) {
      for (Index i = tile * tile_rows; i < std::min(n, (tile + 1) * tile_rows); ++i) {
        CriterionRow<R> row{a + i * width, nullptr, nullptr, 0, width, weights, positive};
        if (b != nullptr) row.b = b + i * width;
        if (c != nullptr) row.c = c + i * c_width;
        if (labels != nullptr) row.label = labels[i];
        if (Formula::kElement && weights != nullptr) row.weights = weights + i % spec().width;
        if (Formula::kElement && positive != nullptr) row.positive = positive + i % spec().width;
        f(i, row);
      }
    });
  }

  void check(const CriterionRun& run) const {
    constexpr double kAny = 1e308;
    if (spec().criterion == Criterion::Bce) {
      require_range<R>("element", run.a, 0, 1, "a probability from 0 to 1");
      require_range<R>("target", run.b, 0, 1, "a probability from 0 to 1");
    }
    if (spec().criterion == Criterion::GaussianNll) require_range<R>("variance", run.c, 0, kAny, "0 or more");
    if (run.labels) check_labels(run.labels);
  }
  void check_labels(const ConstTensor& labels) const {
    const bool may_ignore = spec().criterion != Criterion::MultiMargin;
    const auto* values = labels.as<std::int32_t>();
    for (Index i = 0; i < spec().losses; ++i) {
      if ((values[i] >= 0 && values[i] < spec().width) || (may_ignore && values[i] == spec().ignored)) continue;
      const std::string ignored = may_ignore ? concat(", or ", spec().ignored, " to be ignored") : "";
      raise<DataError>("target ", i, " is ", values[i], ", but should be a class number from 0 to ", spec().width - 1,
                       ignored);
    }
  }

  ContextPtr<R> ctx_;
  std::vector<R> weights_, positive_;
};

template <class R>
class CpuCriteria final : public CriteriaOps {
 public:
  explicit CpuCriteria(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<CriterionPlan> do_criterion(const CriterionSpec& spec) override {
    return std::make_unique<FormulaPlan<R>>(spec, ctx_);
  }
  std::unique_ptr<CtcPlan> do_ctc(const CtcSpec& spec) override { return make_ctc<R>(spec, ctx_); }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<CriteriaOps> make_criteria(ContextPtr<R> ctx) {
  return std::make_unique<CpuCriteria<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(CriteriaOps, make_criteria);

}  // namespace squall::cpu
