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

namespace {

// One output of a pool of one channel and one image: what it sees, what divides it.
struct Seen {
  std::vector<Index> pixels;
  double count = 0;
};

// Every output of `spec`, by its definition; axis by axis, from the width outwards.
std::vector<Seen> seen_by(const PoolSpec& spec) {
  std::vector<Seen> all{{{0}, 1}};
  for (int i = 0; i < 3; ++i) {
    const Axis a = spec.window.axis(i);
    const Index outputs = spec.out(i);
    std::vector<Seen> next;
    for (const Seen& outer : all) {
      for (Index o = 0; o < outputs; ++o) {
        std::vector<Index> inside;
        double count = 0;
        if (spec.is_adaptive()) {
          const Index end =
              static_cast<Index>(std::ceil(static_cast<double>((o + 1) * a.size) / static_cast<double>(outputs)));
          for (Index x = o * a.size / outputs; x < end; ++x) inside.push_back(x), ++count;
        } else {
          for (Index k = 0; k < a.kernel; ++k) {
            const Index x = o * a.stride - a.before + k * a.dilation;
            const bool there = x >= 0 && x < a.size;
            if (there) inside.push_back(x);
            const bool counts = spec.count_padding && x < a.size + a.after - spec.uncounted[at(i)];
            count += there || counts ? 1 : 0;
          }
        }
        Seen seen;
        seen.count = outer.count * count;
        for (const Index p : outer.pixels)
          for (const Index x : inside) seen.pixels.push_back(p * a.size + x);
        next.push_back(seen);
      }
    }
    all = next;
  }
  return all;
}

void check_options(OpCase& c, const PoolSpec& spec, const char* what) {
  const Index channels = spec.window.channels;
  const std::vector<Seen> seen = seen_by(spec);
  const Shape in = spec.window.images(spec.images), out = spec.maps();
  const Values x = c.read(c.random(in)), dy = c.whole_values(out, -4, 4);
  Values y, place, dx(x.size(), 0.0);
  for (Index i = 0; i < out.elements(); ++i) {
    const Seen& s = seen[at(i / channels % static_cast<Index>(seen.size()))];
    const Index image = i / channels / static_cast<Index>(seen.size()) * spec.window.pixels();
    const auto element = [&](Index pixel) { return at((image + pixel) * channels + i % channels); };
    double sum = 0;
    Index best = -1;
    for (const Index p : s.pixels) {
      sum += x[element(p)];
      if (best < 0 || x[element(p)] > x[element(best)]) best = p;
    }
    const double divisor = spec.divisor > 0 ? static_cast<double>(spec.divisor) : std::max(1.0, s.count);
    const bool max = spec.kind == PoolKind::Max;
    y.push_back(max ? (best < 0 ? 0 : x[element(best)]) : sum / divisor);
    place.push_back(static_cast<double>(best));
    if (max && best >= 0) dx[element(best)] += dy[at(i)];
    for (const Index p : s.pixels) dx[element(p)] += max ? 0 : dy[at(i)] / divisor;
  }
  for (const bool fast : {true, false}) {
    const auto plan = fast ? c.h().pool().plan(spec) : c.h().pool().reference(spec);
    INFO(plan->kind() << ": " << what << (spec.kind == PoolKind::Max ? ", max" : ", avg"));
    give_memory(c, *plan);
    const Tensor got = c.nans(out), images = c.real(in, x), delta = c.real(out, dy);
    without_allocation(c, [&] { plan->forward(images, got); });
    c.expect(got, y);
    c.expect_sink(in, dx, [&](const Sink& sink) { plan->backward(delta, sink); });
    if (spec.kind == PoolKind::Avg) continue;
    const Tensor index = c.i32(out, Values(dy.size(), -7));
    plan->places(index);
    c.expect_exact(index, place);
  }
}

}  // namespace

OP_CASE("PoolPlan::places", "depth, dilation, what counts, rounding up and adaptive windows") {
  on_all_handlers([](OpCase& c) {
    for (const PoolKind kind : {PoolKind::Max, PoolKind::Avg}) {
      for (const WindowCase& w : kDeepWindowCases) {
        PoolSpec spec{w.images, w.window, kind};
        check_options(c, spec, w.what);
        if (kind == PoolKind::Max) continue;
        spec.count_padding = true;
        check_options(c, spec, w.what);
        spec.uncounted = {w.window.back, w.window.bottom, w.window.right};
        check_options(c, spec, w.what);
        spec.divisor = 3;
        check_options(c, spec, w.what);
      }
      for (const auto& adaptive : std::vector<std::array<Index, 3>>{{1, 1, 1}, {2, 3, 4}, {5, 7, 6}, {4, 9, 13}}) {
        PoolSpec spec{2, deep_window(5, {4}, {7}, {6}), kind};
        spec.adaptive = adaptive;
        check_options(c, spec, "adaptive");
      }
    }
    const auto max = c.h().pool().plan(PoolSpec{2, {4, 4, 3, 2, 2, 2, 2}, PoolKind::Max});
    give_memory(c, *max);
    expect_error([&] { max->places(c.i32({2}, {0, 0})); }, {"pooling places", "index", "(2, 2, 2, 3)"});
    const auto avg = c.h().pool().plan(PoolSpec{2, {4, 4, 3, 2, 2, 2, 2}, PoolKind::Avg});
    expect_error([&] { avg->places(c.i32({2}, {0, 0})); }, {"only maxima have a place"});
  });
}

