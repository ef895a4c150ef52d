// Connectionist temporal classification: sums over all alignments of labels with time steps, forwards and backwards, in
// logarithms and double precision. Every example is one thread's.
#include "cpu/ctc.hpp"

#include <cmath>
#include <limits>

#include "squall/core/formulas/alignments.hpp"

namespace squall::cpu {

namespace {

using formulas::Alignments;

constexpr double kNever = -std::numeric_limits<double>::infinity();

template <class R>
class LogCtc final : public CtcPlan {
 public:
  LogCtc(const CtcSpec& spec, ContextPtr<R> ctx) : CtcPlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "logarithms"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(spec().examples * each()) * sizeof(double);
  }
  void set_workspace(void* memory) override { memory_ = static_cast<double*>(memory); }

 protected:
  void do_forward(const CtcRun& run, const Tensor& losses) override {
    check(run);
    R* to = losses.as<R>();
    every([&](Index b) {
      const Alignments x = example(run, b);
      const double loss = -x.sum_forward();
      to[b] = static_cast<R>(impossible(loss) && spec().zero_infinity ? 0 : loss / divisor(x));
    });
  }
  void do_backward(const CtcRun& run, const ConstTensor& dlosses, const Sink& dlogits) override {
    const R* rates = dlosses.as<R>();
    every([&](Index b) {
      const Alignments x = example(run, b);
      double* shares = memory_ + b * each();  // log_p, which becomes the delta
      const double total = x.sum_forward(), rate = static_cast<double>(rates[b]) / divisor(x);
      if (impossible(-total)) {
        const double all = spec().zero_infinity ? 0 : std::numeric_limits<double>::quiet_NaN();
        std::fill_n(shares, x.steps * x.classes, all);
      } else {
        x.send(total, rate, shares, x.backward + 2 * x.places());
      }
      write(b, x, shares, dlogits);
    });
  }

 private:
  static bool impossible(double loss) { return loss == -kNever; }
  Index places() const { return 2 * spec().longest + 1; }
  Index each() const { return spec().steps * (spec().classes + places()) + 2 * places() + spec().classes; }
  double divisor(const Alignments& x) const {
    return spec().per_label ? static_cast<double>(std::max<Index>(x.count, 1)) : 1;
  }

  void write(Index b, const Alignments& x, const double* deltas, const Sink& dlogits) const {
    R* to = dlogits.to.as<R>();
    for (Index t = 0; t < spec().steps; ++t)
      for (Index c = 0; c < x.classes; ++c) {
        const R delta = t < x.steps ? static_cast<R>(deltas[t * x.classes + c]) : R(0);
        R& at = to[(t * spec().examples + b) * x.classes + c];
        at = dlogits.mode == Write::Add ? at + delta : delta;
      }
  }

  template <class F>
  void every(const F& f) const {
    const Index work = spec().examples * spec().steps * (spec().classes + places()) * 16;
    ctx_->parallel().run(spec().examples, work >= kWorthElements, [&](Index b, int) { f(b); });
  }

  // The logarithms of the softmax of its steps are taken.
  Alignments example(const CtcRun& run, Index b) const {
    const Index classes = spec().classes;
    double* log_p = memory_ + b * each();
    Alignments x{};
    x.steps = run.steps ? run.steps.as<std::int32_t>()[b] : spec().steps;
    x.classes = classes;
    x.count = run.labels ? run.labels.as<std::int32_t>()[b] : spec().longest;
    x.labels = run.targets.as<std::int32_t>() + b * spec().longest;
    x.blank = spec().blank;
    x.log_p = log_p;
    x.forward = log_p + spec().steps * classes;
    x.backward = x.forward + spec().steps * places();
    for (Index t = 0; t < x.steps; ++t)
      formulas::log_softmax(run.logits.as<R>() + (t * spec().examples + b) * classes, classes, log_p + t * classes);
    return x;
  }

  void check(const CtcRun& run) const {
    check_lengths("input length", run.steps, spec().steps, "steps");
    check_lengths("target length", run.labels, spec().longest, "labels there is room for");
    for (Index b = 0; b < spec().examples; ++b) {
      const auto* labels = run.targets.as<std::int32_t>() + b * spec().longest;
      const Index count = run.labels ? run.labels.as<std::int32_t>()[b] : spec().longest;
      for (Index i = 0; i < count; ++i)
        if (labels[i] < 0 || labels[i] >= spec().classes || labels[i] == spec().blank)
          raise<DataError>("target ", i, " of example ", b, " is ", labels[i],
                           ", but should be a class number from 0 to ", spec().classes - 1, " other than the blank ",
                           spec().blank);
    }
  }
  void check_lengths(std::string_view what, const ConstTensor& lengths, Index most, std::string_view of) const {
    for (Index b = 0; lengths && b < spec().examples; ++b) {
      const std::int32_t length = lengths.as<std::int32_t>()[b];
      if (length < 0 || length > most)
        raise<DataError>(what, " ", length, " of example ", b, " should be from 0 to ", most, ", the ", of);
    }
  }

  ContextPtr<R> ctx_;
  double* memory_ = nullptr;
};

}  // namespace

template <class R>
std::unique_ptr<CtcPlan> make_ctc(const CtcSpec& spec, ContextPtr<R> ctx) {
  return std::make_unique<LogCtc<R>>(spec, std::move(ctx));
}
template std::unique_ptr<CtcPlan> make_ctc<float>(const CtcSpec&, ContextPtr<float>);
template std::unique_ptr<CtcPlan> make_ctc<double>(const CtcSpec&, ContextPtr<double>);

}  // namespace squall::cpu
