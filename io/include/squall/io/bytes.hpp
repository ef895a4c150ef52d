// Raw bytes of files, and numbers in them at any offset and in either byte order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace squall {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

inline ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

namespace detail {
template <std::size_t N>
using UnsignedOf = std::conditional_t<
    N == 1, std::uint8_t,
    std::conditional_t<N == 2, std::uint16_t, std::conditional_t<N == 4, std::uint32_t, std::uint64_t>>>;

template <class T>
T load(const std::byte* from, bool little) {
  UnsignedOf<sizeof(T)> bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const std::size_t shift = 8 * (little ? i : sizeof(T) - 1 - i);
    bits = static_cast<decltype(bits)>(bits | (static_cast<std::uint64_t>(from[i]) << shift));
  }
  return std::bit_cast<T>(bits);
}
}  // namespace detail

// The caller has checked that sizeof(T) bytes are there.
template <class T>
T load_little(const std::byte* from) {
  return detail::load<T>(from, true);
}
template <class T>
T load_big(const std::byte* from) {
  return detail::load<T>(from, false);
}
template <class T>
void store_little(std::byte* to, T value) {
  const auto bits = std::bit_cast<detail::UnsignedOf<sizeof(T)>>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i)
    to[i] = static_cast<std::byte>((static_cast<std::uint64_t>(bits) >> (8 * i)) & 0xFFU);
}

}  // namespace squall
