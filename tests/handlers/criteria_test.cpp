// Criteria and connectionist temporal classification: values against formulas in double, gradients against differences.
#include "squall/core/ops/criteria.hpp"

#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Values between(double low, double high, Index count, std::uint64_t seed) {
  Rng rng(seed, "criteria");
  Values out;
  for (Index i = 0; i < count; ++i) out.push_back(rng.uniform(low, high));
  return out;
}

CriterionSpec spec_of(Criterion criterion, Index losses, Index width = 1) {
  CriterionSpec s;
  s.criterion = criterion, s.losses = losses, s.width = width, s.margin = 0.4, s.epsilon = 1e-6;
  return s;
}

constexpr Index kCount = 37;

std::vector<std::pair<CriterionSpec, std::function<double(double, double)>>> of_numbers() {
  const auto softplus = [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
  return {{spec_of(Criterion::L1, kCount), [](double x, double t) { return std::abs(x - t); }},
          {spec_of(Criterion::Mse, kCount), [](double x, double t) { return (x - t) * (x - t); }},
          {spec_of(Criterion::SmoothL1, kCount),
           [](double x, double t) {
             const double d = std::abs(x - t);
             return d < 1 ? d * d / 2 : d - 0.5;
           }},
          {spec_of(Criterion::Huber, kCount),
           [](double x, double t) {
             const double d = std::abs(x - t);
             return d <= 1 ? d * d / 2 : d - 0.5;
           }},
          {spec_of(Criterion::BceWithLogits, kCount),
           [softplus](double x, double t) { return t * softplus(-x) + (1 - t) * softplus(x); }},
          {spec_of(Criterion::PoissonNll, kCount), [](double x, double t) { return std::exp(x) - t * x; }},
          {spec_of(Criterion::KlDiv, kCount), [](double x, double t) { return t * (std::log(t) - x); }}};
}

Values losses_of(OpCase& c, const CriterionSpec& spec, const CriterionRun& run) {
  const auto plan = c.h().criteria().criterion(spec);
  give_memory(c, *plan);
  const Tensor losses = c.nans({spec.losses});
  plan->forward(run, losses);
  return c.read(losses);
}

// d (sum of dlosses times losses) / d operand by differences.
Values by_differences(OpCase& c, const CriterionSpec& spec, const Values& operand, const Shape& shape,
                      const Values& dlosses, const std::function<CriterionRun(const Tensor&)>& run_with) {
  constexpr double kStep = 1e-5;
  Values out;
  for (std::size_t i = 0; i < operand.size(); ++i) {
    const auto sum = [&](double step) {
      Values moved = operand;
      moved[i] += step;
      const Values l = losses_of(c, spec, run_with(c.real(shape, moved)));
      double all = 0;
      for (std::size_t k = 0; k < l.size(); ++k) all += dlosses[k] * l[k];
      return all;
    };
    out.push_back((sum(kStep) - sum(-kStep)) / (2 * kStep));
  }
  return out;
}

void expect_near(const Values& got, const Values& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(want[i]).margin(tolerance).epsilon(tolerance));
}

CtcSpec ctc_spec() {
  CtcSpec s;
  s.steps = 4, s.examples = 2, s.classes = 3, s.longest = 2;
  return s;
}

// -ln of the summed probability of all paths that spell the labels.
double ctc_by_enumeration(const Values& logits, Index example, const std::vector<std::int32_t>& labels) {
  const CtcSpec s = ctc_spec();
  double sum = 0;
  for (Index path = 0; path < 81; ++path) {
    Index rest = path;
    std::vector<std::int32_t> spelled;
    std::int32_t before = -1;
    double probability = 1;
    for (Index t = 0; t < s.steps; ++t, rest /= 3) {
      const auto symbol = static_cast<std::int32_t>(rest % 3);
      double all = 0;
      for (Index k = 0; k < 3; ++k) all += std::exp(logits[at((t * s.examples + example) * 3 + k)]);
      probability *= std::exp(logits[at((t * s.examples + example) * 3 + symbol)]) / all;
      if (symbol != before && symbol != 0) spelled.push_back(symbol);
      before = symbol;
    }
    if (spelled == labels) sum += probability;
  }
  return -std::log(sum);
}

}  // namespace

OP_CASE("CriterionPlan::forward", "of numbers is the formula") {
  on_all_handlers([](OpCase& c) {
    const Values x = between(-2, 2, kCount, 1), t = between(0.1, 0.9, kCount, 2);
    for (const auto& [spec, formula] : of_numbers()) {
      INFO(static_cast<int>(spec.criterion));
      CriterionRun run;
      run.a = c.real({kCount}, x), run.b = c.real({kCount}, t);
      Values want;
      for (std::size_t i = 0; i < x.size(); ++i) want.push_back(formula(x[i], t[i]));
      expect_near(losses_of(c, spec, run), want, c.tolerance());
    }
  });
}

