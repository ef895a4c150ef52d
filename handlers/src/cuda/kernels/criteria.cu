// Criteria from their formulas, one thread for each loss. What data must fulfil is checked by kernels before.
#include "cuda/facets.hpp"
#include "cuda/kernels/criterion_row.hpp"
#include "cuda/kernels/ctc.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

template <class R>
struct ForwardKernel {
  CriterionOperands<R> run;
  R *losses, *shares;
  CriterionNumbers<R> numbers;
  SQUALL_HD void operator()(Index i) const {
    if (!run.usable(i, numbers.ignored)) return;
    const formulas::CriterionRow<R> row = run.row(i);
    with_criterion(numbers, ValueOf<R>{row, losses + i, shares != nullptr ? shares + i : nullptr});
  }
};
template <class R>
struct BackwardKernel {
  CriterionOperands<R> run;
  const R* rates;
  formulas::CriterionSinks<R> sinks;
  CriterionNumbers<R> numbers;
  SQUALL_HD static formulas::PutDelta<R> moved(const formulas::PutDelta<R>& p, Index by) {
    return {p.to == nullptr ? nullptr : p.to + by, p.add};
  }
  SQUALL_HD void operator()(Index i) const {
    if (!run.usable(i, numbers.ignored)) return;
    const formulas::CriterionRow<R> row = run.row(i);
    const formulas::CriterionSinks<R> to{moved(sinks.a, i * run.a_width), moved(sinks.b, i * run.b_width),
                                         moved(sinks.c, i * run.c_width)};
    with_criterion(numbers, BackOf<R>{row, rates[i], to});
  }
};

template <class R>
struct RangeKernel {
  const R* x;
  FaultKey* fault;
  double low, high;
  SQUALL_HD void operator()(Index i) const {
    const double v = static_cast<double>(x[i]);
    if (v < low || v > high) report(fault, i, bits(static_cast<float>(v)));
  }
  SQUALL_HD static std::int32_t bits(float v) {
    union {
      float real;
      std::int32_t whole;
    } same;
    same.real = v;
    return same.whole;
  }
};
struct LabelKernel {
  const std::int32_t* labels;
  FaultKey* fault;
  Index classes;
  std::int32_t ignored;
  bool may_ignore;
  SQUALL_HD void operator()(Index i) const {
    const std::int32_t v = labels[i];
    if ((v < 0 || v >= classes) && !(may_ignore && v == ignored)) report(fault, i, v);
  }
};

void raise_range(const FaultSite& site, const Fault& fault) {
  raise<DataError>(site.words[0], " ", fault.place, " is ", fault.real(), ", but should be ", site.words[1]);
}
void raise_label(const FaultSite& site, const Fault& fault) {
  const auto& [largest, may_ignore, ignored] = site.numbers;
  raise<DataError>("target ", fault.place, " is ", fault.value, ", but should be a class number from 0 to ", largest,
                   may_ignore != 0 ? concat(", or ", ignored, " to be ignored") : "");
}

template <class R>
class FormulaPlan final : public CriterionPlan {
 public:
  FormulaPlan(const CriterionSpec& spec, ContextPtr ctx, MemoryOps& memory)
      : CriterionPlan(spec),
        ctx_(std::move(ctx)),
        weights_(memory, spec.weights.size() * sizeof(R)),
        positive_(memory, spec.positive_weights.size() * sizeof(R)) {
    upload(memory, spec.weights, weights_);
    upload(memory, spec.positive_weights, positive_);
  }
  std::string_view kind() const override { return "formula"; }

 protected:
  void do_forward(const CriterionRun& run, const Tensor& losses, const Tensor& shares) override {
    check(run);
    each(*ctx_, spec().losses,
         ForwardKernel<R>{operands(run), losses.as<R>(), shares ? shares.as<R>() : nullptr,
                          CriterionNumbers<R>(spec())});
  }
  void do_backward(const CriterionRun& run, const ConstTensor& dlosses, const CriterionDeltas& deltas) override {
    const formulas::CriterionSinks<R> sinks{put_to(deltas.a), put_to(deltas.b), put_to(deltas.c)};
    each(*ctx_, spec().losses, BackwardKernel<R>{operands(run), dlosses.as<R>(), sinks, CriterionNumbers<R>(spec())});
  }

 private:
  static void upload(MemoryOps& memory, const std::vector<double>& values, const DeviceBlock& to) {
    if (values.empty()) return;
    const Shape shape{static_cast<Index>(values.size())};
    memory.upload(HostArray::of(shape, values).view(), Tensor(to.data(), dtype_of<R>, shape));
  }
  static formulas::PutDelta<R> put_to(const Sink& s) {
    return s ? formulas::PutDelta<R>{s.to.as<R>(), s.mode == Write::Add} : formulas::PutDelta<R>{};
  }
  static const R* values(const DeviceBlock& block) { return reinterpret_cast<const R*>(block.data()); }
  CriterionOperands<R> operands(const CriterionRun& run) const {
    const auto at = [](const ConstTensor& x) { return x ? x.as<R>() : nullptr; };
    const auto width = [&](const ConstTensor& x) { return x ? x.elements() / spec().losses : Index{0}; };
    return {
        at(run.a),        at(run.b),         at(run.c),         run.labels ? run.labels.as<std::int32_t>() : nullptr,
        values(weights_), values(positive_), spec().width,      width(run.a),
        width(run.b),     width(run.c),      spec().by_number()};
  }

  void range(std::string_view what, const ConstTensor& x, double low, double high, std::string_view text) {
    FaultKey* fault = ctx_->fault({raise_range, {what, text}});
    each(*ctx_, x.elements(), RangeKernel<R>{x.as<R>(), fault, low, high});
  }
  void check(const CriterionRun& run) {
    constexpr double kAny = 1e308;
    const bool probabilities = spec().criterion == Criterion::Bce;
    const bool variance = spec().criterion == Criterion::GaussianNll;
    if (probabilities) {
      range("element", run.a, 0, 1, "a probability from 0 to 1");
      range("target", run.b, 0, 1, "a probability from 0 to 1");
    }
    if (variance) range("variance", run.c, 0, kAny, "0 or more");
    if (run.labels) {
      const bool may_ignore = spec().criterion != Criterion::MultiMargin;
      FaultKey* fault = ctx_->fault({raise_label, {}, {spec().width - 1, may_ignore ? 1 : 0, spec().ignored}});
      each(*ctx_, spec().losses,
           LabelKernel{run.labels.as<std::int32_t>(), fault, spec().width, spec().ignored, may_ignore});
    }
    if (probabilities || variance || run.labels) ctx_->look();
  }

  ContextPtr ctx_;
  DeviceBlock weights_, positive_;
};

template <class R>
class GridCriteria final : public CriteriaOps {
 public:
  explicit GridCriteria(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<CriterionPlan> do_criterion(const CriterionSpec& spec) override {
    return std::make_unique<FormulaPlan<R>>(spec, ctx_, handler().memory());
  }
  std::unique_ptr<CtcPlan> do_ctc(const CtcSpec& spec) override { return std::make_unique<GridCtc<R>>(spec, ctx_); }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<CriteriaOps> make_criteria(ContextPtr ctx) {
  return std::make_unique<GridCriteria<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(CriteriaOps, make_criteria);

}  // namespace squall::cuda::SQUALL_GRID
