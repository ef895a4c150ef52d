// Weights rounded to fewer bits. Values stay what the handler computes with; they are those the narrow format can hold,
// and a zero stays a zero, so masks are as before. Model files can hold them in it (`SaveOptions`).
#pragma once

#include <string>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/core/quantization.hpp"

namespace squall {

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
