// The two functions that PyTorch's simple recurrent units may have.
#pragma once

#include <array>
#include <span>

#include "squall/core/activation.hpp"

namespace squall {

enum class Nonlinearity : std::uint8_t { Tanh, Relu };

inline std::span<const EnumName<Nonlinearity>> enum_names(Nonlinearity) {
  static constexpr std::array<EnumName<Nonlinearity>, 2> kNames{
      {{"tanh", Nonlinearity::Tanh}, {"relu", Nonlinearity::Relu}}};
  return kNames;
}
inline Activation activation_of(Nonlinearity f) { return f == Nonlinearity::Tanh ? Activation::Tanh : Activation::Rel; }

}  // namespace squall
