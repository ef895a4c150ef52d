// Connectionist temporal classification: one thread for each example, with the sums of formulas/alignments.hpp.
#pragma once

#include "cuda/grid.hpp"
#include "squall/core/formulas/alignments.hpp"
#include "squall/core/ops/criteria.hpp"

namespace squall::cuda::SQUALL_GRID {

template <class R>
struct CtcExamples {
  const R* logits;
  const std::int32_t *targets, *steps, *labels;
  double* memory;
  Index time, examples, classes, longest;
  std::int32_t blank;
  bool zero_infinity, per_label;

  SQUALL_HD Index places() const { return 2 * longest + 1; }
  SQUALL_HD Index each() const { return time * (classes + places()) + 2 * places() + classes; }
  SQUALL_HD static Index within(std::int32_t n, Index most) { return n < 0 ? 0 : (n > most ? most : n); }
  // Wrong lengths and labels have been reported; here they must only do no harm.
  SQUALL_HD bool sound(const formulas::Alignments& x) const {
    for (Index i = 0; i < x.count; ++i)
      if (x.labels[i] < 0 || x.labels[i] >= classes) return false;
    return true;
  }
  SQUALL_HD formulas::Alignments example(Index b) const {
    formulas::Alignments x{};
    x.steps = steps != nullptr ? within(steps[b], time) : time;
    x.classes = classes;
    x.count = labels != nullptr ? within(labels[b], longest) : longest;
    x.labels = targets + b * longest;
    x.blank = blank;
    double* log_p = memory + b * each();
    x.log_p = log_p;
    x.forward = log_p + time * classes;
    x.backward = x.forward + time * places();
    for (Index t = 0; t < x.steps; ++t)
      formulas::log_softmax(logits + (t * examples + b) * classes, classes, log_p + t * classes);
    return x;
  }
  SQUALL_HD double divisor(const formulas::Alignments& x) const {
    return per_label ? static_cast<double>(x.count > 1 ? x.count : 1) : 1;
  }
};

template <class R>
struct CtcForwardKernel {
  CtcExamples<R> run;
  R* losses;
  SQUALL_HD void operator()(Index b) const {
    const formulas::Alignments x = run.example(b);
    if (!run.sound(x)) return;
    const double loss = -x.sum_forward();
    const bool impossible = loss == HUGE_VAL;
    losses[b] = static_cast<R>(impossible && run.zero_infinity ? 0 : loss / run.divisor(x));
  }
};
template <class R>
struct CtcBackwardKernel {
  CtcExamples<R> run;
  const R* rates;
  R* to;
  bool add;
  SQUALL_HD void operator()(Index b) const {
    const formulas::Alignments x = run.example(b);
    if (!run.sound(x)) return;
    double* deltas = run.memory + b * run.each();  // log_p, which becomes the delta
    const double total = x.sum_forward();
    if (total == -HUGE_VAL) {
      const double all = run.zero_infinity ? 0 : HUGE_VAL - HUGE_VAL;
      for (Index i = 0; i < x.steps * x.classes; ++i) deltas[i] = all;
    } else {
      x.send(total, static_cast<double>(rates[b]) / run.divisor(x), deltas, x.backward + 2 * x.places());
    }
    for (Index t = 0; t < run.time; ++t)
      for (Index c = 0; c < x.classes; ++c)
        put(to + (t * run.examples + b) * x.classes + c, t < x.steps ? static_cast<R>(deltas[t * x.classes + c]) : R(0),
            add);
  }
};

// Lengths, and labels that are used.
struct CtcLengthKernel {
  const std::int32_t* lengths;
  FaultKey* fault;
  Index most;
  SQUALL_HD void operator()(Index b) const {
    if (lengths[b] < 0 || lengths[b] > most) report(fault, b, lengths[b]);
  }
};
struct CtcLabelKernel {
  const std::int32_t *targets, *labels;
  FaultKey* fault;
  Index longest, classes;
  std::int32_t blank;
  SQUALL_HD void operator()(Index i) const {
    const Index b = i / longest;
    if (labels != nullptr && i % longest >= labels[b]) return;
    const std::int32_t v = targets[i];
    if (v < 0 || v >= classes || v == blank) report(fault, i, v);
  }
};

inline void raise_ctc_length(const FaultSite& site, const Fault& fault) {
  raise<DataError>(site.words[0], " ", fault.value, " of example ", fault.place, " should be from 0 to ",
                   site.numbers[0], ", the ", site.words[1]);
}
inline void raise_ctc_label(const FaultSite& site, const Fault& fault) {
  const auto& [longest, classes, blank] = site.numbers;
  raise<DataError>("target ", fault.place % longest, " of example ", fault.place / longest, " is ", fault.value,
                   ", but should be a class number from 0 to ", classes - 1, " other than the blank ", blank);
}

template <class R>
class GridCtc final : public CtcPlan {
 public:
  GridCtc(const CtcSpec& spec, ContextPtr ctx) : CtcPlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "logarithms"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(spec().examples * examples({}).each()) * sizeof(double);
  }
  void set_workspace(void* memory) override { memory_ = static_cast<double*>(memory); }

 protected:
  void do_forward(const CtcRun& run, const Tensor& losses) override {
    check(run);
    each(*ctx_, spec().examples, CtcForwardKernel<R>{examples(run), losses.as<R>()});
  }
  void do_backward(const CtcRun& run, const ConstTensor& dlosses, const Sink& dlogits) override {
    each(*ctx_, spec().examples,
         CtcBackwardKernel<R>{examples(run), dlosses.as<R>(), dlogits.to.as<R>(), dlogits.mode == Write::Add});
  }

 private:
  static const std::int32_t* ints(const ConstTensor& x) { return x ? x.as<std::int32_t>() : nullptr; }
  CtcExamples<R> examples(const CtcRun& run) const {
    return {run.logits ? run.logits.as<R>() : nullptr,
            ints(run.targets),
            ints(run.steps),
            ints(run.labels),
            memory_,
            spec().steps,
            spec().examples,
            spec().classes,
            spec().longest,
            spec().blank,
            spec().zero_infinity,
            spec().per_label};
  }
  void check(const CtcRun& run) {
    check_lengths("input length", run.steps, spec().steps, "steps");
    check_lengths("target length", run.labels, spec().longest, "labels there is room for");
    FaultKey* fault = ctx_->fault({raise_ctc_label, {}, {spec().longest, spec().classes, spec().blank}});
    each(*ctx_, spec().examples * spec().longest,
         CtcLabelKernel{ints(run.targets), ints(run.labels), fault, spec().longest, spec().classes, spec().blank});
    ctx_->look();
  }
  void check_lengths(std::string_view what, const ConstTensor& lengths, Index most, std::string_view of) {
    if (!lengths) return;
    FaultKey* fault = ctx_->fault({raise_ctc_length, {what, of}, {most}});
    each(*ctx_, spec().examples, CtcLengthKernel{ints(lengths), fault, most});
  }
  ContextPtr ctx_;
  double* memory_ = nullptr;
};

}  // namespace squall::cuda::SQUALL_GRID
