// Update rules, against the same rules written out in double; masked weights must not move.
#include "support/op_case.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// One weight with all that belongs to it.
struct Weight {
  double value, gradient, state0, state1;
};
using Rule = std::function<void(Weight&)>;
using Update = std::function<void(OptimOps&, const UpdateRange&)>;

// Runs the update three times on odd sizes with and without a mask.
void check_rule(OpCase& c, const Update& update, const Rule& rule) {
  for (const Index n : c.odd_sizes()) {
    for (const bool masked : {false, true}) {
      const Tensor value = c.random({n}), gradient = c.random({n}), s0 = c.random({n}), s1 = c.random({n}, 0, 1);
      const Values keep = c.whole_values({n}, 0, 1);
      const Values v = c.read(value), g = c.read(gradient), a = c.read(s0), b = c.read(s1);
      Values wv = v, wa = a, wb = b;
      for (std::size_t i = 0; i < v.size(); ++i) {
        Weight w{v[i], g[i], a[i], b[i]};
        for (int step = 0; step < 3; ++step) rule(w);
        if (masked && keep[i] == 0) continue;
        wv[i] = w.value, wa[i] = w.state0, wb[i] = w.state1;
      }
      const UpdateRange range{value, gradient, s0, s1, masked ? ConstTensor(c.u8({n}, keep)) : ConstTensor()};
      for (int step = 0; step < 3; ++step) update(c.h().optim(), range);
      c.expect(value, wv);
      c.expect(s0, wa);
      c.expect(s1, wb);
      c.expect_exact(gradient, g);
      for (std::size_t i = 0; masked && i < v.size(); ++i) {
        if (keep[i] != 0) continue;
        CHECK(c.read(value.slice(static_cast<Index>(i), 1))[0] == v[i]);
        CHECK(c.read(s0.slice(static_cast<Index>(i), 1))[0] == a[i]);
        CHECK(c.read(s1.slice(static_cast<Index>(i), 1))[0] == b[i]);
        if (n > 100) break;  // the sums above have seen the others
      }
    }
  }
}

// What every rule refuses; `needs_gradient` and `states` say what it asks for.
void check_refusals(OpCase& c, const std::string& who, const Update& update, bool needs_gradient, int states) {
  OptimOps& ops = c.h().optim();
  const auto whole = [&] { return UpdateRange{c.random({4}), c.random({4}), c.random({4}), c.random({4}), {}}; };
  UpdateRange p = whole();
  p.write = c.u8({3}, {1, 1, 1});
  expect_error([&] { update(ops, p); }, {who, "write mask", "(4)", "(3)"});
  p = whole();
  p.write = c.random({4});
  expect_error([&] { update(ops, p); }, {who, "write mask", "u8"});
  p = whole();
  p.value = c.i32({4}, {1, 1, 1, 1});
  expect_error([&] { update(ops, p); }, {who, "value is i32"});
  if (needs_gradient) {
    p = whole();
    p.gradient = c.random({3});
    expect_error([&] { update(ops, p); }, {who, "gradient", "(4)", "(3)"});
    p.gradient = {};
    expect_error([&] { update(ops, p); }, {who, "gradient is missing"});
    p.gradient = c.i32({4}, {1, 1, 1, 1});
    expect_error([&] { update(ops, p); }, {who, "gradient is i32"});
  }
  if (states >= 1) {
    p = whole();
    p.state0 = Tensor();
    expect_error([&] { update(ops, p); }, {who, "state is missing"});
    p.state0 = c.random({5});
    expect_error([&] { update(ops, p); }, {who, "state", "(4)", "(5)"});
  }
  if (states < 2) return;
  p = whole();
  p.state1 = Tensor();
  expect_error([&] { update(ops, p); }, {who, "second state is missing"});
}

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

OP_CASE("OptimOps::adam", "scales by the root of the second moment") {
  for (const double root_scale : {1.0, 1.7}) {
    const Update update = [=](OptimOps& ops, const UpdateRange& p) { ops.adam(p, 0.01, 0.9, 0.99, 1e-3, root_scale); };
    on_all_handlers([&](OpCase& c) {
      check_rule(c, update, [=](Weight& w) {
        w.state0 = 0.9 * w.state0 + 0.1 * w.gradient;
        w.state1 = 0.99 * w.state1 + 0.01 * w.gradient * w.gradient;
        w.value -= 0.01 * w.state0 / (std::sqrt(w.state1) * root_scale + 1e-3);
      });
      check_refusals(c, "adam", update, true, 2);
    });
  }
  on_all_handlers([](OpCase& c) {
    const UpdateRange p{c.random({2}), c.random({2}), c.random({2}), c.random({2}, 0, 1), {}};
    expect_error([&] { c.h().optim().adam(p, 0.1, 1.5, 0.9, 1e-8, 1); }, {"adam", "1.5"});
    expect_error([&] { c.h().optim().adam(p, 0.1, 0.9, -0.5, 1e-8, 1); }, {"adam", "-0.5"});
    expect_error([&] { c.h().optim().adam(p, 0.1, 0.9, 0.9, -1, 1); }, {"adam", "epsilon -1"});
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
