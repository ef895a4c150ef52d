// Names of the values of an enumeration, in JSON and in messages.
#pragma once

#include <concepts>
#include <span>
#include <string_view>

namespace squall {

// An enumeration becomes describable by `std::span<const EnumName<E>> enum_names(E)`, found by its namespace.
// The first name of a value is written, all are read.
template <class E>
struct EnumName {
  std::string_view name;
  E value;
};
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  enum_names(e);
};

// The name that is written; empty for a value without one.
template <NamedEnum E>
std::string_view enum_name(E v) {
  for (const auto& known : enum_names(v))
    if (known.value == v) return known.name;
  return {};
}

}  // namespace squall
