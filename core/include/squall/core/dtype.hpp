// Element types of buffers. Real numbers of a pass have the handler's dtype (F32 or F64); labels and
// token ids are I32, masks and owner bytes U8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "squall/core/error.hpp"

namespace squall {

enum class DType : std::uint8_t { F32, F64, I32, U8 };

constexpr std::size_t size_of(DType t) { return t == DType::F64 ? 8 : t == DType::U8 ? 1 : 4; }
constexpr std::string_view name_of(DType t) {
  return t == DType::F32 ? "f32" : t == DType::F64 ? "f64" : t == DType::I32 ? "i32" : "u8";
}
constexpr bool is_real(DType t) { return t == DType::F32 || t == DType::F64; }

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::F32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::F64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::I32;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::U8;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

// Calls f with a value of the C++ type of `t`: visit_dtype(t, [&](auto zero) { using T = decltype(zero); ... }).
template <class F>
decltype(auto) visit_dtype(DType t, F&& f) {
  switch (t) {
    case DType::F32: return std::forward<F>(f)(float{});
    case DType::F64: return std::forward<F>(f)(double{});
    case DType::I32: return std::forward<F>(f)(std::int32_t{});
    case DType::U8: return std::forward<F>(f)(std::uint8_t{});
  }
  raise<ShapeError>("unknown element type");
}

}  // namespace squall
