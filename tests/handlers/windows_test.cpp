// Windows over images, against a walk over pixels.
#include "support/op_case.hpp"
#include "support/op_case_windows.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Shape column_shape(const WindowCase& w) { return {windows_of(w), w.window.taps(), w.window.channels}; }

}  // namespace

OP_CASE("WindowOps::im2col", "copies the pixels of each window and the padding") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug())) {
      INFO(w.what);
      const Index channels = w.window.channels;
      const Values x = c.whole_values(image_shape(w), -9, 9);
      Values want(at(column_shape(w).elements()), -1.5);
      for_each_pixel(w, [&](Index row, Index tap, Index pixel) {
        for (Index k = 0; k < channels && pixel >= 0; ++k)
          want[at((row * w.window.taps() + tap) * channels + k)] = x[at(pixel + k)];
      });
      const Tensor columns = c.nans(column_shape(w));
      c.h().windows().im2col(c.real(image_shape(w), x), w.window, -1.5, columns);
      c.expect_exact(columns, want);
    }
  });
}

OP_CASE("WindowOps::im2col", "refuses windows and operands that do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().windows();
    const Tensor x = c.random({2, 4, 4, 3});
    const Window good{4, 4, 3, 3, 3};
    const Tensor out = c.random({8, 9, 3});
    ops.im2col(x, good, 0, out);
    expect_error([&] { ops.im2col(x, {4, 4, 2, 3, 3}, 0, out); }, {"im2col", "(2, 4, 4, 3)", "channels 2"});
    expect_error([&] { ops.im2col(x, good, 0, c.random({8, 9, 2})); }, {"im2col", "(8, 9, 2)", "(8, 9, 3)"});
    expect_error([&] { ops.im2col(c.u8({2, 4, 4, 3}, Values(96, 1)), good, 0, out); }, {"im2col", "x is u8"});
    expect_error([&] { ops.im2col(x, good, 0, c.u8({8, 9, 3}, Values(216, 1))); }, {"im2col", "columns is u8"});
    expect_error([&] { ops.im2col(x, {4, 4, 3, 5, 3}, 0, out); }, {"im2col", "kernel 5x3", "4x4"});
    expect_error([&] { ops.im2col(x, {4, 4, 3, 3, 5}, 0, out); }, {"im2col", "kernel 3x5", "4x4"});
    expect_error([&] { ops.im2col(x, {4, 4, 3, 0, 3}, 0, out); }, {"im2col", "kernel 0x3"});
    expect_error([&] { ops.im2col(x, {4, 4, 3, 3, 3, 0, 1}, 0, out); }, {"im2col", "stride 0x1"});
    expect_error([&] { ops.im2col(x, {4, 4, 3, 3, 3, 1, 1, -1}, 0, out); }, {"im2col", "padding", "-1"});
    expect_error([&] { ops.im2col(x, {-4, 4, 3}, 0, out); }, {"im2col", "height -4"});
  });
}

OP_CASE("WindowOps::col2im", "adds up what came from each pixel") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug())) {
      INFO(w.what);
      const Index channels = w.window.channels;
      const Values columns = c.whole_values(column_shape(w), -9, 9);
      Values want(at(image_shape(w).elements()), 0.0);
      for_each_pixel(w, [&](Index row, Index tap, Index pixel) {
        for (Index k = 0; k < channels && pixel >= 0; ++k)
          want[at(pixel + k)] += columns[at((row * w.window.taps() + tap) * channels + k)];
      });
      const Tensor from = c.real(column_shape(w), columns);
      c.expect_sink_exact(image_shape(w), want, [&](const Sink& dx) { c.h().windows().col2im(from, w.window, dx); });
    }
    const Window w{4, 4, 3, 3, 3};
    const Sink dx(c.random({2, 4, 4, 3}));
    auto& ops = c.h().windows();
    expect_error([&] { ops.col2im(c.random({8, 9, 2}), w, dx); }, {"col2im", "(8, 9, 2)", "(8, 9, 3)"});
    expect_error([&] { ops.col2im(c.random({8, 9, 3}), w, Sink(c.random({2, 4, 3, 3}))); }, {"col2im", "(2, 4, 3, 3)"});
    expect_error([&] { ops.col2im(c.random({8, 9, 3}), {4, 4, 3, 9, 9}, dx); }, {"col2im", "kernel 9x9"});
    expect_error([&] { ops.col2im(c.u8({8, 9, 3}, Values(216, 1)), w, dx); }, {"col2im", "columns is u8"});
    expect_error(
        [&] {
          ops.col2im(c.random({8, 9, 3}), w, Sink(c.u8({2, 4, 4, 3}, Values(96, 1))));
        },
        {"col2im", "dx is u8"});
  });
}

