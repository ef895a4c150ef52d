// Convolution plans, fast and reference, against a walk over pixels in double.
#include "squall/core/ops/conv.hpp"
#include "support/op_case_plan.hpp"
#include "support/op_case_windows.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct Operands {
  Values x, w, b, dy;
};

ConvSpec spec_of(const WindowCase& w, Index filters, Activation f, bool bias) {
  ConvSpec s;
  s.images = w.images;
  s.window = w.window;
  s.filters = filters;
  s.activation = f;
  s.bias = bias;
  return s;
}

ConvSpec grouped(ConvSpec s, Index groups) {
  s.groups = groups;
  return s;
}

Shape kernel_shape(const ConvSpec& s) { return s.window.filters(s.filters, s.group_channels()); }

Operands operands(OpCase& c, const WindowCase& w, const ConvSpec& s, bool whole) {
  const auto make = [&](const Shape& shape) { return whole ? c.whole_values(shape, -3, 3) : c.read(c.random(shape)); };
  return {make(image_shape(w)), make(kernel_shape(s)), make({s.filters}), make(map_shape(w, s.filters))};
}

// Calls visit(element of y, element of x, element of w) for all products.
template <class F>
void for_each_product(const WindowCase& w, const ConvSpec& s, F&& visit) {
  const Index channels = s.group_channels();
  for_each_pixel(w, [&](Index row, Index tap, Index pixel) {
    if (pixel < 0) return;
    for (Index f = 0; f < s.filters; ++f) {
      const Index first = f / s.group_filters() * channels;
      for (Index k = 0; k < channels; ++k)
        visit(at(row * s.filters + f), at(pixel + first + k), at((f * s.window.taps() + tap) * channels + k));
    }
  });
}

Values forward(const WindowCase& w, const ConvSpec& s, const Operands& o) {
  Values z(o.dy.size(), 0.0);
  for (std::size_t i = 0; i < z.size(); ++i) z[i] = s.bias ? o.b[i % at(s.filters)] : 0;
  for_each_product(w, s, [&](std::size_t y, std::size_t x, std::size_t k) { z[y] += o.x[x] * o.w[k]; });
  return naive::activate_rows(s.activation, z, at(s.filters));
}

void check_backward(OpCase& c, ConvPlan& plan, const WindowCase& wc, const Operands& o, const Tensor& y,
                    double tolerance) {
  const ConvSpec& s = plan.spec();
  const Values dz = naive::activate_rows_back(s.activation, c.read(y), o.dy, at(s.filters));
  Values want_dx(o.x.size(), 0.0), want_dw(o.w.size(), 0.0), want_db(o.b.size(), 0.0);
  for (std::size_t i = 0; i < dz.size(); ++i) want_db[i % at(s.filters)] += dz[i];
  for_each_product(wc, s, [&](std::size_t at_y, std::size_t x, std::size_t k) {
    want_dx[x] += dz[at_y] * o.w[k];
    want_dw[k] += dz[at_y] * o.x[x];
  });
  const Tensor x = c.real(image_shape(wc), o.x), w = c.real(kernel_shape(s), o.w);
  const bool large = o.dy.size() > 4000;  // everything at once will do
  for (int wanted = large ? 7 : 1; wanted < 8; ++wanted) {
    for (const Write mode : {Write::Overwrite, Write::Add}) {
      const double start = mode == Write::Add ? 2 : kNaN;
      const auto sink = [&](bool on, const Shape& shape) { return on ? Sink(c.constant(shape, start), mode) : Sink(); };
      const Sink dx = sink((wanted & 1) != 0, image_shape(wc));
      const Sink dw = sink((wanted & 2) != 0, kernel_shape(s));
      const Sink db = sink((wanted & 4) != 0 && s.bias, {s.filters});
      const Tensor dy = c.real(map_shape(wc, s.filters), o.dy);
      without_allocation(c, [&] { plan.backward(x, {w, nullptr}, y, dy, dx, dw, db); });
      const auto compare = [&](const Sink& got, Values values) {
        for (double& v : values) v += mode == Write::Add ? 2 : 0;
        if (got) c.expect(c.read(got.to), values, tolerance);
      };
      compare(dx, want_dx);
      compare(dw, want_dw);
      compare(db, want_db);
    }
  }
  c.expect_exact(x, o.x);
  c.expect_exact(w, o.w);
}

