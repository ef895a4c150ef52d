// Connectionist temporal classification: sums over all alignments of labels with time steps, forwards and backwards, in
// logarithms and double precision. Every example is one thread's.
#include "cpu/ctc.hpp"

#include <cmath>
#include <limits>

namespace squall::cpu {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

double log_sum(double a, double b) {
  const double larger = std::max(a, b);
  return larger == kNever ? kNever : larger + std::log1p(std::exp(std::min(a, b) - larger));
}

// One example: its labels with blanks around them are the places 0 .. 2 n.
struct Alignments {
  Index steps, classes, count;
  const std::int32_t* labels;
  std::int32_t blank;
  const double* log_p;         // (steps, classes)
  double *forward, *backward;  // (steps, places), (2, places)

  Index places() const { return 2 * count + 1; }
  std::int32_t symbol(Index place) const { return place % 2 == 0 ? blank : labels[place / 2]; }
  double log_of(Index t, Index place) const { return log_p[t * classes + symbol(place)]; }
  // Whether the blank before this place may be left out.
  bool jumps(Index place) const { return place % 2 == 1 && place > 1 && symbol(place) != symbol(place - 2); }

  // ln of the probability of all alignments.
  double sum_forward() const {
    const Index n = places();
    if (steps == 0) return count == 0 ? 0 : kNever;
    for (Index s = 0; s < n; ++s) forward[s] = s < 2 ? log_of(0, s) : kNever;
    for (Index t = 1; t < steps; ++t) {
      const double* before = forward + (t - 1) * n;
      for (Index s = 0; s < n; ++s) {
        double sum = before[s];
        if (s > 0) sum = log_sum(sum, before[s - 1]);
        if (jumps(s)) sum = log_sum(sum, before[s - 2]);
        forward[t * n + s] = sum + log_of(t, s);
      }
    }
    const double* last = forward + (steps - 1) * n;
    return n > 1 ? log_sum(last[n - 1], last[n - 2]) : last[0];
  }

  // visit(t, place, share): how much of the probability passes there.
  template <class F>
  void shares(double total, const F& visit) const {
    const Index n = places();
    for (Index t = steps; t-- > 0;) {
      double* now = backward + t % 2 * n;
      const double* after = backward + (t + 1) % 2 * n;
      for (Index s = n; s-- > 0;) {
        double sum = s >= n - 2 ? 0 : kNever;  // without what t itself says
        if (t + 1 < steps) {
          sum = after[s];
          if (s + 1 < n) sum = log_sum(sum, after[s + 1]);
          if (s + 2 < n && jumps(s + 2)) sum = log_sum(sum, after[s + 2]);
        }
        now[s] = sum + log_of(t, s);
        visit(t, s, std::exp(forward[t * n + s] + sum - total));
      }
    }
  }
};

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
        double* passed = x.backward + 2 * x.places();
        send(x, total, rate, shares, passed);
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

  // log_p becomes rate (p - share of the class). Steps go from last to first, and a step is not needed after it.
  void send(const Alignments& x, double total, double rate, double* log_p, double* passed) const {
    std::fill_n(passed, x.classes, 0.0);
    x.shares(total, [&](Index t, Index s, double share) {
      passed[x.symbol(s)] += share;
      if (s > 0) return;
      for (Index c = 0; c < x.classes; ++c) {
        double& at = log_p[t * x.classes + c];
        at = rate * (std::exp(at) - passed[c]);
        passed[c] = 0;
      }
    });
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
    for (Index t = 0; t < x.steps; ++t) {
      const R* in = run.logits.as<R>() + (t * spec().examples + b) * classes;
      const double largest = static_cast<double>(*std::max_element(in, in + classes));
      double sum = 0;
      for (Index c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(in[c]) - largest);
      const double shift = largest + std::log(sum);
      for (Index c = 0; c < classes; ++c) log_p[t * classes + c] = static_cast<double>(in[c]) - shift;
    }
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
