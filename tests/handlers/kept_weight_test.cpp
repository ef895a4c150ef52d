// Weights with a pattern of entries: products and gradients of these entries equal those of the dense weight with zeros
// everywhere else.
#include "squall/core/sparse_pattern.hpp"

#include "support/op_case_plan.hpp"
#include "support/op_case_windows.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// About a third of the entries; every fifth row and every seventh column has none.
SparsePattern some_entries(OpCase& c, Index rows, Index columns) {
  std::vector<std::uint8_t> mask(at(rows * columns));
  const Values v = c.whole_values({rows, columns}, 0, 2);
  for (Index i = 0; i < rows * columns; ++i)
    mask[at(i)] = i / std::max<Index>(columns, 1) % 5 != 2 && i % std::max<Index>(columns, 1) % 7 != 3 && v[at(i)] == 0;
  return SparsePattern::of_owner(mask, 1, rows, columns);
}

Values spread(const SparsePattern& p, const Values& entries) {
  Values out(at(p.rows * p.columns), 0.0);
  for (Index r = 0; r < p.rows; ++r)
    for (Index e = p.row_begin[at(r)]; e < p.row_begin[at(r + 1)]; ++e)
      out[at(r * p.columns + p.column[at(e)])] = entries[at(e)];
  return out;
}
Values gather(const SparsePattern& p, const Values& dense) {
  Values out;
  for (Index r = 0; r < p.rows; ++r)
    for (Index e = p.row_begin[at(r)]; e < p.row_begin[at(r + 1)]; ++e)
      out.push_back(dense[at(r * p.columns + p.column[at(e)])]);
  return out;
}
Values plus(Values v, double more) {
  for (double& one : v) one += more;
  return v;
}

// Plan is DensePlan or ConvPlan; the shapes are those of x, W and y.
template <class Plan>
void check(OpCase& c, Plan& dense, const std::vector<Plan*>& plans, const SparsePattern& pattern, const Shape& in,
           const Shape& kernel, const Shape& out, Index outputs) {
  const Values entries = c.whole_values({pattern.kept()}, -3, 3);
  const Tensor x = c.whole(in, -3, 3), b = c.whole({outputs}, -3, 3), w = c.real(kernel, spread(pattern, entries));
  const Tensor kept = c.real({pattern.kept()}, entries);
  const Values deltas = c.whole_values(out, -2, 2);
  give_memory(c, dense);
  const Tensor want = c.nans(out), dx = c.nans(in), dw = c.nans(kernel), db = c.nans({outputs});
  dense.forward(x, {w, nullptr}, b, want);
  dense.backward(x, {w, nullptr}, want, c.real(out, deltas), dx, dw, db);
  for (Plan* plan : plans) {
    INFO(plan->kind() << ": " << in << " to " << out);
    give_memory(c, *plan);
    const Tensor y = c.nans(out);
    without_allocation(c, [&] { plan->forward(x, {kept, nullptr}, b, y); });
    c.expect_exact(y, c.read(want));
    for (int wanted = 1; wanted < 8; ++wanted) {
      const bool add = wanted % 2 == 0;
      const auto sink = [&](bool on, const Shape& shape) {
        return on ? Sink(c.constant(shape, add ? 2 : kNaN), add ? Write::Add : Write::Overwrite) : Sink();
      };
      const Sink got_x = sink((wanted & 1) != 0 || add, in), got_w = sink((wanted & 2) != 0, {pattern.kept()});
      const Sink got_b = sink((wanted & 4) != 0, {outputs});
      const Tensor dy = c.real(out, deltas);
      without_allocation(c, [&] { plan->backward(x, {kept, nullptr}, y, dy, got_x, got_w, got_b); });
      if (got_x) c.expect_exact(got_x.to, plus(c.read(dx), add ? 2 : 0));
      if (got_w) c.expect_exact(got_w.to, plus(gather(pattern, c.read(dw)), add ? 2 : 0));
      if (got_b) c.expect_exact(got_b.to, plus(c.read(db), add ? 2 : 0));
    }
    c.expect_exact(kept, entries);
  }
}

}  // namespace