// The halves of a transposed convolution know neither activation nor bias.
void check_halves(OpCase& c, ConvPlan& plan, const WindowCase& wc, const Operands& o, double tolerance) {
  Values want_dx(o.x.size(), 0.0), want_dw(o.w.size(), 0.0);
  for_each_product(wc, plan.spec(), [&](std::size_t at_y, std::size_t x, std::size_t k) {
    want_dx[x] += o.dy[at_y] * o.w[k];
    want_dw[k] += o.dy[at_y] * o.x[x];
  });
  const Tensor x = c.real(image_shape(wc), o.x), w = c.real(kernel_shape(plan.spec()), o.w);
  const Tensor dy = c.real(map_shape(wc, plan.spec().filters), o.dy);
  for (const Write mode : {Write::Overwrite, Write::Add}) {
    const double start = mode == Write::Add ? 2 : kNaN;
    const Sink dx(c.constant(image_shape(wc), start), mode), dw(c.constant(kernel_shape(plan.spec()), start), mode);
    without_allocation(c, [&] { plan.input_gradient({w, nullptr}, dy, dx); });
    without_allocation(c, [&] { plan.weight_gradient(x, dy, dw); });
    const auto compare = [&](const Sink& got, Values values) {
      for (double& v : values) v += mode == Write::Add ? 2 : 0;
      c.expect(c.read(got.to), values, tolerance);
    };
    compare(dx, want_dx);
    compare(dw, want_dw);
  }
  plan.input_gradient({w, nullptr}, dy, {});
  plan.weight_gradient(x, dy, {});
  c.expect_exact(dy, o.dy);
  c.expect_exact(x, o.x);
}

void check(OpCase& c, const WindowCase& wc, const ConvSpec& s, bool whole) {
  const Operands o = operands(c, wc, s, whole);
  const double tolerance = whole ? 0 : c.tolerance();
  const Values want = forward(wc, s, o);
  for (const bool fast : {true, false}) {
    const auto plan = fast ? c.h().conv().plan(s) : c.h().conv().reference(s);
    INFO(plan->kind() << ": " << wc.what << ", " << s.filters << " filters, activation "
                      << static_cast<int>(s.activation));
    give_memory(c, *plan);
    const Tensor y = c.nans(map_shape(wc, s.filters));
    const ConstTensor b = s.bias ? ConstTensor(c.real({s.filters}, o.b)) : ConstTensor();
    const Tensor x = c.real(image_shape(wc), o.x), w = c.real(kernel_shape(s), o.w);
    without_allocation(c, [&] { plan->forward(x, {w, nullptr}, b, y); });
    c.expect(c.read(y), want, tolerance);
    check_backward(c, *plan, wc, o, y, tolerance);
    check_halves(c, *plan, wc, o, tolerance);
  }
}

}  // namespace

OP_CASE("ConvPlan::forward", "agrees with loops for every window and activation") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug())) check(c, w, spec_of(w, 5, Activation::Tanh, true), false);
    for (const Activation f : kActivations) check(c, kWindowCases[5], spec_of(kWindowCases[5], 7, f, false), false);
  });
}

