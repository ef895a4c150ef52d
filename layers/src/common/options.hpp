// Kinds of options that several layers share: numbers for each axis of images, the size of a dense layer, paddings.
#pragma once

#include <array>
#include <vector>

#include "squall/core/describe.hpp"

namespace squall {

// A positive number for each of N axes: 3 or [3, 2]; written as a list.
template <int N>
struct PerAxis {
  std::array<Index, N> values{};
  static PerAxis all(Index value) {
    PerAxis p;
    p.values.fill(value);
    return p;
  }
};
Expectation read_axes(const json& j, Index least, std::span<Index> out);
template <int N>
Expectation read_value(const json& j, PerAxis<N>& out) {
  return read_axes(j, 1, out.values);
}
void write_axes(std::span<const Index> values, json& out);
template <int N>
void write_value(const PerAxis<N>& v, json& out) {
  write_axes(v.values, out);
}

// The same with zeros allowed; 0 where nothing is said.
template <int N>
struct Offsets {
  std::array<Index, N> values{};
};
template <int N>
Expectation read_value(const json& j, Offsets<N>& out) {
  return read_axes(j, 0, out.values);
}
template <int N>
void write_value(const Offsets<N>& v, json& out) {
  write_axes(v.values, out);
}

// The extents of an output: 100 or [3, 4].
struct Extents {
  std::vector<Index> values;
  bool list = false;  // written as a list
  Shape shape() const { return Shape(std::span<const Index>(values)); }
};
Expectation read_value(const json& j, Extents& out);
void write_value(const Extents& v, json& out);

// 'same' and 'valid' (TensorFlow's geometry, any case), 'causal' (as many outputs as 'same', all padding before), or
// pixels: 1, one number for each axis, or [before, after] for each axis.
struct Padding {
  enum class Kind : std::uint8_t { Pixels, Same, Valid, Causal };
  Kind kind = Kind::Pixels;
  std::array<Index, 3> before{}, after{};  // of the first axes
};
template <int N>
struct PaddingOf : Padding {
  static PaddingOf same() {
    PaddingOf p;
    p.kind = Kind::Same;
    return p;
  }
};
Expectation read_padding(const json& j, int axes, Padding& out);
void write_padding(const Padding& v, int axes, json& out);
template <int N>
Expectation read_value(const json& j, PaddingOf<N>& out) {
  return read_padding(j, N, out);
}
template <int N>
void write_value(const PaddingOf<N>& v, json& out) {
  write_padding(v, N, out);
}

// What the padding is filled with.
enum class PaddingMode : std::uint8_t { Zeros, Reflect, Replicate, Circular };
std::span<const EnumName<PaddingMode>> enum_names(PaddingMode);

}  // namespace squall
