// Numbers of fewer bits: which values fp16, bf16 and int8 with a scale can hold.
#pragma once

#include <cstdint>

#include "squall/core/enum_name.hpp"

namespace squall {

enum class Quantization : std::uint8_t { Fp16, Bf16, Int8 };
std::span<const EnumName<Quantization>> enum_names(Quantization);  // "fp16", "bf16", "int8"

// The nearest value of the format, ties to even; what is too large becomes the largest.
double round_to_fp16(double v);
double round_to_bf16(double v);

// Of values up to `largest`: code * scale is exact in single precision for all codes of -127 .. 127, and the scale of
// rounded values is the one they were rounded with. 0 where everything is 0.
float int8_scale(double largest);
int int8_code(double v, float scale);

}  // namespace squall
