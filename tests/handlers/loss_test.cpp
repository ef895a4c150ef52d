// Criteria, fast and reference, against formulas in double.
#include "squall/core/ops/loss.hpp"
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

const double kClip = -std::log(1e-6);

Values cross_entropy(const Values& x, const Values& targets, std::size_t classes) {
  Values out;
  for (std::size_t r = 0; r < targets.size(); ++r) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(r * classes);
    const double top = *std::max_element(first, first + static_cast<std::ptrdiff_t>(classes));
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += std::exp(x[r * classes + k] - top);
    out.push_back(std::min(kClip, top + std::log(sum) - x[r * classes + static_cast<std::size_t>(targets[r])]));
  }
  return out;
}

void check(OpCase& c, SoftmaxCePlan& plan, const Values& x, const Values& targets) {
  const Index rows = plan.spec().rows, classes = plan.spec().classes;
  INFO(plan.kind() << ": " << rows << "x" << classes);
  give_memory(c, plan);
  const Tensor xs = c.real({rows, classes}, x), ts = c.i32({rows}, targets);
  const Tensor p = c.nans({rows, classes}), loss = c.nans({rows, 1});
  const Values want = classes == 0 ? Values{} : naive::softmax(x, at(classes));
  without_allocation(c, [&] { plan.forward(xs, ts, p, loss); });
  c.expect(p, want);
  if (classes > 0) c.expect(loss, cross_entropy(x, targets, at(classes)));
  const Tensor alone = c.nans({rows, classes});
  plan.forward(xs, {}, alone, {});
  c.expect(alone, want);
  c.expect_exact(xs, x);
  const Tensor dloss = c.random({rows});
  const Values d = c.read(dloss), pv = c.read(p);
  Values dx = pv;
  for (std::size_t i = 0; i < dx.size(); ++i) {
    const std::size_t r = i / at(classes);
    dx[i] = (pv[i] - (targets[r] == static_cast<double>(i % at(classes)) ? 1 : 0)) * d[r];
  }
  c.expect_sink({rows, classes}, dx,
                [&](const Sink& out) { without_allocation(c, [&] { plan.backward(p, ts, dloss, out); }); });
}

}  // namespace

OP_CASE("SoftmaxCePlan::forward", "and backward agree with the formulas") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size : std::vector<std::pair<Index, Index>>{
             {1, 1}, {1, 2}, {3, 17}, {17, 3}, {65, 63}, {1009, 10}, {4099, 19}, {5, 1009}, {0, 4}, {3, 0}}) {
      const SoftmaxCeSpec s{size.first, size.second};
      const Values x = c.read(c.random({s.rows, s.classes}, -4, 4));
      const Values targets = c.whole_values({s.rows}, 0, std::max<Index>(0, s.classes - 1));
      check(c, *c.h().loss().plan(s), x, targets);
      check(c, *c.h().loss().reference(s), x, targets);
    }
  });
}

OP_CASE("SoftmaxCePlan::backward", "keeps the gradient where the loss is clipped") {
  on_all_handlers([](OpCase& c) {
    const SoftmaxCeSpec s{3, 2};
    for (const auto& plan : {c.h().loss().plan(s), c.h().loss().reference(s)}) {
      check(c, *plan, {1000, 0, -1000, 1000, 3e4, 3e4}, {1, 1, 0});
      const Tensor x = c.real({3, 2}, {1000, 0, -1000, 1000, 3e4, 3e4}), t = c.i32({3}, {1, 1, 0});
      const Tensor p = c.nans({3, 2}), loss = c.nans({3}), dx = c.nans({3, 2});
      plan->forward(x, t, p, loss);
      c.expect(loss, {kClip, 0, std::log(2.0)});
      plan->backward(p, t, c.constant({3}, 1), Sink(dx));
      c.expect(dx, {1, -1, 0, 0, -0.5, 0.5});
    }
  });
}

OP_CASE("SoftmaxCePlan::forward", "names a target that is no class") {
  on_all_handlers([](OpCase& c) {
    const SoftmaxCeSpec s{4, 3};
    for (const auto& plan : {c.h().loss().plan(s), c.h().loss().reference(s)}) {
      give_memory(c, *plan);
      const Tensor x = c.random({4, 3}), p = c.nans({4, 3}), loss = c.nans({4});
      for (const double bad : {3.0, -1.0, 7.0}) {
        const auto text = std::to_string(static_cast<int>(bad));
        expect_error<DataError>(
            [&] {
              plan->forward(x, c.i32({4}, {0, 2, bad, 1}), p, loss);
            },
            {"target " + text, "row 2", "0..2"});
      }
    }
  });
}

