// Batch normalisation, fast and reference: formulas in double forward, finite differences of them backward.
#include "squall/core/ops/norm.hpp"
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct State {
  Values x, gamma, beta, mu, sigma;
};

State random_state(OpCase& c, const BatchNormSpec& s) {
  return {c.read(c.random({s.rows, s.channels}, -1, 3)), c.read(c.random({s.channels}, 0.5, 2)),
          c.read(c.random({s.channels})), c.read(c.random({s.channels})), c.read(c.random({s.channels}, 0.5, 2))};
}

// y; moves mu and sigma of the state in training.
Values forward(const BatchNormSpec& s, State& t, bool training) {
  Values y(t.x.size());
  for (Index k = 0; k < s.channels && s.rows > 0; ++k) {
    double shift = t.mu[at(k)], spread = t.sigma[at(k)];
    if (training) {
      double mean = 0, variance = 0;
      for (Index r = 0; r < s.rows; ++r) mean += t.x[at(r * s.channels + k)] / static_cast<double>(s.rows);
      for (Index r = 0; r < s.rows; ++r) {
        const double d = t.x[at(r * s.channels + k)] - mean;
        variance += d * d / static_cast<double>(s.rows);
      }
      shift = -mean;
      spread = std::sqrt(variance + s.epsilon);
      t.mu[at(k)] = s.decay * t.mu[at(k)] + (1 - s.decay) * shift;
      t.sigma[at(k)] = s.decay * t.sigma[at(k)] + (1 - s.decay) * spread;
    }
    for (Index r = 0; r < s.rows; ++r) {
      const std::size_t i = at(r * s.channels + k);
      y[i] = (t.x[i] + shift) / spread * t.gamma[at(k)] + t.beta[at(k)];
    }
  }
  return y;
}

// Derivative of sum(y dy) by each element of a member, by central differences.
Values slope(const BatchNormSpec& s, const State& t, Values State::*member, const Values& dy, bool training) {
  Values out;
  const double h = 1e-5;
  for (std::size_t i = 0; i < (t.*member).size(); ++i) {
    double sums[2] = {0, 0};
    for (const int side : {0, 1}) {
      State moved = t;
      (moved.*member)[i] += side == 0 ? -h : h;
      const Values y = forward(s, moved, training);
      for (std::size_t j = 0; j < y.size(); ++j) sums[side] += y[j] * dy[j];
    }
    out.push_back((sums[1] - sums[0]) / (2 * h));
  }
  return out;
}

struct OnDevice {
  Tensor x, gamma, beta, mu, sigma;
  OnDevice(OpCase& c, const BatchNormSpec& s, const State& t)
      : x(c.real({s.rows, s.channels}, t.x)),
        gamma(c.real({s.channels}, t.gamma)),
        beta(c.real({s.channels}, t.beta)),
        mu(c.real({s.channels}, t.mu)),
        sigma(c.real({s.channels}, t.sigma)) {}
};

void check_backward(OpCase& c, BatchNormPlan& plan, const OnDevice& d, const State& t, bool training) {
  const BatchNormSpec& s = plan.spec();
  const Values dy = c.read(c.random({s.rows, s.channels}));
  const Tensor delta = c.real({s.rows, s.channels}, dy);
  const Values want_dx = slope(s, t, &State::x, dy, training);
  const Values want_dgamma = slope(s, t, &State::gamma, dy, training);
  const Values want_dbeta = slope(s, t, &State::beta, dy, training);
  const double tolerance = std::max(c.tolerance(), 1e-8);  // that of the differences
  for (int wanted = 1; wanted < 8; ++wanted) {
    for (const Write mode : {Write::Overwrite, Write::Add}) {
      const double start = mode == Write::Add ? 2 : kNaN;
      const auto sink = [&](bool on, const Shape& shape) { return on ? Sink(c.constant(shape, start), mode) : Sink(); };
      const Sink dx = sink((wanted & 1) != 0, {s.rows, s.channels});
      const Sink dgamma = sink((wanted & 2) != 0, {s.channels});
      const Sink dbeta = sink((wanted & 4) != 0, {s.channels});
      without_allocation(c, [&] { plan.backward(d.x, d.gamma, d.mu, d.sigma, training, delta, dx, dgamma, dbeta); });
      const auto compare = [&](const Sink& got, Values values) {
        for (double& v : values) v += mode == Write::Add ? 2 : 0;
        if (got) c.expect(c.read(got.to), values, 5 * tolerance);
      };
      compare(dx, want_dx);
      compare(dgamma, want_dgamma);
      compare(dbeta, want_dbeta);
    }
  }
}

