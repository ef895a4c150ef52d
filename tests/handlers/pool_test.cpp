// Pooling plans, fast and reference, against a walk over pixels in double.
#include "squall/core/ops/conv.hpp"
#include "support/op_case_plan.hpp"
#include "support/op_case_windows.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct Pooled {
  Values y;
  std::vector<Index> place;  // of each maximum in x, -1 where there is none
  Values count;              // pixels inside the image, at least 1
};

Pooled forward(const WindowCase& w, PoolKind kind, const Values& x) {
  const Index channels = w.window.channels;
  const std::size_t n = at(windows_of(w) * channels);
  Pooled p{Values(n, 0.0), std::vector<Index>(n, -1), Values(n, 0.0)};
  for_each_pixel(w, [&](Index row, Index, Index pixel) {
    for (Index k = 0; k < channels && pixel >= 0; ++k) {
      const std::size_t i = at(row * channels + k);
      const double v = x[at(pixel + k)];
      p.count[i] += 1;
      if (kind == PoolKind::Avg) p.y[i] += v;
      if (kind == PoolKind::Max && (p.place[i] < 0 || v > p.y[i])) p.y[i] = v, p.place[i] = pixel + k;
    }
  });
  for (std::size_t i = 0; i < n; ++i) {
    p.count[i] = std::max(p.count[i], 1.0);
    if (kind == PoolKind::Avg) p.y[i] /= p.count[i];
  }
  return p;
}

Values backward(const WindowCase& w, PoolKind kind, const Pooled& p, const Values& dy) {
  const Index channels = w.window.channels;
  Values dx(at(image_shape(w).elements()), 0.0);
  for (std::size_t i = 0; kind == PoolKind::Max && i < dy.size(); ++i)
    if (p.place[i] >= 0) dx[at(p.place[i])] += dy[i];
  for_each_pixel(w, [&](Index row, Index, Index pixel) {
    for (Index k = 0; k < channels && pixel >= 0 && kind == PoolKind::Avg; ++k)
      dx[at(pixel + k)] += dy[at(row * channels + k)] / p.count[at(row * channels + k)];
  });
  return dx;
}

void check(OpCase& c, const WindowCase& w, PoolKind kind, const Values& x, double tolerance) {
  const Pooled want = forward(w, kind, x);
  const Values dy = c.whole_values(map_shape(w, w.window.channels), -4, 4);
  const Values want_dx = backward(w, kind, want, dy);
  for (const bool fast : {true, false}) {
    const PoolSpec spec{w.images, w.window, kind};
    const auto plan = fast ? c.h().pool().plan(spec) : c.h().pool().reference(spec);
    INFO(plan->kind() << ": " << w.what << (kind == PoolKind::Max ? ", max" : ", avg"));
    give_memory(c, *plan);
    const Tensor images = c.real(image_shape(w), x);
    const Tensor y = c.nans(map_shape(w, w.window.channels));
    without_allocation(c, [&] { plan->forward(images, y); });
    c.expect(c.read(y), want.y, tolerance);
    const Tensor delta = c.real(map_shape(w, w.window.channels), dy);
    for (const Write mode : {Write::Overwrite, Write::Add}) {
      const Sink dx(c.constant(image_shape(w), mode == Write::Add ? 2 : kNaN), mode);
      without_allocation(c, [&] { plan->backward(delta, dx); });
      Values sum = want_dx;
      for (double& v : sum) v += mode == Write::Add ? 2 : 0;
      c.expect(c.read(dx.to), sum, tolerance);
    }
    plan->backward(delta, Sink());
    c.expect_exact(images, x);
    c.expect_exact(delta, dy);
  }
}

}  // namespace

OP_CASE("PoolPlan::forward", "max takes the first largest pixel inside the image") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug())) {
      check(c, w, PoolKind::Max, c.whole_values(image_shape(w), -3, -1), 0);  // ties, all below the padding's 0
      check(c, w, PoolKind::Max, c.read(c.random(image_shape(w))), 0);
    }
  });
}

OP_CASE("PoolPlan::backward", "avg shares among the pixels inside the image") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug()))
      check(c, w, PoolKind::Avg, c.read(c.random(image_shape(w))), c.tolerance());
    const WindowCase quarters{"quarters", 2, {8, 6, 3, 2, 2, 2, 2}};
    check(c, quarters, PoolKind::Avg, c.whole_values(image_shape(quarters), -9, 9), 0);
  });
}

OP_CASE("PoolPlan::forward", "a window in padding alone gives zero and sends nothing back") {
  on_all_handlers([](OpCase& c) {
    for (const PoolKind kind : {PoolKind::Max, PoolKind::Avg}) {
      for (const bool fast : {true, false}) {
        const PoolSpec spec{1, {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1}, kind};  // [0 0; 5 0]
        const auto plan = fast ? c.h().pool().plan(spec) : c.h().pool().reference(spec);
        give_memory(c, *plan);
        const Tensor y = c.nans({1, 2, 2, 1});
        plan->forward(c.real({1, 1, 1, 1}, {-5}), y);
        c.expect_exact(y, {0, 0, -5, 0});
        const Tensor dx = c.nans({1, 1, 1, 1});
        plan->backward(c.real({1, 2, 2, 1}, {100, 200, 3, 400}), Sink(dx));
        c.expect_exact(dx, {3});
      }
    }
  });
}

OP_CASE("PoolPlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const PoolSpec spec{2, {4, 4, 3, 2, 2, 2, 2}, PoolKind::Max};
    const auto plan = c.h().pool().plan(spec);
    give_memory(c, *plan);
    const Tensor x = c.random({2, 4, 4, 3}), y = c.random({2, 2, 2, 3});
    expect_error([&] { plan->forward(c.random({2, 4, 3, 4}), y); }, {"pooling", "x", "(2, 4, 3, 4)", "(2, 4, 4, 3)"});
    expect_error([&] { plan->forward(x, c.random({2, 2, 3, 2})); }, {"pooling", "y", "(2, 2, 3, 2)", "(2, 2, 2, 3)"});
    expect_error([&] { plan->forward(c.u8({2, 4, 4, 3}, Values(96, 1)), y); }, {"pooling", "x is u8"});
    expect_error([&] { plan->backward(c.random({3}), Sink(x)); }, {"pooling backward", "dy", "(3)", "(2, 2, 2, 3)"});
    expect_error([&] { plan->backward(y, Sink(c.random({3}))); }, {"pooling backward", "dx", "(3)", "(2, 4, 4, 3)"});
    expect_error([&] { c.h().pool().plan({2, {4, 4, 3, 5, 2}, PoolKind::Max}); }, {"pooling", "kernel 5x2", "4x4"});
    expect_error([&] { c.h().pool().reference({-2, {4, 4, 3}, PoolKind::Avg}); }, {"pooling", "images", "-2"});
  });
}

TEST_CASE("Kinds of pooling have names", "[ops]") {
  const auto names = enum_names(PoolKind::Max);
  REQUIRE(names.size() == 2);
  CHECK((names[0].name == "max" && names[0].value == PoolKind::Max));
  CHECK((names[1].name == "avg" && names[1].value == PoolKind::Avg));
}
