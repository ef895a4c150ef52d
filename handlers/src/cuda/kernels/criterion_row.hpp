// The formula of a criterion for one loss, chosen by number inside the kernel: one kernel each way serves all of them.
#pragma once

#include "cuda/grid.hpp"
#include "squall/core/formulas/element_criteria.hpp"
#include "squall/core/formulas/row_criteria.hpp"
#include "squall/core/ops/criteria.hpp"

namespace squall::cuda::SQUALL_GRID {

// What kernels need of a CriterionSpec.
template <class R>
struct CriterionNumbers {
  R margin, scale, epsilon, smoothing, power;
  std::int32_t ignored;
  Criterion criterion;
  bool log_target, log_input, full, swap;

  explicit CriterionNumbers(const CriterionSpec& s)
      : margin(static_cast<R>(s.margin)),
        scale(static_cast<R>(s.scale)),
        epsilon(static_cast<R>(s.epsilon)),
        smoothing(static_cast<R>(s.smoothing)),
        power(static_cast<R>(s.power)),
        ignored(s.ignored),
        criterion(s.criterion),
        log_target(s.log_target),
        log_input(s.log_input),
        full(s.full),
        swap(s.swap) {}
};

// to(formula) with the formula of the criterion.
template <class R, class To>
SQUALL_HD inline void with_criterion(const CriterionNumbers<R>& s, const To& to) {
  using namespace formulas;
  switch (s.criterion) {
    case Criterion::L1: return to(OfDifference<R, AbsoluteDifference<R>>{});
    case Criterion::Mse: return to(OfDifference<R, SquareDifference<R>>{});
    case Criterion::SmoothL1: return to(OfDifference<R, SmoothDifference<R>>{{s.scale}});
    case Criterion::Huber: return to(OfDifference<R, HuberDifference<R>>{{s.scale}});
    case Criterion::Bce: return to(OfInput<R, BinaryCrossEntropy<R>>{});
    case Criterion::BceWithLogits: return to(OfInput<R, BinaryCrossEntropyOfLogits<R>>{});
    case Criterion::KlDiv: return to(OfInput<R, Divergence<R>>{{s.log_target}});
    case Criterion::PoissonNll: return to(OfInput<R, PoissonLikelihood<R>>{{s.log_input, s.full, s.epsilon}});
    case Criterion::GaussianNll: return to(GaussianLikelihood<R>{s.full, s.epsilon});
    case Criterion::SoftMargin: return to(OfInput<R, SoftMarginOf<R>>{});
    case Criterion::MarginRanking: return to(RankingMargin<R>{s.margin});
    case Criterion::HingeEmbedding: return to(OfInput<R, HingeOfDistance<R>>{{s.margin}});
    case Criterion::CrossEntropy: return to(SoftmaxCrossEntropy<R>{s.smoothing, s.ignored});
    case Criterion::Nll: return to(NegativeLikelihood<R>{s.ignored});
    case Criterion::MultiMargin: return to(ClassMargins<R>{s.margin, s.power == R(2)});
    case Criterion::CosineEmbedding: return to(CosineOfPairs<R>{s.margin});
    case Criterion::TripletMargin: return to(TripletMargins<R>{s.margin, s.power, s.epsilon, s.swap});
  }
}

// Operands of all losses.
template <class R>
struct CriterionOperands {
  const R *a, *b, *c;
  const std::int32_t* labels;
  const R *weights, *positive;
  Index width, a_width, b_width, c_width;  // width: of the spec; others: numbers of one loss
  bool by_number;

  SQUALL_HD formulas::CriterionRow<R> row(Index i) const {
    formulas::CriterionRow<R> r;
    r.a = a + i * a_width;
    if (b != nullptr) r.b = b + i * b_width;
    if (c != nullptr) r.c = c + i * c_width;
    if (labels != nullptr) r.label = labels[i];
    r.width = a_width;
    r.weights = weights;
    r.positive = positive;
    if (by_number && weights != nullptr) r.weights = weights + i % width;
    if (by_number && positive != nullptr) r.positive = positive + i % width;
    return r;
  }
  // A label that names no class is left alone; it has been reported.
  SQUALL_HD bool usable(Index i, std::int32_t ignored) const {
    return labels == nullptr || labels[i] == ignored || (labels[i] >= 0 && labels[i] < width);
  }
};

template <class R>
struct ValueOf {
  const formulas::CriterionRow<R>& row;
  R *loss, *share;  // share: or null
  template <class F>
  SQUALL_HD void operator()(const F& f) const {
    *loss = f.value(row);
    if (share == nullptr) return;
    if constexpr (requires { f.share(row); })
      *share = f.share(row);
    else
      *share = R(1);
  }
};
template <class R>
struct BackOf {
  const formulas::CriterionRow<R>& row;
  R rate;
  const formulas::CriterionSinks<R>& sinks;
  template <class F>
  SQUALL_HD void operator()(const F& f) const {
    f.back(row, rate, sinks);
  }
};

}  // namespace squall::cuda::SQUALL_GRID
