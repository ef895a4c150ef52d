#include "squall/core/quantization.hpp"

#include <algorithm>
#include <cmath>

namespace squall {

namespace {

constexpr EnumName<Quantization> kFormats[] = {
    {"fp16", Quantization::Fp16}, {"bf16", Quantization::Bf16}, {"int8", Quantization::Int8}};

// To so many binary digits, with the least exponent of normal numbers.
double round_to_bits(double v, int digits, int least, double largest) {
  if (v == 0 || !std::isfinite(v)) return v;
  int exponent = 0;
  std::frexp(v, &exponent);  // |v| in [2^(e-1), 2^e)
  const double step = std::ldexp(1.0, std::max(exponent - 1, least) - digits + 1);
  return std::clamp(std::nearbyint(v / step) * step, -largest, largest);
}

constexpr int kLargestCode = 127;

}  // namespace

std::span<const EnumName<Quantization>> enum_names(Quantization) { return kFormats; }

double round_to_fp16(double v) { return round_to_bits(v, 11, -14, 65504); }
double round_to_bf16(double v) { return round_to_bits(v, 8, -126, std::ldexp(255.0, 120)); }

// Of 16 binary digits, upwards, so that the largest value keeps its code.
float int8_scale(double largest) {
  if (largest == 0 || !std::isfinite(largest)) return 0;
  int exponent = 0;
  std::frexp(largest / kLargestCode, &exponent);
  const double step = std::ldexp(1.0, std::max(exponent, -125) - 16);
  return static_cast<float>(std::ceil(largest / kLargestCode / step) * step);
}

int int8_code(double v, float scale) {
  if (scale == 0) return 0;
  return static_cast<int>(
      std::clamp<double>(std::nearbyint(v / static_cast<double>(scale)), -kLargestCode, kLargestCode));
}

}  // namespace squall
