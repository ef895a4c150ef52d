// The activations of layers and plans, with their names in JSON.
#pragma once

#include <span>

#include "squall/core/enum_name.hpp"
#include "squall/core/shape.hpp"

namespace squall {

enum class Activation : std::uint8_t { Linear, Rel, Tanh, Sigmoid, El, Softmax };

// rel (or relu), tanh, sigmoid, el, linear; softmax is BeyondML's head and works over the last axis.
std::span<const EnumName<Activation>> enum_names(Activation);

}  // namespace squall