void check(OpCase& c, const BatchNormSpec& s, bool training) {
  const State t = random_state(c, s);
  for (const bool fast : {true, false}) {
    const auto plan = fast ? c.h().norm().plan(s) : c.h().norm().reference(s);
    INFO(plan->kind() << ": " << s.rows << "x" << s.channels << (training ? ", training" : ""));
    give_memory(c, *plan);
    State moved = t;
    const Values want = forward(s, moved, training);
    const OnDevice d(c, s, t);
    const Tensor y = c.nans({s.rows, s.channels});
    without_allocation(c, [&] { plan->forward(d.x, d.gamma, d.beta, d.mu, d.sigma, training, y); });
    c.expect(c.read(y), want, 5 * c.tolerance());
    c.expect(d.mu, moved.mu);
    c.expect(d.sigma, moved.sigma);
    if (!training) {
      c.expect_exact(d.mu, t.mu);
      c.expect_exact(d.sigma, t.sigma);
    }
    check_backward(c, *plan, d, t, training);
    c.expect_exact(d.x, t.x);
  }
}

}  // namespace

OP_CASE("BatchNormPlan::forward", "normalises by the batch and moves the running statistics") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : std::vector<std::pair<Index, Index>>{{2, 1}, {3, 17}, {17, 3}, {65, 5}, {0, 3}, {3, 0}})
      check(c, {size.first, size.second, 0.75, 1e-3}, true);
  });
}

OP_CASE("BatchNormPlan::backward", "takes running statistics as constants outside training") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : std::vector<std::pair<Index, Index>>{{1, 1}, {3, 17}, {17, 3}, {65, 5}, {0, 3}, {3, 0}})
      check(c, {size.first, size.second, 0.75, 1e-3}, false);
  });
}

OP_CASE("BatchNormPlan::forward", "stores the mean negated and the spread with epsilon") {
  on_all_handlers([](OpCase& c) {
    for (const bool fast : {true, false}) {
      const BatchNormSpec s{2, 1, 0.5, 0.0};
      const auto plan = fast ? c.h().norm().plan(s) : c.h().norm().reference(s);
      give_memory(c, *plan);
      const Tensor mu = c.real({1}, {1}), sigma = c.real({1}, {1}), y = c.nans({2, 1});
      plan->forward(c.real({2, 1}, {3, 7}), c.real({1}, {1}), c.real({1}, {0}), mu, sigma, true, y);
      c.expect(y, {-1, 1});
      c.expect(mu, {0.5 * 1 + 0.5 * -5});
      c.expect(sigma, {0.5 * 1 + 0.5 * 2});
    }
  });
}

