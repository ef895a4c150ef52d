// Normalisation of single examples and batch norm with variances, fast and reference: formulas in double forward,
// finite differences of them backward.
#include "squall/core/ops/norm.hpp"
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct State {
  Values x, weight, bias;
};

State random_state(OpCase& c, const GroupNormSpec& s) {
  return {c.read(c.random({s.examples, s.pixels, s.channels}, -1, 3)), c.read(c.random({s.channels}, 0.5, 2)),
          c.read(c.random({s.channels}))};
}

struct Statistics {
  Values mean, variance;
};

Values forward(const GroupNormSpec& s, const State& t, Statistics* statistics = nullptr) {
  Values y(t.x.size());
  const Index width = s.channels / s.groups;
  for (Index n = 0; n < s.examples; ++n)
    for (Index g = 0; g < s.groups; ++g) {
      const auto each = [&](const auto& f) {
        for (Index p = 0; p < s.pixels; ++p)
          for (Index j = g * width; j < (g + 1) * width; ++j) f(at((n * s.pixels + p) * s.channels + j), at(j));
      };
      double mean = 0, variance = 0;
      const auto share = static_cast<double>(s.share());
      if (s.centred) each([&](std::size_t i, std::size_t) { mean += t.x[i] / share; });
      each([&](std::size_t i, std::size_t) { variance += (t.x[i] - mean) * (t.x[i] - mean) / share; });
      const double spread = std::sqrt(variance + s.epsilon);
      each([&](std::size_t i, std::size_t j) { y[i] = (t.x[i] - mean) / spread * t.weight[j] + t.bias[j]; });
      if (statistics != nullptr) statistics->mean.push_back(mean), statistics->variance.push_back(variance);
    }
  return y;
}

Values slope(const GroupNormSpec& s, const State& t, Values State::*member, const Values& dy) {
  Values out;
  const double h = 1e-5;
  for (std::size_t i = 0; i < (t.*member).size(); ++i) {
    double sums[2] = {0, 0};
    for (const int side : {0, 1}) {
      State moved = t;
      (moved.*member)[i] += side == 0 ? -h : h;
      const Values y = forward(s, moved);
      for (std::size_t j = 0; j < y.size(); ++j) sums[side] += y[j] * dy[j];
    }
    out.push_back((sums[1] - sums[0]) / (2 * h));
  }
  return out;
}

void check_backward(OpCase& c, GroupNormPlan& plan, const Tensor& x, const Tensor& weight, const State& t) {
  const GroupNormSpec& s = plan.spec();
  const Shape whole{s.examples, s.pixels, s.channels};
  const Values dy = c.read(c.random(whole));
  const Tensor delta = c.real(whole, dy);
  const Values wanted[3] = {slope(s, t, &State::x, dy), slope(s, t, &State::weight, dy), slope(s, t, &State::bias, dy)};
  for (int parts = 1; parts < 8; ++parts)
    for (const Write mode : {Write::Overwrite, Write::Add}) {
      const double start = mode == Write::Add ? 2 : kNaN;
      Sink sinks[3];
      for (int i = 0; i < 3; ++i)
        if ((parts >> i & 1) != 0) sinks[i] = Sink(c.constant(i == 0 ? whole : Shape{s.channels}, start), mode);
      without_allocation(c, [&] { plan.backward(x, weight, delta, sinks[0], sinks[1], sinks[2]); });
      for (int i = 0; i < 3; ++i) {
        Values want = wanted[i];
        for (double& v : want) v += mode == Write::Add ? 2 : 0;
        if (sinks[i]) c.expect(c.read(sinks[i].to), want, std::max(5 * c.tolerance(), 1e-7));
      }
    }
}