TEST_CASE("A sparse pattern turns and returns", "[ops]") {
  const std::vector<std::uint8_t> owners{7, 1, 7, 0, 7, 7};
  const SparsePattern p = SparsePattern::of_owner(owners, 7, 2, 3);
  p.check();
  CHECK(p.row_begin == std::vector<Index>{0, 2, 4});
  CHECK(p.column == std::vector<std::int32_t>{0, 2, 1, 2});
  std::vector<std::int32_t> from;
  const SparsePattern t = p.transposed(from);
  t.check();
  CHECK(t.rows == 3);
  CHECK(t.row_begin == std::vector<Index>{0, 1, 2, 4});
  CHECK(t.column == std::vector<std::int32_t>{0, 1, 0, 1});
  CHECK(from == std::vector<std::int32_t>{0, 2, 1, 3});
  expect_error([&] { SparsePattern::of_owner(owners, 7, 2, 4); }, {"6 bytes", "2x4"});
}

OP_CASE("DensePlan::backward", "with a pattern of entries equals that of the dense weight") {
  struct Size {
    Index rows, in, out;
  };
  on_all_handlers([](OpCase& c) {
    for (const Size& s : std::vector<Size>{
             {1, 1, 1}, {5, 63, 65}, {17, 65, 33}, {130, 37, 17}, {64, 300, 70}, {70, 257, 530}, {33, 17, 1}}) {
      if (c.debug() && s.out > 100) continue;
      const SparsePattern pattern = some_entries(c, s.out, s.in);
      for (const Activation f : {Activation::Linear, Activation::Rel}) {
        DenseSpec spec{s.rows, s.in, s.out, f, true};
        const auto dense = c.h().dense().reference(spec);
        spec.pattern = &pattern;
        const auto fast = c.h().dense().plan(spec);
        const auto slow = c.h().dense().reference(spec);
        check<DensePlan>(c, *dense, {fast.get(), slow.get()}, pattern, {s.rows, s.in}, {s.out, s.in}, {s.rows, s.out},
                         s.out);
      }
    }
  });
}

OP_CASE("ConvPlan::backward", "with a pattern of entries equals that of the dense weight") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug())) {
      ConvSpec spec;
      spec.images = w.images, spec.window = w.window, spec.filters = 11, spec.activation = Activation::Rel;
      const Index columns = w.window.taps() * w.window.channels;
      const SparsePattern pattern = some_entries(c, 11, columns);
      const auto dense = c.h().conv().reference(spec);
      spec.pattern = &pattern;
      const auto fast = c.h().conv().plan(spec);
      const auto slow = c.h().conv().reference(spec);
      INFO(w.what);
      check<ConvPlan>(c, *dense, {fast.get(), slow.get()}, pattern, image_shape(w),
                      w.window.filters(11, w.window.channels), map_shape(w, 11), 11);
    }
  });
}

OP_CASE("ConvPlan::backward", "with a pattern of entries goes over many images of many sizes") {
  on_all_handlers([](OpCase& c) {
    struct Case {
      Index images, size, channels, filters, kernel, before, after;
    };
    for (const Case& k : std::vector<Case>{{9, 5, 3, 7, 3, 1, 1},
                                           {16, 8, 1, 4, 3, 0, 0},
                                           {33, 9, 17, 33, 3, 1, 1},
                                           {17, 13, 5, 300, 5, 2, 2},
                                           {8, 6, 4, 3, 3, 2, 2},
                                           {20, 7, 33, 9, 2, 0, 1},
                                           {12, 4, 6, 5, 1, 0, 0}}) {
      if (c.debug() && k.filters > 100) continue;
      ConvSpec spec;
      spec.images = k.images, spec.filters = k.filters;
      Window& w = spec.window;
      w.height = k.size, w.width = k.size + 1, w.channels = k.channels, w.kernel_h = w.kernel_w = k.kernel;
      w.top = w.left = k.before, w.bottom = w.right = k.after;
      const SparsePattern pattern = some_entries(c, k.filters, w.taps() * w.channels);
      const auto dense = c.h().conv().reference(spec);
      spec.pattern = &pattern;
      const auto fast = c.h().conv().plan(spec);
      if (c.h().device().kind == Device::Kind::Cpu) CHECK(fast->kind() == "kept image blocks");
      check<ConvPlan>(c, *dense, {fast.get()}, pattern, w.images(k.images), w.filters(k.filters, w.channels),
                      w.maps(k.images, k.filters), k.filters);
    }
  });
}