TEST_CASE("Rounding up lets an incomplete window in, but none that starts in the padding", "[ops]") {
  Axis a{6, 3, 2, 1, 1, 1};
  REQUIRE(a.out() == 3);
  CHECK(a.round_up() == 1);
  CHECK(a.out() == 4);
  CHECK(a.round_up() == 0);
  Axis whole{5, 3, 2, 1, 0, 0};
  CHECK(whole.round_up() == 0);
  Axis late{4, 2, 3, 1, 1, 1};  // the third window would start at 5 - beyond the image
  REQUIRE(late.out() == 2);
  CHECK(late.round_up() == 0);
}

OP_CASE("PixelMapPlan::forward", "adds up weighted pixels") {
  on_all_handlers([](OpCase& c) {
    for (const Index channels : {0, 1, 3, 17}) {
      for (const Index taps : {1, 3}) {
        for (const bool weighted : {false, true}) {
          PixelMapSpec spec;
          spec.images = 3, spec.inputs = 7, spec.outputs = 70, spec.channels = channels, spec.taps = taps;
          for (Index i = 0; i < spec.outputs * taps; ++i) {
            spec.index.push_back(static_cast<std::int32_t>(i * 5 % 7));
            if (weighted) spec.weight.push_back(static_cast<double>(i % 4) - 1);
          }
          const Values x = c.whole_values({3, 7, channels}, -5, 5), dy = c.whole_values({3, 70, channels}, -5, 5);
          Values y(dy.size(), 0.0), dx(x.size(), 0.0);
          for (Index n = 0; n < 3; ++n)
            for (Index e = 0; e < spec.outputs * taps; ++e)
              for (Index k = 0; k < channels; ++k) {
                const double w = weighted ? spec.weight[at(e)] : 1;
                const std::size_t from = at((n * 7 + spec.index[at(e)]) * channels + k);
                const std::size_t to = at((n * 70 + e / taps) * channels + k);
                y[to] += w * x[from];
                dx[from] += w * dy[to];
              }
          for (const bool fast : {true, false}) {
            const auto plan = fast ? c.h().pool().plan(spec) : c.h().pool().reference(spec);
            INFO(plan->kind() << ", " << channels << " channels, " << taps << " taps");
            give_memory(c, *plan);
            const Tensor got = c.nans({3, 70, channels}), images = c.real({3, 7, channels}, x);
            without_allocation(c, [&] { plan->forward(images, got); });
            c.expect_exact(got, y);
            const Tensor delta = c.real({3, 70, channels}, dy);
            c.expect_sink_exact({3, 7, channels}, dx, [&](const Sink& sink) { plan->backward(delta, sink); });
          }
        }
      }
    }
  });
}

OP_CASE("PixelMapPlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    PixelMapSpec spec;
    spec.images = 2, spec.inputs = 3, spec.outputs = 4, spec.channels = 5;
    spec.index = {0, 1, 2, 0};
    const auto plan = c.h().pool().plan(spec);
    give_memory(c, *plan);
    const Tensor x = c.random({2, 3, 5}), y = c.random({2, 4, 5});
    expect_error([&] { plan->forward(y, y); }, {"pixel map", "x", "(2, 4, 5)", "(2, 3, 5)"});
    expect_error([&] { plan->forward(x, x); }, {"pixel map", "y", "(2, 3, 5)", "(2, 4, 5)"});
    expect_error([&] { plan->backward(x, Sink(x)); }, {"pixel map backward", "dy", "(2, 3, 5)"});
    expect_error([&] { plan->backward(y, Sink(y)); }, {"pixel map backward", "dx", "(2, 4, 5)"});
    spec.index = {0, 1, 3, 0};
    expect_error([&] { c.h().pool().plan(spec); }, {"pixel 3", "image of 3"});
    spec.index = {0, 1};
    expect_error([&] { c.h().pool().plan(spec); }, {"2 indices for 4 pixels"});
    spec.index = {0, 1, 2, 0};
    spec.weight = {1};
    expect_error([&] { c.h().pool().plan(spec); }, {"1 weights for 4 pixels"});
  });
}

TEST_CASE("Kinds of pooling have names", "[ops]") {
  const auto names = enum_names(PoolKind::Max);
  REQUIRE(names.size() == 2);
  CHECK((names[0].name == "max" && names[0].value == PoolKind::Max));
  CHECK((names[1].name == "avg" && names[1].value == PoolKind::Avg));
}

TEST_CASE("A pool of more taps than can be counted is refused, a huge one is not walked through", "[ops]") {
  const auto handler = make_handler("cpu:f32");
  PoolSpec spec;
  spec.images = 1;
  Window& w = spec.window;
  w.height = w.width = 8, w.channels = 3;
  w.kernel_h = w.kernel_w = Index{1} << 40;
  w.top = w.left = w.bottom = w.right = Index{1} << 40;
  expect_error([&] { handler->pool().plan(spec); }, {"pooling", "more than", "taps"});
  w.kernel_h = 1, w.top = w.bottom = 0, w.kernel_w = Index{1} << 16, w.left = w.right = w.kernel_w - 1;
  const auto taps = pool_taps(spec, 2);
  REQUIRE(static_cast<Index>(taps.size()) == w.out_w());
  CHECK(taps.front().first == w.kernel_w - 1);
  CHECK(taps.front().end == w.kernel_w);
}