OP_CASE("CriterionPlan::backward", "is the derivative for numbers and for examples") {
  OpCase c(HandlerUnderTest{"cpu:f64", 1e-9});
  const Index width = 5, examples = 6;
  for (int k = 0; k <= static_cast<int>(Criterion::TripletMargin); ++k) {
    const auto criterion = static_cast<Criterion>(k);
    INFO(k);
    const bool numbers = criterion < Criterion::CrossEntropy;
    CriterionSpec spec = spec_of(criterion, numbers ? kCount : examples, numbers ? 1 : width);
    const Shape shape = numbers ? Shape{kCount} : Shape{examples, width};
    const bool probability = criterion == Criterion::Bce;
    const bool signs = criterion == Criterion::SoftMargin || criterion == Criterion::HingeEmbedding ||
                       criterion == Criterion::MarginRanking || criterion == Criterion::CosineEmbedding;
    const Values a = between(probability ? 0.1 : -2, probability ? 0.9 : 2, shape.elements(), 3);
    Values other = between(0.1, 0.9, shape.elements(), 4);
    CriterionRun run;
    std::vector<std::int32_t> labels;
    for (Index i = 0; i < examples; ++i) labels.push_back(static_cast<std::int32_t>(i % width));
    const bool classes =
        criterion == Criterion::CrossEntropy || criterion == Criterion::Nll || criterion == Criterion::MultiMargin;
    if (classes) run.labels = c.upload(HostArray::of(Shape{examples}, labels), DType::I32);
    Values sign;
    for (Index i = 0; i < spec.losses; ++i) sign.push_back(i % 2 == 0 ? 1 : -1);
    if (!classes) run.b = c.real(shape, other);
    if (criterion == Criterion::SoftMargin || criterion == Criterion::HingeEmbedding) run.b = c.real({kCount}, sign);
    if (signs && !run.c && criterion != Criterion::SoftMargin && criterion != Criterion::HingeEmbedding)
      run.c = c.real({spec.losses}, sign);
    if (criterion == Criterion::GaussianNll) run.c = c.real(shape, between(0.5, 1.5, shape.elements(), 5));
    if (criterion == Criterion::TripletMargin) run.c = c.real(shape, between(-1, 1, shape.elements(), 6));
    run.a = c.real(shape, a);
    const Values dlosses = between(-1, 1, spec.losses, 7);
    const Values want = by_differences(c, spec, a, shape, dlosses, [&](const Tensor& x) {
      CriterionRun moved = run;
      moved.a = x;
      return moved;
    });
    const auto plan = c.h().criteria().criterion(spec);
    give_memory(c, *plan);
    const Tensor losses = c.nans({spec.losses}), da = c.nans(shape);
    plan->forward(run, losses);
    CriterionDeltas deltas;
    deltas.a = da;
    plan->backward(run, c.real({spec.losses}, dlosses), deltas);
    expect_near(c.read(da), want, 1e-6);
  }
}

OP_CASE("CriteriaOps::criterion", "gives losses of examples that a hand can check") {
  on_all_handlers([](OpCase& c) {
    CriterionRun run;
    run.a = c.real({2, 2}, {0, 0, 0, std::log(3.0)});
    run.labels = c.upload(HostArray::of(Shape{2}, std::vector<std::int32_t>{0, 1}), DType::I32);
    expect_near(losses_of(c, spec_of(Criterion::CrossEntropy, 2, 2), run), {std::log(2.0), std::log(4.0 / 3)},
                c.tolerance());
  });
}

OP_CASE("CtcPlan::forward", "sums over all alignments") {
  on_all_handlers([](OpCase& c) {
    const CtcSpec spec = ctc_spec();
    const auto plan = c.h().criteria().ctc(spec);
    give_memory(c, *plan);
    const Values logits = between(-1, 1, spec.steps * spec.examples * spec.classes, 8);
    CtcRun run;
    run.logits = c.real({spec.steps, spec.examples, spec.classes}, logits);
    run.targets = c.upload(HostArray::of(Shape{2, 2}, std::vector<std::int32_t>{1, 2, 1, 1}), DType::I32);
    const Tensor losses = c.nans({2});
    plan->forward(run, losses);
    expect_near(c.read(losses), {ctc_by_enumeration(logits, 0, {1, 2}), ctc_by_enumeration(logits, 1, {1, 1})},
                c.tolerance());
  });
}

OP_CASE("CtcPlan::backward", "is the derivative") {
  OpCase c(HandlerUnderTest{"cpu:f64", 1e-9});
  const CtcSpec spec = ctc_spec();
  const Shape shape{spec.steps, spec.examples, spec.classes};
  const Values logits = between(-1, 1, shape.elements(), 9), dlosses{0.7, -1.3};
  CtcRun run;
  run.targets = c.upload(HostArray::of(Shape{2, 2}, std::vector<std::int32_t>{2, 1, 1, 1}), DType::I32);
  const auto plan = c.h().criteria().ctc(spec);
  give_memory(c, *plan);
  const Tensor losses = c.nans({2});
  const auto sum = [&](const Values& at_logits) {
    run.logits = c.real(shape, at_logits);
    plan->forward(run, losses);
    const Values l = c.read(losses);
    return dlosses[0] * l[0] + dlosses[1] * l[1];
  };
  Values want;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    Values up = logits, down = logits;
    up[i] += 1e-5, down[i] -= 1e-5;
    want.push_back((sum(up) - sum(down)) / 2e-5);
  }
  sum(logits);
  const Tensor dlogits = c.nans(shape);
  plan->backward(run, c.real({2}, dlosses), dlogits);
  expect_near(c.read(dlogits), want, 1e-6);
}

OP_CASE("CriteriaOps::ctc", "refuses labels that are no class") {
  on_all_handlers([](OpCase& c) {
    const CtcSpec spec = ctc_spec();
    const auto plan = c.h().criteria().ctc(spec);
    give_memory(c, *plan);
    CtcRun run;
    run.logits = c.random({spec.steps, spec.examples, spec.classes});
    run.targets = c.upload(HostArray::of(Shape{2, 2}, std::vector<std::int32_t>{1, 3, 1, 1}), DType::I32);
    const Tensor losses = c.nans({2});
    expect_error<DataError>([&] { plan->forward(run, losses); }, {"3"});
  });
}
