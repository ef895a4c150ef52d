// Packed weights: there and back, what is inconsistent, and inference from them.
#include "squall/core/packed_weight.hpp"

#include "support/op_case_plan.hpp"
#include "support/op_case_windows.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// About a third of the weights, whole rows and columns empty.
std::vector<float> sparse_values(OpCase& c, Index rows, Index columns) {
  std::vector<float> dense;
  const Values v = c.whole_values({rows, columns}, -4, 4);
  for (Index i = 0; i < rows * columns; ++i) {
    const bool empty = i / columns % 5 == 2 || i % columns % 7 == 3;
    const double one = v[static_cast<std::size_t>(i)];
    dense.push_back(empty || std::abs(one) < 3 ? 0.0F : static_cast<float>(one));
  }
  return dense;
}

PackedWeight example() { return PackedWeight::from_dense(std::vector<float>{0, 2, 0, 4, 5, 0}, 2, 3); }

const std::vector<WeightFormat> kFormats{WeightFormat::Dense, WeightFormat::Compacted, WeightFormat::Sparse};

}  // namespace

TEST_CASE("A packed weight keeps what is not zero", "[ops]") {
  const PackedWeight p = example();
  p.check();
  CHECK(p.kept() == 3);
  CHECK(p.density() == 0.5);
  CHECK(p.row_begin == std::vector<Index>{0, 1, 3});
  CHECK(p.column == std::vector<std::int32_t>{1, 0, 1});
  CHECK(p.to_dense() == std::vector<float>{0, 2, 0, 4, 5, 0});
}

TEST_CASE("A packed weight with a mask keeps what the mask names even if zero", "[ops]") {
  const std::vector<float> dense{0, 2, 3, 4};
  const std::vector<std::uint8_t> mask{1, 0, 7, 0};
  const PackedWeight p = PackedWeight::from_dense(dense, 2, 2, mask);
  CHECK(p.value == std::vector<float>{0, 3});
  CHECK(p.to_dense() == std::vector<float>{0, 0, 3, 0});
  CHECK(PackedWeight::from_dense({}, 0, 5).density() == 0);
  PackedWeight::from_dense({}, 0, 5).check();
}

TEST_CASE("A packed weight that contradicts itself is refused", "[ops]") {
  expect_error([] { PackedWeight::from_dense(std::vector<float>(5), 2, 3); }, {"5 values", "2x3"});
  expect_error([] { PackedWeight::from_dense(std::vector<float>(2), 1, 2, std::vector<std::uint8_t>(3)); },
               {"mask of 3", "2 values"});
  const auto broken = [](const std::function<void(PackedWeight&)>& harm, std::initializer_list<std::string> parts) {
    PackedWeight p = example();
    harm(p);
    expect_error<DataError>([&] { p.check(); }, parts);
  };
  broken([](PackedWeight& p) { p.rows = 3; }, {"3 row starts", "4"});
  broken([](PackedWeight& p) { p.rows = -1; }, {"negative"});
  broken([](PackedWeight& p) { p.row_begin[0] = 1; }, {"first row", "1"});
  broken([](PackedWeight& p) { p.row_begin[1] = 4; }, {"row 1", "ends before it starts"});
  broken([](PackedWeight& p) { p.row_begin[2] = 2; }, {"hold 2", "3"});
  broken([](PackedWeight& p) { p.column.pop_back(); }, {"2 columns", "3 values"});
  broken([](PackedWeight& p) { p.column[0] = 3; }, {"row 0", "column 3"});
  broken([](PackedWeight& p) { p.column[0] = -1; }, {"row 0", "column -1"});
  broken([](PackedWeight& p) { p.column[2] = 0; }, {"row 1", "ascend"});
}

TEST_CASE("Formats of weights have names", "[ops]") {
  CHECK(name_of(WeightFormat::Dense) == "dense");
  CHECK(name_of(WeightFormat::Compacted) == "compacted");
  CHECK(name_of(WeightFormat::Sparse) == "sparse");
}