OP_CASE("SoftmaxCePlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const auto plan = c.h().loss().plan({4, 3});
    give_memory(c, *plan);
    const Tensor x = c.random({4, 3}), t = c.i32({4}, {0, 1, 2, 0}), v = c.random({4}), odd = c.random({5});
    expect_error([&] { plan->forward(odd, t, x, v); }, {"softmax cross entropy", "x", "(5)", "(4, 3)"});
    expect_error([&] { plan->forward(x, c.i32({3}, {0, 1, 2}), x, v); }, {"targets", "(3)", "(4)"});
    expect_error([&] { plan->forward(x, v, x, v); }, {"targets", "i32"});
    expect_error([&] { plan->forward(x, t, odd, v); }, {"softmax cross entropy", "p", "(5)", "(4, 3)"});
    expect_error([&] { plan->forward(x, t, x, odd); }, {"softmax cross entropy", "loss", "(5)", "(4)"});
    expect_error([&] { plan->forward(x, {}, x, v); }, {"softmax cross entropy", "needs targets"});
    expect_error([&] { plan->backward(odd, t, v, Sink(x)); }, {"backward", "p", "(5)"});
    expect_error([&] { plan->backward(x, {}, v, Sink(x)); }, {"backward", "targets", "missing"});
    expect_error([&] { plan->backward(x, t, odd, Sink(x)); }, {"backward", "dloss", "(5)"});
    expect_error([&] { plan->backward(x, t, v, Sink(odd)); }, {"backward", "dx", "(5)"});
    expect_error([&] { c.h().loss().plan({-1, 3}); }, {"softmax cross entropy", "rows", "-1"});
    expect_error([&] { c.h().loss().reference({1, -3}); }, {"softmax cross entropy", "classes", "-3"});
  });
}

OP_CASE("LossOps::sigmoid_ce", "gives probabilities and losses without overflow") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Tensor x = c.random({n}, -8, 8), t = c.random({n}, 0, 1);
      const Values xv = c.read(x), tv = c.read(t);
      Values y, loss;
      for (std::size_t i = 0; i < xv.size(); ++i) {
        y.push_back(naive::sigmoid(xv[i]));
        const double softplus = std::max(xv[i], 0.0) + std::log1p(std::exp(-std::abs(xv[i])));
        loss.push_back(softplus - tv[i] * xv[i]);
      }
      const Tensor gy = c.nans({n}), gl = c.nans({n});
      c.h().loss().sigmoid_ce(x, t, gy, gl);
      c.expect(gy, y);
      c.expect(gl, loss);
      const Tensor alone = c.nans({n});
      c.h().loss().sigmoid_ce(x, {}, alone, {});
      c.expect(alone, y);
    }
    const Tensor y = c.nans({4}), loss = c.nans({4});
    c.h().loss().sigmoid_ce(c.real({4}, {1000, -1000, 1000, -1000}), c.real({4}, {1, 0, 0, 1}), y, loss);
    c.expect(y, {1, 0, 1, 0});
    c.expect(loss, {0, 0, kClip, kClip});
  });
}

OP_CASE("LossOps::sigmoid_ce", "refuses operands that do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().loss();
    const Tensor x = c.random({4}), odd = c.random({5}), bytes = c.u8({4}, Values(4, 1));
    expect_error([&] { ops.sigmoid_ce(x, x, odd, x); }, {"sigmoid_ce", "(4)", "y (5)"});
    expect_error([&] { ops.sigmoid_ce(x, odd, x, x); }, {"sigmoid_ce", "targets (5)"});
    expect_error([&] { ops.sigmoid_ce(x, x, x, odd); }, {"sigmoid_ce", "loss (5)"});
    expect_error([&] { ops.sigmoid_ce(x, {}, x, x); }, {"sigmoid_ce", "needs targets"});
    expect_error([&] { ops.sigmoid_ce(bytes, x, x, x); }, {"sigmoid_ce", "x is u8"});
    expect_error([&] { ops.sigmoid_ce(x, bytes, x, x); }, {"sigmoid_ce", "targets is u8"});
    expect_error([&] { ops.sigmoid_ce(x, x, bytes, x); }, {"sigmoid_ce", "y is u8"});
    expect_error([&] { ops.sigmoid_ce(x, x, x, bytes); }, {"sigmoid_ce", "loss is u8"});
  });
}

OP_CASE("LossOps::sigmoid_ce_back", "is the difference times the delta") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().loss();
    for (const Index n : c.odd_sizes()) {
      const Tensor y = c.random({n}, 0, 1), t = c.random({n}, 0, 1), dloss = c.random({n});
      const Values yv = c.read(y), tv = c.read(t), dv = c.read(dloss);
      Values want;
      for (std::size_t i = 0; i < yv.size(); ++i) want.push_back((yv[i] - tv[i]) * dv[i]);
      c.expect_sink({n}, want, [&](const Sink& dx) { ops.sigmoid_ce_back(y, t, dloss, dx); });
    }
    const Tensor x = c.random({4}), odd = c.random({5}), bytes = c.u8({4}, Values(4, 1));
    expect_error([&] { ops.sigmoid_ce_back(x, odd, x, Sink(x)); }, {"sigmoid_ce_back", "targets (5)"});
    expect_error([&] { ops.sigmoid_ce_back(x, x, odd, Sink(x)); }, {"sigmoid_ce_back", "dloss (5)"});
    expect_error([&] { ops.sigmoid_ce_back(x, x, x, Sink(odd)); }, {"sigmoid_ce_back", "dx (5)"});
    expect_error([&] { ops.sigmoid_ce_back(bytes, x, x, Sink(x)); }, {"sigmoid_ce_back", "y is u8"});
    expect_error([&] { ops.sigmoid_ce_back(x, bytes, x, Sink(x)); }, {"sigmoid_ce_back", "targets is u8"});
    expect_error([&] { ops.sigmoid_ce_back(x, x, bytes, Sink(x)); }, {"sigmoid_ce_back", "dloss is u8"});
    expect_error([&] { ops.sigmoid_ce_back(x, x, x, Sink(bytes)); }, {"sigmoid_ce_back", "dx is u8"});
  });
}