OP_CASE("WindowOps::max_middle", "finds the first largest and its place") {
  on_all_handlers([](OpCase& c) {
    for (const Shape& shape : {Shape{1, 1, 1}, Shape{3, 9, 17}, Shape{0, 4, 3}, Shape{5, 4, 0}, Shape{65, 2, 63}}) {
      const Index rows = shape[0], taps = shape[1], channels = shape[2];
      const Values x = c.whole_values(shape, -3, 0);  // many ties
      Values value, place;
      for (Index i = 0; i < rows * channels; ++i) {
        Index best = 0;
        const auto of = [&](Index k) { return x[at((i / channels * taps + k) * channels + i % channels)]; };
        for (Index k = 1; k < taps; ++k) best = of(k) > of(best) ? k : best;
        value.push_back(of(best));
        place.push_back(static_cast<double>(best));
      }
      const Tensor v = c.nans({rows, channels});
      const Tensor p = c.i32({rows, channels}, Values(value.size(), -7));
      c.h().windows().max_middle(c.real(shape, x), v, p);
      c.expect_exact(v, value);
      c.expect_exact(p, place);
    }
    const Tensor x = c.random({2, 4, 3});
    const Tensor v = c.random({2, 3});
    const Tensor p = c.i32({2, 3}, Values(6, 0));
    auto& ops = c.h().windows();
    expect_error([&] { ops.max_middle(c.random({2, 12}), v, p); }, {"max_middle", "three axes", "(2, 12)"});
    expect_error([&] { ops.max_middle(x, c.random({3, 2}), p); }, {"max_middle", "value", "(2, 3)", "(3, 2)"});
    expect_error([&] { ops.max_middle(x, v, c.i32({2}, {0, 0})); }, {"max_middle", "place", "(2, 3)", "(2)"});
    expect_error([&] { ops.max_middle(x, v, v); }, {"max_middle", "place", "i32"});
    expect_error([&] { ops.max_middle(c.random({2, 0, 3}), v, p); }, {"max_middle", "nothing to choose"});
    expect_error([&] { ops.max_middle(x, p, p); }, {"max_middle", "value is i32"});
  });
}

OP_CASE("WindowOps::put_middle", "puts values at their places and zeros elsewhere") {
  on_all_handlers([](OpCase& c) {
    for (const Shape& shape : {Shape{1, 1, 1}, Shape{3, 9, 17}, Shape{0, 4, 3}, Shape{65, 2, 63}}) {
      const Index rows = shape[0], taps = shape[1], channels = shape[2];
      const Values value = c.whole_values({rows, channels}, 1, 9);
      const Values place = c.whole_values({rows, channels}, -1, taps - 1);
      Values want(at(shape.elements()), 0.0);
      for (Index i = 0; i < rows * channels; ++i) {
        const auto k = static_cast<Index>(place[at(i)]);
        if (k >= 0) want[at((i / channels * taps + k) * channels + i % channels)] = value[at(i)];
      }
      const Tensor x = c.nans(shape);
      c.h().windows().put_middle(c.real({rows, channels}, value), c.i32({rows, channels}, place), x);
      c.expect_exact(x, want);
    }
    const Tensor x = c.random({2, 4, 3});
    const Tensor v = c.random({2, 3});
    const Tensor p = c.i32({2, 3}, Values(6, 0));
    auto& ops = c.h().windows();
    expect_error([&] { ops.put_middle(c.random({3, 2}), p, x); }, {"put_middle", "value", "(3, 2)"});
    expect_error([&] { ops.put_middle(v, c.i32({2}, {0, 0}), x); }, {"put_middle", "place", "(2)"});
    expect_error([&] { ops.put_middle(v, v, x); }, {"put_middle", "place", "i32"});
    expect_error([&] { ops.put_middle(v, p, c.random({24})); }, {"put_middle", "three axes"});
    expect_error([&] { ops.put_middle(p, p, x); }, {"put_middle", "value is i32"});
  });
}