OP_CASE("DensePlan::forward", "from a packed weight equals that from its dense form") {
  struct Size {
    Index rows, in, out;
  };
  on_all_handlers([](OpCase& c) {
    for (const Size& size : std::vector<Size>{{1, 1, 1},
                                              {1, 63, 65},
                                              {17, 65, 33},
                                              {130, 37, 17},
                                              {2, 300, 70},
                                              {3, 257, 530},
                                              {300, 257, 530},
                                              {0, 3, 2}}) {
      const auto values = sparse_values(c, size.out, size.in);
      const Values wide(values.begin(), values.end());
      const Tensor x = c.whole({size.rows, size.in}, -3, 3), b = c.whole({size.out}, -3, 3);
      const auto dense = c.h().dense().reference({size.rows, size.in, size.out, Activation::Rel, true});
      const Tensor want = c.nans({size.rows, size.out});
      dense->forward(x, {c.real({size.out, size.in}, wide), nullptr}, b, want);
      for (const WeightFormat format : kFormats) {
        PackedWeight packed = PackedWeight::from_dense(values, size.out, size.in);
        packed.format = format;
        const DenseSpec spec{size.rows, size.in, size.out, Activation::Rel, true, &packed};
        for (const bool fast : {true, false}) {
          const auto plan = fast ? c.h().dense().plan(spec) : c.h().dense().reference(spec);
          INFO(plan->kind() << " " << name_of(format) << ": " << size.rows << "x" << size.in << " to " << size.out);
          give_memory(c, *plan);
          const Tensor y = c.nans({size.rows, size.out});
          without_allocation(c, [&] { plan->forward(x, {{}, &packed}, b, y); });
          c.expect_exact(y, c.read(want));
        }
      }
    }
  });
}

OP_CASE("ConvPlan::forward", "from a packed weight equals that from its dense form") {
  on_all_handlers([](OpCase& c) {
    for (const WindowCase& w : window_cases(c.debug())) {
      ConvSpec spec;
      spec.images = w.images, spec.window = w.window, spec.filters = 11, spec.activation = Activation::Rel;
      const auto values = sparse_values(c, 11, w.window.taps() * w.window.channels);
      const Values wide(values.begin(), values.end());
      const Tensor x = c.whole(image_shape(w), -3, 3), b = c.whole({11}, -3, 3);
      const auto dense = c.h().conv().reference(spec);
      give_memory(c, *dense);
      const Tensor want = c.nans(map_shape(w, 11));
      const Shape kernel = w.window.filters(11, w.window.channels);
      dense->forward(x, {c.real(kernel, wide), nullptr}, b, want);
      for (const WeightFormat format : kFormats) {
        PackedWeight packed = PackedWeight::from_dense(values, 11, w.window.taps() * w.window.channels);
        packed.format = format;
        spec.packed = &packed;
        for (const bool fast : {true, false}) {
          const auto plan = fast ? c.h().conv().plan(spec) : c.h().conv().reference(spec);
          INFO(plan->kind() << " " << name_of(format) << ": " << w.what);
          give_memory(c, *plan);
          const Tensor y = c.nans(map_shape(w, 11));
          without_allocation(c, [&] { plan->forward(x, {{}, &packed}, b, y); });
          c.expect_exact(y, c.read(want));
        }
      }
    }
  });
}

OP_CASE("ConvPlan::forward", "from a sparse weight goes over few images in tiles") {
  on_all_handlers([](OpCase& c) {
    if (c.debug()) return;
    struct Case {
      Index images, height, width, channels, kernel, stride;
    };
    for (const Case& k : std::vector<Case>{{1, 16, 16, 3, 3, 1},
                                           {1, 33, 17, 17, 3, 1},
                                           {2, 31, 31, 5, 5, 2},
                                           {3, 23, 9, 1, 3, 1},
                                           {5, 13, 40, 4, 2, 1},
                                           {7, 19, 19, 2, 3, 3},
                                           {1, 5, 5, 2, 3, 1}}) {
      ConvSpec spec;
      spec.images = k.images, spec.filters = 7, spec.activation = Activation::Rel;
      Window& w = spec.window;
      w.height = k.height, w.width = k.width, w.channels = k.channels, w.kernel_h = w.kernel_w = k.kernel;
      w.stride_h = w.stride_w = k.stride, w.top = w.left = k.kernel / 2, w.bottom = w.right = 1;
      const auto values = sparse_values(c, 7, w.taps() * w.channels);
      const Tensor x = c.whole(w.images(k.images), -3, 3), b = c.whole({7}, -3, 3);
      const auto dense = c.h().conv().reference(spec);
      PackedWeight packed = PackedWeight::from_dense(values, 7, w.taps() * w.channels);
      packed.format = WeightFormat::Sparse;
      spec.packed = &packed;
      const auto sparse = c.h().conv().plan(spec);
      INFO(sparse->kind() << ": " << k.images << " images of " << k.height << "x" << k.width);
      give_memory(c, *dense);
      give_memory(c, *sparse);
      const Tensor want = c.nans(w.maps(k.images, 7)), got = c.nans(w.maps(k.images, 7));
      dense->forward(x, {c.real(w.filters(7, k.channels), Values(values.begin(), values.end())), nullptr}, b, want);
      sparse->forward(x, {{}, &packed}, b, got);
      c.expect_exact(got, c.read(want));
    }
  });
}

