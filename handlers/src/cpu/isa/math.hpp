// Exponentials in single precision as branchless polynomials, so that loops over them become vector code
// (relative error below 2e-7); in double precision those of the C library.
// Only included by files that are compiled once per instruction set.
#pragma once

#include <cmath>
#include <cstdint>

#define SQUALL_INLINE [[gnu::always_inline]] static inline

namespace squall::cpu::SQUALL_ISA {

SQUALL_INLINE float from_bits(std::int32_t bits) { return __builtin_bit_cast(float, bits); }
SQUALL_INLINE std::int32_t to_bits(float x) { return __builtin_bit_cast(std::int32_t, x); }

// x = n ln 2 + r with |r| <= ln 2 / 2; returns r. NaN gives NaN and some n.
SQUALL_INLINE float reduce_by_ln2(float x, std::int32_t& n) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float shifted = x * 1.44269504088896341F + kRound;
  n = to_bits(shifted) - to_bits(kRound);
  const float whole = shifted - kRound;
  return (x - whole * 0.693359375F) + whole * 2.12194440e-4F;
}
// exp(r) - 1 for |r| <= ln 2 / 2.
SQUALL_INLINE float small_expm1(float r) {
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  return p * r * r + r;
}
SQUALL_INLINE float exp_of(float x) {
  const float low = x < -104.0F ? -104.0F : x;
  const float bounded = low > 89.0F ? 89.0F : low;
  std::int32_t n = 0;
  const float r = reduce_by_ln2(bounded, n);
  const std::int32_t half = n >> 1;
  // Two factors, because 2^n itself may be too large or too small for a normal number.
  const float first = from_bits((half + 127) << 23);
  const float second = from_bits((n - half + 127) << 23);
  return ((small_expm1(r) + 1.0F) * first) * second;
}
SQUALL_INLINE double exp_of(double x) { return ::exp(x); }

SQUALL_INLINE float sigmoid_of(float x) {
  const float e = exp_of(x > 0.0F ? -x : x);
  return (x >= 0.0F ? 1.0F : e) / (1.0F + e);
}
SQUALL_INLINE double sigmoid_of(double x) {
  const double e = ::exp(x > 0.0 ? -x : x);
  return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

SQUALL_INLINE float tanh_of(float x) {
  const float z = x * x;
  float p = -5.70498872745e-3F;
  p = p * z + 2.06390887954e-2F;
  p = p * z - 5.37397155531e-2F;
  p = p * z + 1.33314422036e-1F;
  p = p * z - 3.33332819422e-1F;
  const float near = p * z * x + x;
  const float magnitude = x < 0.0F ? -x : x;
  const float far = 1.0F - 2.0F / (exp_of(2.0F * magnitude) + 1.0F);
  const float signed_far = x < 0.0F ? -far : far;
  return magnitude < 0.625F ? near : signed_far;
}
SQUALL_INLINE double tanh_of(double x) { return ::tanh(x); }

// exp(x) - 1 where x <= 0, x elsewhere.
SQUALL_INLINE float el_of(float x) {
  const float negative = x < 0.0F ? x : 0.0F;
  const float bounded = negative < -30.0F ? -30.0F : negative;
  std::int32_t n = 0;
  const float r = reduce_by_ln2(bounded, n);
  const float scale = from_bits((n + 127) << 23);
  const float below = small_expm1(r) * scale + (scale - 1.0F);
  return x < 0.0F ? below : x;
}
SQUALL_INLINE double el_of(double x) { return x > 0.0 ? x : ::expm1(x); }

SQUALL_INLINE float root_of(float x) { return ::sqrtf(x); }
SQUALL_INLINE double root_of(double x) { return ::sqrt(x); }
SQUALL_INLINE float log_of(float x) { return ::logf(x); }
SQUALL_INLINE double log_of(double x) { return ::log(x); }
SQUALL_INLINE float log1p_of(float x) { return ::log1pf(x); }
SQUALL_INLINE double log1p_of(double x) { return ::log1p(x); }
SQUALL_INLINE float mod_of(float a, float b) { return ::fmodf(a, b); }
SQUALL_INLINE double mod_of(double a, double b) { return ::fmod(a, b); }

}  // namespace squall::cpu::SQUALL_ISA
