// Activations as types, in the order of core/activation.hpp: Linear, Rel, Tanh, Sigmoid, El.
// Only included by files that are compiled once per instruction set.
#pragma once

#include "cpu/isa/math.hpp"

namespace squall::cpu::SQUALL_ISA {

struct Rel {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x > R(0) || x != x ? x : R(0);
  }
  template <class R>
  SQUALL_INLINE R back(R y, R dy) {
    return y > R(0) ? dy : R(0);
  }
};
struct Tanh {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return tanh_of(x);
  }
  template <class R>
  SQUALL_INLINE R back(R y, R dy) {
    return dy * (R(1) - y * y);
  }
};
struct Sigmoid {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return sigmoid_of(x);
  }
  template <class R>
  SQUALL_INLINE R back(R y, R dy) {
    return dy * y * (R(1) - y);
  }
};
struct El {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return el_of(x);
  }
  template <class R>
  SQUALL_INLINE R back(R y, R dy) {
    return y > R(0) ? dy : dy * (y + R(1));
  }
};
struct Linear {
  template <class R>
  SQUALL_INLINE R of(R x) {
    return x;
  }
  template <class R>
  SQUALL_INLINE R back(R, R dy) {
    return dy;
  }
};

}  // namespace squall::cpu::SQUALL_ISA