OP_CASE("DensePlan::backward", "is not there for a packed weight") {
  on_all_handlers([](OpCase& c) {
    const PackedWeight packed = example();
    const PackedWeight other = example();
    DenseSpec spec{4, 3, 2, Activation::Linear, false, &packed};
    const auto plan = c.h().dense().plan(spec);
    give_memory(c, *plan);
    const Tensor x = c.random({4, 3}), y = c.random({4, 2});
    const Tensor dw = c.nans({2, 3});
    expect_error([&] { plan->backward(x, {{}, &packed}, y, y, {}, Sink(dw), {}); }, {"packed", "inference"});
    if (c.h().device().kind == Device::Kind::Cpu)
      expect_error([&] { plan->backward(x, {{}, &packed}, y, y, Sink(x), {}, {}); }, {"packed", "inference"});
    expect_error([&] { plan->forward(x, {{}, &other}, {}, y); }, {"another packed weight"});
    spec.in = 4;
    expect_error([&] { c.h().dense().plan(spec); }, {"dense", "2x3", "2x4"});
    PackedWeight broken = example();
    broken.column[0] = 9;
    spec = {4, 3, 2, Activation::Linear, false, &broken};
    expect_error<DataError>([&] { c.h().dense().plan(spec); }, {"column 9"});
    ConvSpec conv;
    conv.images = 1, conv.window = {2, 2, 1, 1, 2}, conv.filters = 2, conv.packed = &packed;
    expect_error([&] { c.h().conv().plan(conv); }, {"convolution", "2x3", "2x2"});
  });
}

OP_CASE("ConvPlan::backward", "is not there for a packed weight") {
  on_all_handlers([](OpCase& c) {
    const PackedWeight packed = example();
    ConvSpec spec;
    spec.images = 1, spec.window = {2, 3, 1, 1, 3}, spec.filters = 2, spec.bias = false, spec.packed = &packed;
    const auto plan = c.h().conv().plan(spec);
    give_memory(c, *plan);
    const Tensor x = c.random({1, 2, 3, 1}), y = c.random({1, 2, 1, 2});
    const Tensor dw = c.nans({2, 1, 3, 1});
    expect_error([&] { plan->backward(x, {{}, &packed}, y, y, {}, Sink(dw), {}); }, {"packed", "inference"});
    if (c.h().device().kind == Device::Kind::Cpu)
      expect_error([&] { plan->backward(x, {{}, &packed}, y, y, Sink(x), {}, {}); }, {"packed", "inference"});
  });
}

OP_CASE("ConvPlan::input_gradient", "of a packed weight is that of its dense form; in groups, too") {
  on_all_handlers([](OpCase& c) {
    for (const Index groups : {1, 2}) {
      WindowCase w = kDeepWindowCases[2];
      ConvSpec spec;
      spec.images = w.images, spec.window = w.window, spec.filters = 6, spec.groups = groups;
      const auto values = sparse_values(c, 6, spec.weights_of_filter());
      const Tensor dense = c.real(w.window.filters(6, spec.group_channels()), Values(values.begin(), values.end()));
      const PackedWeight packed = PackedWeight::from_dense(values, 6, spec.weights_of_filter());
      const Tensor x = c.whole(image_shape(w), -3, 3), b = c.whole({6}, -3, 3), dy = c.whole(map_shape(w, 6), -3, 3);
      const Tensor want_y = c.nans(map_shape(w, 6)), want_dx = c.nans(image_shape(w));
      const auto plain = c.h().conv().plan(spec);
      give_memory(c, *plain);
      plain->forward(x, {dense, nullptr}, b, want_y);
      plain->input_gradient({dense, nullptr}, dy, Sink(want_dx));
      spec.packed = &packed;
      for (const bool fast : {true, false}) {
        const auto plan = fast ? c.h().conv().plan(spec) : c.h().conv().reference(spec);
        INFO(plan->kind() << ", " << groups << " groups");
        give_memory(c, *plan);
        const Tensor y = c.nans(map_shape(w, 6)), dx = c.nans(image_shape(w));
        plan->forward(x, {{}, &packed}, b, y);
        c.expect_exact(y, c.read(want_y));
        if (fast) continue;
        plan->backward(x, {{}, &packed}, y, dy, Sink(dx), {}, {});
        c.expect_exact(dx, c.read(want_dx));
        expect_error([&] { plan->backward(x, {{}, &packed}, y, dy, {}, Sink(dense), {}); }, {"packed", "inference"});
      }
    }
  });
}