void check(OpCase& c, const GroupNormSpec& s, bool affine) {
  State t = random_state(c, s);
  if (!affine) t.weight.assign(t.weight.size(), 1.0), t.bias.assign(t.bias.size(), 0.0);
  for (const bool fast : {true, false}) {
    const auto plan = fast ? c.h().norm().plan(s) : c.h().norm().reference(s);
    INFO(plan->kind() << ": " << s.examples << "x" << s.pixels << "x" << s.channels << " in " << s.groups
                      << (s.centred ? "" : ", not centred") << (affine ? "" : ", plain"));
    give_memory(c, *plan);
    const Shape whole{s.examples, s.pixels, s.channels};
    const Tensor x = c.real(whole, t.x), y = c.nans(whole);
    const Tensor weight = affine ? c.real({s.channels}, t.weight) : Tensor();
    const Tensor bias = affine ? c.real({s.channels}, t.bias) : Tensor();
    const Tensor mean = c.nans({s.examples, s.groups}), variance = c.nans({s.examples, s.groups});
    Statistics want;
    const Values want_y = forward(s, t, &want);
    without_allocation(c, [&] { plan->forward(x, weight, bias, y, mean, variance); });
    c.expect(c.read(y), want_y, 5 * c.tolerance());
    c.expect(mean, want.mean);
    c.expect(variance, want.variance);
    plan->forward(x, weight, bias, y);
    if (affine) check_backward(c, *plan, x, weight, t);
    c.expect_exact(x, t.x);
  }
}

std::vector<GroupNormSpec> problems() {
  return {{1, 1, 2, 1, 1e-3}, {7, 1, 17, 1, 1e-3},       {70, 1, 5, 1, 1e-3},
          {3, 1, 6, 3, 1e-3}, {3, 5, 6, 2, 1e-3},        {2, 4, 3, 3, 1e-3},
          {2, 7, 4, 1, 1e-3}, {5, 1, 9, 1, 1e-3, false}, {2, 3, 4, 2, 1e-2, false}};
}

}  // namespace

OP_CASE("GroupNormPlan::forward", "normalises every group of every example") {
  on_all_handlers([](OpCase& c) {
    for (const auto& s : problems()) check(c, s, false);
  });
}

OP_CASE("GroupNormPlan::backward", "is the derivative for input and parameters") {
  on_all_handlers([](OpCase& c) {
    for (const auto& s : problems()) check(c, s, true);
  });
}

OP_CASE("GroupNormPlan::forward", "agrees between fast and reference plan on larger examples") {
  on_all_handlers([](OpCase& c) {
    for (const GroupNormSpec& s : {GroupNormSpec{257, 1, 515}, GroupNormSpec{9, 123, 68, 4}}) {
      const State t = random_state(c, s);
      const Shape whole{s.examples, s.pixels, s.channels};
      const Tensor x = c.real(whole, t.x), weight = c.real({s.channels}, t.weight), dy = c.random(whole);
      std::vector<Values> results[2];
      for (const std::size_t fast : {std::size_t{0}, std::size_t{1}}) {
        const auto plan = fast == 1 ? c.h().norm().plan(s) : c.h().norm().reference(s);
        give_memory(c, *plan);
        const Tensor y = c.nans(whole), dx = c.nans(whole), dw = c.nans({s.channels}), db = c.nans({s.channels});
        plan->forward(x, weight, c.real({s.channels}, t.bias), y);
        plan->backward(x, weight, dy, Sink(dx), Sink(dw), Sink(db));
        for (const Tensor& one : {y, dx, dw, db}) results[fast].push_back(c.read(one));
      }
      for (std::size_t i = 0; i < results[0].size(); ++i) c.expect(results[1][i], results[0][i], c.tolerance());
    }
  });
}

OP_CASE("GroupNormPlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const auto plan = c.h().norm().plan(GroupNormSpec{2, 3, 4, 2});
    give_memory(c, *plan);
    const Tensor x = c.random({2, 3, 4}), w = c.random({4}), odd = c.random({5});
    expect_error([&] { plan->forward(odd, w, w, x); }, {"group norm forward", "x", "(5)", "(2, 3, 4)"});
    expect_error([&] { plan->forward(x, odd, w, x); }, {"group norm forward", "weight", "(5)", "(4)"});
    expect_error([&] { plan->forward(x, w, odd, x); }, {"group norm forward", "bias", "(5)", "(4)"});
    expect_error([&] { plan->forward(x, w, w, x, odd); }, {"group norm forward", "mean", "(5)", "(2, 2)"});
    expect_error([&] { plan->backward(x, w, odd, Sink(x), {}, {}); }, {"group norm backward", "dy", "(5)"});
    expect_error([&] { plan->backward(x, w, x, Sink(odd), {}, {}); }, {"group norm backward", "dx", "(5)"});
    expect_error([&] { plan->backward(x, w, x, {}, Sink(odd), {}); }, {"group norm backward", "dweight", "(5)"});
    expect_error([&] { c.h().norm().plan(GroupNormSpec{2, 3, 4, 3}); }, {"4 channels do not make 3 equal groups"});
    expect_error([&] { c.h().norm().reference(GroupNormSpec{2, 3, 4, 2, -1}); }, {"group norm", "epsilon", "-1"});
  });
}