OP_CASE("ConvPlan::input_gradient", "groups of channels and filters") {
  on_all_handlers([](OpCase& c) {
    const auto window = [](Index channels) {
      WindowCase w = kDeepWindowCases[3];
      w.window.channels = channels;
      return w;
    };
    check(c, window(6), grouped(spec_of(window(6), 9, Activation::Tanh, true), 3), false);
    check(c, window(4), grouped(spec_of(window(4), 2, Activation::Rel, false), 2), true);
    for (const Index filters : {19, 38}) {  // depthwise, with one and two filters for each channel
      check(c, window(19), grouped(spec_of(window(19), filters, Activation::Rel, true), 19), true);
      check(c, window(19), grouped(spec_of(window(19), filters, Activation::Softmax, false), 19), false);
    }
    const WindowCase pixels{"1x1 in groups", 3, {5, 7, 4}};
    check(c, pixels, grouped(spec_of(pixels, 6, Activation::Rel, true), 2), true);
    const WindowCase large{"large", 3, {40, 31, 8, 3, 3, 1, 1, 1, 1, 1, 1}};
    if (!c.debug()) check(c, large, grouped(spec_of(large, 8, Activation::Linear, true), 8), true);
    if (!c.debug()) check(c, large, grouped(spec_of(large, 12, Activation::Linear, true), 4), true);
  });
}

OP_CASE("ConvPlan::weight_gradient", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const WindowCase wc{"small", 2, {5, 4, 2, 3, 3}};
    const auto plan = c.h().conv().plan(spec_of(wc, 3, Activation::Linear, true));
    give_memory(c, *plan);
    const Tensor x = c.random({2, 5, 4, 2}), w = c.random({3, 3, 3, 2}), dy = c.random({2, 3, 2, 3}),
                 odd = c.random({7});
    expect_error([&] { plan->weight_gradient(odd, dy, w); }, {"weight gradient", "x", "(7)", "(2, 5, 4, 2)"});
    expect_error([&] { plan->weight_gradient(x, odd, w); }, {"weight gradient", "dy", "(7)", "(2, 3, 2, 3)"});
    expect_error([&] { plan->weight_gradient(x, dy, odd); }, {"weight gradient", "dW", "(7)", "(3, 3, 3, 2)"});
    expect_error([&] { plan->input_gradient({odd, nullptr}, dy, x); }, {"input gradient", "W", "(7)"});
    expect_error([&] { plan->input_gradient({w, nullptr}, odd, x); }, {"input gradient", "dy", "(7)"});
    expect_error([&] { plan->input_gradient({w, nullptr}, dy, odd); }, {"input gradient", "dx", "(7)"});
    const ConvSpec bad = grouped(spec_of(wc, 3, Activation::Linear, true), 2);
    expect_error([&] { c.h().conv().plan(bad); }, {"2 channels and 3 filters", "2 groups"});
    expect_error(
        [&] {
          c.h().conv().plan(
              spec_of({"", 1, deep_window(1, {2, 2, 1, 2}, {4, 3}, {4, 3})}, 1, Activation::Linear, true));
        },
        {"kernel 2x3x3 of dilation 2x1x1", "padded image, 2x4x4"});
  });
}

OP_CASE("ConvPlan::backward", "of whole numbers is exact") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug())) {
      check(c, w, spec_of(w, 17, Activation::Linear, true), true);
      check(c, w, spec_of(w, 1, Activation::Rel, false), true);
    }
    check(c, kWindowCases[3], spec_of(kWindowCases[3], 0, Activation::Linear, true), true);
  });
}

OP_CASE("ConvPlan::forward", "takes images with a time axis") {
  on_all_handlers([](OpCase& c) {
    const WindowCase w{"time", 6, {5, 4, 2, 3, 3}};
    const ConvSpec s = spec_of(w, 3, Activation::Linear, false);
    const Operands o = operands(c, w, s, true);
    const auto plan = c.h().conv().plan(s);
    give_memory(c, *plan);
    const Tensor y = c.nans({3, 2, 3, 2, 3});
    plan->forward(c.real({3, 2, 5, 4, 2}, o.x), {c.real(kernel_shape(s), o.w), nullptr}, {}, y);
    c.expect_exact(y, forward(w, s, o));
  });
}

