// Weights rounded to fewer bits. Values stay what the handler computes with; they are those the narrow format can hold,
// and a zero stays a zero, so masks are as before.
#pragma once

#include <string>
#include <vector>

#include "squall/core/network.hpp"

namespace squall {

enum class Quantization : std::uint8_t { Fp16, Bf16, Int8 };
std::span<const EnumName<Quantization>> enum_names(Quantization);  // "fp16", "bf16", "int8"

// The nearest value of the format, ties to even; what is too large becomes the largest.
double round_to_fp16(double v);
double round_to_bf16(double v);

struct QuantizedTensor {
  std::string parameter;
  Index values = 0;          // that are not masked
  Index scales = 0;          // int8: one per unit (or filter) and task
  double largest_error = 0;  // of a weight, relative to the largest one of the tensor
  Index clipped = 0;         // values too large for the format
};
struct QuantizeReport {
  std::vector<QuantizedTensor> tensors;
  std::size_t bytes = 0;  // of kept values in the format, with scales; what stays as it is counts 4 each
  json to_json() const;
  std::string text() const;
};

// int8 is for weights; biases, gains and other vectors stay as they are.
QuantizeReport quantize_network(Network& network, Quantization format);

}  // namespace squall
