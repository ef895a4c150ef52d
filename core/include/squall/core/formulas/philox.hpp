// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
// The n-th block of a stream is computed directly, so any thread or device gets the same numbers.
#pragma once

#include <cmath>
#include <cstdint>

#include "squall/core/formulas/portable.hpp"

namespace squall::formulas {

struct Block {
  std::uint32_t v[4];
};

SQUALL_HD inline Block philox(std::uint64_t counter_low, std::uint64_t counter_high, std::uint64_t key) {
  std::uint32_t c0 = static_cast<std::uint32_t>(counter_low), c1 = static_cast<std::uint32_t>(counter_low >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(counter_high), c3 = static_cast<std::uint32_t>(counter_high >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * c0;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return {{c0, c1, c2, c3}};
}

// [0, 1) with 32 bits; the same value in float (rounded down to 24 bits) and double.
SQUALL_HD inline double unit(std::uint32_t bits) { return static_cast<double>(bits >> 8) * 0x1p-24; }

// Two standard normal numbers from two words (Box-Muller, in double).
SQUALL_HD inline void normal_pair(std::uint32_t a, std::uint32_t b, double& first, double& second) {
  const double u = (static_cast<double>(a) + 1.0) * 0x1p-32;  // (0, 1]
  const double angle = 6.283185307179586477 * (static_cast<double>(b) * 0x1p-32);
  const double radius = ::sqrt(-2.0 * ::log(u));
  first = radius * ::cos(angle);
  second = radius * ::sin(angle);
}

}  // namespace squall::formulas
