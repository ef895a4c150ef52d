// Update rules, against the same rules written out in double; masked weights must not move.
#include "handlers/update_rule_check.hpp"

using namespace squall;
using namespace squall::test;
using namespace update_test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

OP_CASE("OptimOps::sgd", "steps against the gradient") {
  const Update update = [](OptimOps& ops, const UpdateRange& p) { ops.sgd(p, 0.1); };
  on_all_handlers([&](OpCase& c) {
    check_rule(c, update, [](Weight& w) { w.value -= 0.1 * w.gradient; });
    check_refusals(c, "sgd", update, true, 0);
  });
}

OP_CASE("OptimOps::momentum", "keeps a velocity") {
  const Update update = [](OptimOps& ops, const UpdateRange& p) { ops.momentum(p, 0.1, 0.9); };
  on_all_handlers([&](OpCase& c) {
    check_rule(c, update, [](Weight& w) {
      w.state0 = 0.9 * w.state0 - 0.1 * w.gradient;
      w.value += w.state0;
    });
    check_refusals(c, "momentum", update, true, 1);
  });
}

OP_CASE("OptimOps::nesterov_ahead", "moves to the look-ahead point") {
  const Update update = [](OptimOps& ops, const UpdateRange& p) { ops.nesterov_ahead(p, 0.9); };
  on_all_handlers([&](OpCase& c) {
    check_rule(c, update, [](Weight& w) {
      w.state0 *= 0.9;
      w.value += w.state0;
    });
    check_refusals(c, "nesterov_ahead", update, false, 1);
  });
}

OP_CASE("OptimOps::nesterov_correct", "applies the gradient taken there") {
  const Update update = [](OptimOps& ops, const UpdateRange& p) { ops.nesterov_correct(p, 0.1); };
  on_all_handlers([&](OpCase& c) {
    check_rule(c, update, [](Weight& w) {
      w.state0 -= 0.1 * w.gradient;
      w.value -= 0.1 * w.gradient;
    });
    check_refusals(c, "nesterov_correct", update, true, 1);
  });
}

OP_CASE("OptimOps::constrain_rows", "shortens long rows and leaves the others alone") {
  on_all_handlers([](OpCase& c) {
    for (const auto& size :
         std::vector<std::pair<Index, Index>>{{0, 3}, {3, 0}, {1, 1}, {17, 65}, {65, 3}, {5, 1009}}) {
      const Index rows = size.first, cols = size.second;
      Values v = c.read(c.random({rows, cols}));
      for (Index i = 0; i < rows * cols; i += 2) v[at(i)] *= static_cast<double>(i / std::max<Index>(cols, 1) % 3);
      const Matrix w = c.strided(rows, cols, cols + 2, v);
      const Values before = c.read(w);
      Values want = before;
      const double limit = 0.5 * std::sqrt(static_cast<double>(cols));
      std::vector<bool> shortened;
      for (Index i = 0; i < rows; ++i) {
        double norm = 0;
        for (Index j = 0; j < cols; ++j) norm += before[at(i * cols + j)] * before[at(i * cols + j)];
        norm = std::sqrt(norm);
        shortened.push_back(norm > limit);
        for (Index j = 0; j < cols && norm > limit; ++j) want[at(i * cols + j)] *= limit / norm;
      }
      c.h().optim().constrain_rows(w, std::max(limit, 0.1));
      if (cols == 0) continue;
      c.expect(w, want);
      const Values after = c.read(w);
      for (Index i = 0; i < rows * cols; ++i)
        if (!shortened[at(i / cols)]) CHECK(after[at(i)] == before[at(i)]);
    }
    const Tensor w = c.real({2, 2}, {3, 4, 0, 0});
    c.h().optim().constrain_rows(w, 1);
    c.expect(w, {0.6, 0.8, 0, 0});
    expect_error([&] { c.h().optim().constrain_rows(w, 0); }, {"constrain_rows", "limit 0"});
    expect_error([&] { c.h().optim().constrain_rows(c.i32({1, 1}, {1}), 1); }, {"constrain_rows", "i32"});
  });
}

OP_CASE("OptimOps::l1_decay", "adds the sign of each weight") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Values w = c.whole_values({n}, -2, 2);
      const Tensor g = c.whole({n}, -9, 9);
      Values want = c.read(g);
      for (std::size_t i = 0; i < w.size(); ++i) want[i] += 0.5 * (w[i] > 0 ? 1 : w[i] < 0 ? -1 : 0);
      c.h().optim().l1_decay(c.real({n}, w), 0.5, g);
      c.expect_exact(g, want);
    }
    const Tensor w = c.random({3});
    expect_error([&] { c.h().optim().l1_decay(w, 1, c.random({2})); }, {"l1_decay", "(3)", "(2)"});
    expect_error([&] { c.h().optim().l1_decay(w, 1, c.u8({3}, {1, 1, 1})); }, {"l1_decay", "gradient is u8"});
    expect_error([&] { c.h().optim().l1_decay(c.u8({3}, {1, 1, 1}), 1, w); }, {"l1_decay", "weights is u8"});
  });
}

OP_CASE("OptimOps::l2_decay", "adds a share of each weight") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Values w = c.whole_values({n}, -9, 9);
      const Tensor g = c.whole({n}, -9, 9);
      Values want = c.read(g);
      for (std::size_t i = 0; i < w.size(); ++i) want[i] += 0.25 * w[i];
      c.h().optim().l2_decay(c.real({n}, w), 0.25, g);
      c.expect_exact(g, want);
    }
    const Tensor w = c.random({3});
    expect_error([&] { c.h().optim().l2_decay(w, 1, c.random({2})); }, {"l2_decay", "(3)", "(2)"});
    expect_error([&] { c.h().optim().l2_decay(w, 1, c.u8({3}, {1, 1, 1})); }, {"l2_decay", "gradient is u8"});
    expect_error([&] { c.h().optim().l2_decay(c.u8({3}, {1, 1, 1}), 1, w); }, {"l2_decay", "weights is u8"});
  });
}

OP_CASE("OptimOps::power_sum", "sums powers of absolute values or finds the largest") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Tensor x = c.random({n}, -2, 2);
      for (const double power : {1.0, 2.0, 3.0, 0.5, std::numeric_limits<double>::infinity()}) {
        double want = 0;
        for (const double v : c.read(x))
          want = std::isinf(power) ? std::max(want, std::abs(v)) : want + std::pow(std::abs(v), power);
        CHECK(c.h().optim().power_sum(x, power) == Approx(want).epsilon(c.tolerance()));
      }
    }
    expect_error([&] { c.h().optim().power_sum(c.random({2}), 0); }, {"power_sum", "power 0"});
    expect_error([&] { c.h().optim().power_sum(c.i32({1}, {1}), 2); }, {"power_sum", "i32"});
  });
}

TEST_CASE("The largest of numbers with a NaN among them is NaN") {
  on_all_handlers([](OpCase& c) {
    if (c.debug()) return;
    const Tensor x = c.real({3}, {1, kNaN, 2});
    CHECK(std::isnan(c.h().optim().power_sum(x, std::numeric_limits<double>::infinity())));
    CHECK(std::isnan(c.h().optim().power_sum(x, 2)));
  });
}