OP_CASE("BatchNormPlan::forward", "agrees between fast and reference plan on a larger batch") {
  on_all_handlers([](OpCase& c) {
    const BatchNormSpec s{1009, 67};
    const State t = random_state(c, s);
    std::vector<Values> results[2];
    const Values dy = c.read(c.random({s.rows, s.channels}));
    for (const std::size_t fast : {std::size_t{0}, std::size_t{1}}) {
      const auto plan = fast == 1 ? c.h().norm().plan(s) : c.h().norm().reference(s);
      give_memory(c, *plan);
      const OnDevice d(c, s, t);
      const Tensor y = c.nans({s.rows, s.channels}), dx = c.nans({s.rows, s.channels});
      const Tensor dgamma = c.nans({s.channels}), dbeta = c.nans({s.channels});
      plan->forward(d.x, d.gamma, d.beta, d.mu, d.sigma, true, y);
      plan->backward(d.x, d.gamma, d.mu, d.sigma, true, c.real({s.rows, s.channels}, dy), Sink(dx), Sink(dgamma),
                     Sink(dbeta));
      for (const Tensor& one : {y, d.mu, d.sigma, dx, dgamma, dbeta}) results[fast].push_back(c.read(one));
    }
    for (std::size_t i = 0; i < results[0].size(); ++i) c.expect(results[1][i], results[0][i], c.tolerance());
  });
}

OP_CASE("BatchNormPlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const auto plan = c.h().norm().plan(BatchNormSpec{4, 3});
    give_memory(c, *plan);
    const Tensor x = c.random({4, 3}), v = c.random({3}, 0.5, 1), odd = c.random({5});
    const auto run = [&](const Tensor& xx, const Tensor& g, const Tensor& b, const Tensor& m, const Tensor& s,
                         const Tensor& y) { plan->forward(xx, g, b, m, s, true, y); };
    expect_error([&] { run(odd, v, v, v, v, x); }, {"batch norm", "x", "(5)", "(4, 3)"});
    expect_error([&] { run(x, odd, v, v, v, x); }, {"batch norm", "gamma", "(5)", "(3)"});
    expect_error([&] { run(x, v, odd, v, v, x); }, {"batch norm", "beta", "(5)", "(3)"});
    expect_error([&] { run(x, v, v, odd, v, x); }, {"batch norm", "mu", "(5)", "(3)"});
    expect_error([&] { run(x, v, v, v, odd, x); }, {"batch norm", "sigma", "(5)", "(3)"});
    expect_error([&] { run(x, v, v, v, v, odd); }, {"batch norm", "y", "(5)", "(4, 3)"});
    const auto back = [&](const Tensor& xx, const Tensor& g, const Tensor& m, const Tensor& s, const Tensor& dy,
                          const Sink& dx, const Sink& dg,
                          const Sink& db) { plan->backward(xx, g, m, s, true, dy, dx, dg, db); };
    expect_error([&] { back(odd, v, v, v, x, {}, {}, {}); }, {"batch norm backward", "x", "(5)"});
    expect_error([&] { back(x, odd, v, v, x, {}, {}, {}); }, {"batch norm backward", "gamma", "(5)"});
    expect_error([&] { back(x, v, odd, v, x, {}, {}, {}); }, {"batch norm backward", "mu", "(5)"});
    expect_error([&] { back(x, v, v, odd, x, {}, {}, {}); }, {"batch norm backward", "sigma", "(5)"});
    expect_error([&] { back(x, v, v, v, odd, {}, {}, {}); }, {"batch norm backward", "dy", "(5)"});
    expect_error([&] { back(x, v, v, v, x, odd, {}, {}); }, {"batch norm backward", "dx", "(5)"});
    expect_error([&] { back(x, v, v, v, x, {}, odd, {}); }, {"batch norm backward", "dgamma", "(5)"});
    expect_error([&] { back(x, v, v, v, x, {}, {}, odd); }, {"batch norm backward", "dbeta", "(5)"});
    expect_error([&] { c.h().norm().plan(BatchNormSpec{-1, 3}); }, {"batch norm", "rows", "-1"});
    expect_error([&] { c.h().norm().plan(BatchNormSpec{1, -3}); }, {"batch norm", "channels", "-3"});
    expect_error([&] { c.h().norm().plan(BatchNormSpec{1, 3, 1.5}); }, {"batch norm", "decay", "1.5"});
    expect_error([&] { c.h().norm().reference(BatchNormSpec{1, 3, 0.5, -1}); }, {"batch norm", "epsilon", "-1"});
  });
}
