// Views, and arrays in host memory.
#include "squall/core/tensor.hpp"

#include <array>
#include <limits>

#include "squall/core/host_array.hpp"
#include "support/catch.hpp"
#include "support/graph_checks.hpp"

using namespace squall;
using graph_test::message_of;

TEST_CASE("views slice, index and reshape without copying") {
  std::array<float, 12> data{};
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
  const Tensor x(data.data(), DType::F32, Shape{3, 2, 2});
  CHECK(x.slice(1, 2).shape() == Shape{2, 2, 2});
  CHECK(x.slice(1, 2).as<float>()[0] == 4.0F);
  CHECK(x.slice(3, 0).elements() == 0);
  CHECK(x.at(2).shape() == Shape{2, 2});
  CHECK(x.at(2).as<float>()[3] == 11.0F);
  CHECK(x.reshaped(Shape{12}).data() == x.data());
  CHECK(as_rows(x).shape() == Shape{6, 2});
  CHECK(flatten(x, 1).shape() == Shape{3, 4});
  CHECK(flatten(x, 0).shape() == Shape{1, 12});
  CHECK(as_rows(Tensor(data.data(), DType::F32, Shape{})).shape() == Shape{1, 1});
}

TEST_CASE("views outside their tensor are rejected") {
  std::array<float, 6> data{};
  const Tensor x(data.data(), DType::F32, Shape{3, 2});
  CHECK(message_of([&] { (void)x.slice(2, 2); }) == "rows 2 to 4 are not all in (3, 2)");
  CHECK_THROWS_AS(x.slice(-1, 1), ShapeError);
  CHECK_THROWS_AS(x.at(3), ShapeError);
  CHECK(message_of([&] { (void)x.reshaped(Shape{5}); }) == "cannot view (3, 2) as (5)");
  CHECK(message_of([&] { (void)x.as<double>(); }) == "a tensor of f32 was read as f64");
  CHECK_THROWS_AS(Matrix(x).columns(1, 2), ShapeError);
}

TEST_CASE("an empty view stays empty") {
  const Tensor nothing;
  CHECK_FALSE(nothing);
  CHECK_FALSE(nothing.slice(0, 1));
  CHECK_FALSE(nothing.reshaped(Shape{3}));
  CHECK_FALSE(Sink());
  CHECK_FALSE(Sink().at(0));
}

TEST_CASE("matrices see columns and transposes of one memory") {
  std::array<double, 6> data{0, 1, 2, 3, 4, 5};
  const Matrix m(Tensor(data.data(), DType::F64, Shape{2, 3}));
  const Matrix right = m.columns(1, 2);
  CHECK(right.ncols == 2);
  CHECK(right.ld == 3);
  CHECK(right.as<double>()[right.ld] == 4);
  CHECK(m.T().nrows == 3);
  CHECK(m.T().T().ncols == 3);
  CHECK_THROWS_AS(m.T().columns(0, 1), ShapeError);
  CHECK(concat(m.T()) == "3x2");
}

TEST_CASE("host arrays own their values") {
  const auto a = HostArray::of<float>(Shape{2, 2}, {1, 2, 3, 4});
  HostArray b = a;
  b.set_value(0, 9);
  CHECK(a.value(0) == 1);
  CHECK(b.value(0) == 9);
  CHECK(a.doubles() == std::vector<double>{1, 2, 3, 4});
  CHECK(a.reshaped(Shape{4}).shape() == Shape{4});
  CHECK(HostArray::copy_of(a.view()) == a);
  CHECK(HostArray(DType::I32, Shape{3}).doubles() == std::vector<double>{0, 0, 0});
  CHECK(message_of([] { HostArray::of<float>(Shape{3}, {1, 2}); }) == "2 values do not fill (3)");
  CHECK_THROWS_AS(a.reshaped(Shape{3}), ShapeError);
  CHECK_THROWS_AS(a.span<double>(), ShapeError);
}

TEST_CASE("equality of host arrays is that of type, shape and bits") {
  const auto a = HostArray::of<float>(Shape{2}, {1, 2});
  CHECK(a == HostArray::of<float>(Shape{2}, {1, 2}));
  CHECK_FALSE(a == HostArray::of<float>(Shape{2}, {1, 3}));
  CHECK_FALSE(a == HostArray::of<float>(Shape{1, 2}, {1, 2}));
  CHECK_FALSE(a == a.cast(DType::F64));
}

TEST_CASE("host arrays convert element types") {
  const auto a = HostArray::of<double>(Shape{3}, {1.5, -2.75, 0.1});
  CHECK(a.cast(DType::F32).value(2) == static_cast<double>(0.1F));
  CHECK(a.cast(DType::I32).doubles() == std::vector<double>{1, -2, 0});
  CHECK(HostArray::of<std::uint8_t>(Shape{2}, {0, 255}).cast(DType::F64).doubles() == std::vector<double>{0, 255});
}

TEST_CASE("resizing a host array back and forth does not allocate again") {
  HostArray a(DType::F64, Shape{100});
  const void* before = a.data();
  a.resize(DType::F32, Shape{3, 4});
  CHECK(a.bytes() == 48);
  CHECK(a.dtype() == DType::F32);
  a.resize(DType::F64, Shape{10, 10});
  CHECK(a.data() == before);
  CHECK(a.elements() == 100);
}

TEST_CASE("an array whose bytes cannot be counted is refused") {
  const Shape enormous{Index{1} << 61};
  CHECK_THROWS_AS(HostArray(DType::F64, enormous), ShapeError);
  HostArray a;
  CHECK_THROWS_AS(a.resize(DType::F64, enormous), ShapeError);
  CHECK(a.empty());
}