OP_CASE("ConvPlan::forward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const WindowCase wc{"small", 2, {5, 4, 2, 3, 3}};
    const auto plan = c.h().conv().plan(spec_of(wc, 3, Activation::Linear, true));
    give_memory(c, *plan);
    const Tensor x = c.random({2, 5, 4, 2}), w = c.random({3, 3, 3, 2}), b = c.random({3}), y = c.random({2, 3, 2, 3});
    expect_error(
        [&] {
          plan->forward(c.random({2, 4, 5, 2}), {w, nullptr}, b, y);
        },
        {"convolution", "x", "(2, 4, 5, 2)", "(2, 5, 4, 2)"});
    expect_error(
        [&] {
          plan->forward(x, {c.random({3, 18, 1}), nullptr}, b, y);
        },
        {"convolution", "W", "(3, 18, 1)", "(3, 3, 3, 2)"});
    expect_error([&] { plan->forward(x, {w, nullptr}, c.random({2}), y); }, {"convolution", "bias", "(2)", "(3)"});
    expect_error([&] { plan->forward(x, {w, nullptr}, {}, y); }, {"convolution", "bias", "missing"});
    expect_error(
        [&] {
          plan->forward(x, {w, nullptr}, b, c.random({2, 2, 3, 3}));
        },
        {"convolution", "y", "(2, 2, 3, 3)", "(2, 3, 2, 3)"});
    expect_error([&] { plan->forward(c.u8({2, 5, 4, 2}, Values(80, 1)), {w, nullptr}, b, y); }, {"x is u8"});
    const auto bare = c.h().conv().plan(spec_of(wc, 3, Activation::Linear, false));
    give_memory(c, *bare);
    expect_error([&] { bare->forward(x, {w, nullptr}, b, y); }, {"convolution", "without bias"});
    expect_error(
        [&] {
          c.h().conv().plan(spec_of({"", 1, {2, 2, 1, 3, 3}}, 1, Activation::Linear, true));
        },
        {"convolution", "kernel 3x3", "2x2"});
    expect_error(
        [&] {
          c.h().conv().plan(spec_of({"", -1, {2, 2, 1}}, 1, Activation::Linear, true));
        },
        {"convolution", "images", "-1"});
    expect_error(
        [&] {
          c.h().conv().reference(spec_of({"", 1, {2, 2, 1}}, -1, Activation::Linear, true));
        },
        {"convolution", "filters", "-1"});
  });
}

OP_CASE("ConvPlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const auto plan = c.h().conv().plan(spec_of({"small", 2, {5, 4, 2, 3, 3}}, 3, Activation::Rel, true));
    give_memory(c, *plan);
    const Tensor x = c.random({2, 5, 4, 2}), y = c.random({2, 3, 2, 3}), dy = c.random({2, 3, 2, 3});
    const WeightRef w{c.random({3, 3, 3, 2}), nullptr};
    const Tensor odd = c.random({7});
    expect_error([&] { plan->backward(odd, w, y, dy, {}, {}, {}); }, {"convolution backward", "x", "(7)"});
    expect_error([&] { plan->backward(x, {odd, nullptr}, y, dy, {}, {}, {}); }, {"convolution backward", "W", "(7)"});
    expect_error([&] { plan->backward(x, w, odd, dy, {}, {}, {}); }, {"convolution backward", "y", "(7)"});
    expect_error([&] { plan->backward(x, w, y, odd, {}, {}, {}); }, {"convolution backward", "dy", "(7)"});
    expect_error([&] { plan->backward(x, w, y, dy, odd, {}, {}); }, {"convolution backward", "dx", "(7)"});
    expect_error([&] { plan->backward(x, w, y, dy, {}, odd, {}); }, {"convolution backward", "dW", "(7)"});
    expect_error([&] { plan->backward(x, w, y, dy, {}, {}, odd); }, {"convolution backward", "dbias", "(7)"});
  });
}