OP_CASE("BatchNormPlan::forward", "keeps means and variances the way PyTorch does") {
  on_all_handlers([](OpCase& c) {
    for (const bool fast : {true, false})
      for (const bool unbiased : {true, false}) {
        BatchNormSpec s{3, 1, 0.75, 0.0, Running::Variance, unbiased};
        const auto plan = fast ? c.h().norm().plan(s) : c.h().norm().reference(s);
        give_memory(c, *plan);
        const Tensor x = c.real({3, 1}, {1, 3, 8}), mu = c.real({1}, {2}), sigma = c.real({1}, {4});
        const Tensor y = c.nans({3, 1});
        plan->forward(x, {}, {}, mu, sigma, false, y);
        c.expect(y, {-0.5, 0.5, 3});
        plan->forward(x, {}, {}, mu, sigma, true, y);
        const double spread = std::sqrt(26.0 / 3);
        c.expect(y, {-3 / spread, -1 / spread, 4 / spread});
        c.expect(mu, {0.75 * 2 + 0.25 * 4});
        c.expect(sigma, {0.75 * 4 + 0.25 * (unbiased ? 13.0 : 26.0 / 3)});
        plan->forward(x, {}, {}, {}, {}, true, y);  // without statistics
        c.expect(y, {-3 / spread, -1 / spread, 4 / spread});
      }
  });
}

OP_CASE("BatchNormPlan::forward", "averages statistics over all passes when they are cumulative") {
  on_all_handlers([](OpCase& c) {
    for (const bool fast : {true, false}) {
      BatchNormSpec s{2, 2, 0.9, 1e-5, Running::Variance, true, true};
      const auto plan = fast ? c.h().norm().plan(s) : c.h().norm().reference(s);
      give_memory(c, *plan);
      const Tensor mu = c.real({2}, {50, 60}), sigma = c.real({2}, {70, 80}), count = c.real({1}, {0});
      const Tensor y = c.nans({2, 2});
      plan->forward(c.real({2, 2}, {1, 2, 3, 6}), {}, {}, mu, sigma, true, y, count);
      plan->forward(c.real({2, 2}, {5, 0, 7, 2}), {}, {}, mu, sigma, true, y, count);
      c.expect(count, {2});
      c.expect(mu, {4, 2.5});
      c.expect(sigma, {2, 5});
      expect_error([&] { plan->forward(y, {}, {}, mu, sigma, true, y); }, {"batch norm", "count"});
    }
  });
}

OP_CASE("BatchNormPlan::backward", "is the same for variances as for deviations that mean the same") {
  on_all_handlers([](OpCase& c) {
    for (const bool fast : {true, false})
      for (const bool training : {true, false}) {
        const Tensor x = c.random({9, 3}), dy = c.random({9, 3});
        Values results[2];
        for (const bool variance : {false, true}) {
          BatchNormSpec s{9, 3, 0.9, 0.5};
          if (variance) s.running = Running::Variance;
          const auto plan = fast ? c.h().norm().plan(s) : c.h().norm().reference(s);
          give_memory(c, *plan);
          const Tensor mu = c.real({3}, variance ? Values{1, 2, 3} : Values{-1, -2, -3});
          const Tensor sigma = c.constant({3}, variance ? 3.5 : 2.0);
          const Tensor y = c.nans({9, 3}), dx = c.nans({9, 3});
          plan->forward(x, {}, {}, mu, sigma, training, y);
          plan->backward(x, {}, mu, sigma, training, dy, Sink(dx), {}, {});
          results[variance ? 1 : 0] = c.read(dx);
        }
        c.expect(results[0], results[1], c.tolerance());
      }
  });
}
