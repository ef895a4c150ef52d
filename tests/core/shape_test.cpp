// Shapes, symbols and the templates that inputs ask for.
#include "squall/core/shape.hpp"

#include <limits>

#include "support/catch.hpp"
#include "support/graph_checks.hpp"

using namespace squall;
using graph_test::message_of;

namespace {

constexpr Index kHuge = std::numeric_limits<Index>::max();

std::string mismatch(const char* pattern, const BufferShape& shape) {
  return ShapeTemplate(pattern).mismatch(shape).value_or("fits");
}
BufferShape timed(const Shape& features) { return {0, 1, features}; }
BufferShape batched(const Shape& features) { return {-1, 1, features}; }
BufferShape fixed(const Shape& features) { return {-1, -1, features}; }

}  // namespace

TEST_CASE("a shape keeps its extents and counts its elements") {
  const Shape s{4, 3, 2};
  CHECK(s.rank() == 3);
  CHECK(s[0] == 4);
  CHECK(s[-1] == 2);
  CHECK(s.elements() == 24);
  CHECK(s.text() == "(4, 3, 2)");
  CHECK(Shape{}.elements() == 1);
  CHECK(Shape{}.text() == "()");
  CHECK(Shape{5, 0, 2}.elements() == 0);
}

TEST_CASE("shapes are taken apart and put together") {
  const Shape s{4, 3, 2};
  CHECK(s.from(1) == Shape{3, 2});
  CHECK(s.from(3) == Shape{});
  CHECK(s.until(2) == Shape{4, 3});
  CHECK(s.with_front(9) == Shape{9, 4, 3, 2});
  CHECK(s.with_back(9) == Shape{4, 3, 2, 9});
  CHECK(s.with_last(9) == Shape{4, 3, 9});
  CHECK(s.joined(Shape{7}) == Shape{4, 3, 2, 7});
  CHECK_FALSE(s == Shape{4, 3});
  CHECK_FALSE(Shape{1} == Shape{});
}

TEST_CASE("taking more axes than a shape has is an error, not a crash") {
  CHECK_THROWS_AS(Shape{}.with_last(3), ShapeError);
  CHECK_THROWS_AS(Shape({2, 3}).from(3), ShapeError);
  CHECK_THROWS_AS(Shape({2, 3}).until(-1), ShapeError);
}

TEST_CASE("limits of shapes are told") {
  CHECK(message_of([] { Shape{3, -1}; }) == "an extent cannot be negative: -1");
  const Shape eight{1, 1, 1, 1, 1, 1, 1, 1};
  CHECK(eight.rank() == 8);
  CHECK(message_of([&] { (void)eight.with_back(1); }) == "a shape has at most 8 axes");
}

TEST_CASE("a number of elements that does not fit is an error") {
  CHECK(Shape{kHuge, 1}.elements() == kHuge);
  CHECK_THROWS_AS(Shape({kHuge, 2}).elements(), ShapeError);
  CHECK_THROWS_AS(Shape({Index{1} << 32, Index{1} << 31}).elements(), ShapeError);
  CHECK(message_of([] { (void)Shape({kHuge, 3}).elements(); }) == "too many elements in (9223372036854775807, 3)");
}

TEST_CASE("symbols are found again by name") {
  Symbols symbols;
  const int t = symbols.id("T");
  const int b = symbols.id("B_digits");
  CHECK(t != b);
  CHECK(symbols.id("T") == t);
  CHECK(symbols.name(b) == "B_digits");
  CHECK(symbols.size() == 2);
}

TEST_CASE("buffer shapes become concrete with sizes") {
  const Sizes sizes{5, 7};
  CHECK(timed({3, 2}).concrete(sizes) == Shape{5, 7, 3, 2});
  CHECK(timed({3}).concrete(sizes, 1) == Shape{6, 7, 3});
  CHECK(batched({3}).concrete(sizes) == Shape{7, 3});
  CHECK(batched({3}).concrete(sizes, 1) == Shape{7, 3});  // context belongs to time
  CHECK(fixed({3, 4}).concrete(sizes) == Shape{3, 4});
  CHECK(timed({3, 2}).text() == "(T, B, 3, 2)");
  CHECK(batched({3}).text() == "(B, 3)");
  CHECK(fixed({3}).text() == "(3)");
}

TEST_CASE("shape templates accept what they say") {
  CHECK(mismatch("T B ...", timed({3})) == "fits");
  CHECK(mismatch("T B ...", timed({3, 4, 5})) == "fits");
  CHECK(mismatch("T B F", timed({3})) == "fits");
  CHECK(mismatch("T B 28 28 *", timed({28, 28, 3})) == "fits");
  CHECK(mismatch("B 10", batched({10})) == "fits");
  CHECK(mismatch("3 F", fixed({3, 9})) == "fits");
  CHECK(mismatch("T B 2 ...", timed({2, 1})) == "fits");
  for (const auto& shape : {timed({3}), batched({3, 4}), fixed({1})}) CHECK(mismatch("...", shape) == "fits");
}

TEST_CASE("shape templates say why a shape does not fit") {
  CHECK(mismatch("T B ...", batched({3})) == "expected (T B ...), got (B, 3)");
  CHECK(mismatch("T B ...", fixed({3})) == "expected (T B ...), got (3)");
  CHECK(mismatch("B 10", timed({10})) == "expected (B 10), got (T, B, 10)");
  CHECK(mismatch("T B F", timed({3, 4})) == "expected 1 feature dims, got 2: (T, B, 3, 4)");
  CHECK(mismatch("T B 28 28 *", timed({784})) == "expected 3 feature dims, got 1: (T, B, 784)");
  CHECK(mismatch("T B 2 ...", timed({2})) == "expected 2 or more feature dims, got 1: (T, B, 2)");
  CHECK(mismatch("T B 28 28 *", timed({28, 27, 1})) ==
        "expected (T B 28 28 *), got (T, B, 28, 27, 1): feature axis 1 should be 28");
}

TEST_CASE("shape templates that make no sense are rejected") {
  for (const char* text : {"", "T", "B", "T B", "T F", "B T 3", "T B ... 3", "T B -1", "T B 0", "T B x", "3 B", "F T B",
                           "T B 3.5", "T T B F"}) {
    INFO("template '" << text << "'");
    CHECK_THROWS_AS(ShapeTemplate(text), ShapeError);
  }
  CHECK(message_of([] { ShapeTemplate("T F"); }) == "shape template 'T F': T must be followed by B");
  CHECK(message_of([] { ShapeTemplate("T B ... 3"); }) == "shape template 'T B ... 3': nothing may follow '...'");
  CHECK(message_of([] { ShapeTemplate("T B x"); }) ==
        "shape template 'T B x': 'x' is not T, B, F, *, ... or a positive number");
}
