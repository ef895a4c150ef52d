// Runs update rules against the same rules written out in double; masked weights must not move.
#pragma once

#include "support/op_case.hpp"

namespace update_test {

using namespace squall;
using namespace squall::test;

// One weight with all that belongs to it.
struct Weight {
  double value, gradient, state0, state1, state2;
};
using Rule = std::function<void(Weight&)>;
using Update = std::function<void(OptimOps&, const UpdateRange&)>;

// Runs the update three times on odd sizes with and without a mask; the first state begins between low0 and 1.
inline void check_rule(OpCase& c, const Update& update, const Rule& rule, double low0 = -1) {
  for (const Index n : c.odd_sizes()) {
    for (const bool masked : {false, true}) {
      const Tensor value = c.random({n}), gradient = c.random({n}), s0 = c.random({n}, low0, 1);
      const Tensor s1 = c.random({n}, 0, 1), s2 = c.random({n}, 0, 0.01);
      const Values keep = c.whole_values({n}, 0, 1);
      const Values v = c.read(value), g = c.read(gradient), a = c.read(s0), b = c.read(s1), d = c.read(s2);
      Values wv = v, wa = a, wb = b, wd = d;
      for (std::size_t i = 0; i < v.size(); ++i) {
        Weight w{v[i], g[i], a[i], b[i], d[i]};
        for (int step = 0; step < 3; ++step) rule(w);
        if (masked && keep[i] == 0) continue;
        wv[i] = w.value, wa[i] = w.state0, wb[i] = w.state1, wd[i] = w.state2;
      }
      const UpdateRange range{value, gradient, s0, s1, s2, masked ? ConstTensor(c.u8({n}, keep)) : ConstTensor()};
      for (int step = 0; step < 3; ++step) update(c.h().optim(), range);
      c.expect(value, wv);
      c.expect(s0, wa);
      c.expect(s1, wb);
      c.expect(s2, wd);
      c.expect_exact(gradient, g);
      for (std::size_t i = 0; masked && i < v.size(); ++i) {
        if (keep[i] != 0) continue;
        CHECK(c.read(value.slice(static_cast<Index>(i), 1))[0] == v[i]);
        CHECK(c.read(s0.slice(static_cast<Index>(i), 1))[0] == a[i]);
        CHECK(c.read(s1.slice(static_cast<Index>(i), 1))[0] == b[i]);
        CHECK(c.read(s2.slice(static_cast<Index>(i), 1))[0] == d[i]);
        if (n > 100) break;  // the sums above have seen the others
      }
    }
  }
}

// What every rule refuses; `needs_gradient` and `states` say what it asks for.
inline void check_refusals(OpCase& c, const std::string& who, const Update& update, bool needs_gradient, int states) {
  OptimOps& ops = c.h().optim();
  const auto whole = [&] {
    return UpdateRange{c.random({4}), c.random({4}), c.random({4}), c.random({4}), c.random({4}), {}};
  };
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
  if (states < 3) return;
  p = whole();
  p.state2 = Tensor();
  expect_error([&] { update(ops, p); }, {who, "third state is missing"});
}

}  // namespace update_test
