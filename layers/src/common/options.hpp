// Kinds of options that several layers share: a number or a pair of numbers, the size of a dense layer, paddings.
#pragma once

#include <vector>

#include "squall/core/describe.hpp"

namespace squall {

// Vertical and horizontal: 3 or [3, 2]; written as a list.
struct Pair {
  Index vertical = 1, horizontal = 1;
};
Expectation read_value(const json& j, Pair& out);
json write_value(const Pair& v);

// The extents of an output: 100 or [3, 4].
struct Extents {
  std::vector<Index> values;
  bool list = false;  // written as a list
  Shape shape() const { return Shape(std::span<const Index>(values)); }
};
Expectation read_value(const json& j, Extents& out);
json write_value(const Extents& v);

// 'same' and 'valid' (TensorFlow's geometry, any case), or pixels: 1, [vertical, horizontal], [[top, bottom], [left,
// right]].
struct Padding {
  enum class Kind : std::uint8_t { Pixels, Same, Valid };
  Kind kind = Kind::Pixels;
  Index top = 0, bottom = 0, left = 0, right = 0;
};
inline constexpr Padding kSamePadding{Padding::Kind::Same, 0, 0, 0, 0};
Expectation read_value(const json& j, Padding& out);
json write_value(const Padding& v);

}  // namespace squall
