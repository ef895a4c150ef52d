// A weight matrix stored for inference in a form smaller than dense. Rows are output units (or filters), columns
// are inputs (for convolution: kernel_h, kernel_w, channel flattened). Lives on the host; a plan prepares what its
// kernel needs from it.
#pragma once

#include "squall/core/sparse_pattern.hpp"
#include "squall/core/tensor.hpp"

namespace squall {

enum class WeightFormat : std::uint8_t { Dense, Compacted, Sparse };
std::string_view name_of(WeightFormat f);

// The kept weights of one task's slice.
struct PackedWeight : SparsePattern {
  WeightFormat format = WeightFormat::Sparse;  // how it is to be computed, chosen when the model was converted
  std::vector<float> value;                    // of each entry

  // All entries of a dense (rows, columns) matrix that are kept (mask != 0) or, without a mask, not zero.
  static PackedWeight from_dense(std::span<const float> dense, Index rows, Index columns,
                                 std::span<const std::uint8_t> mask = {});
  std::vector<float> to_dense() const;
  // Throws DataError saying what is inconsistent.
  void check() const;
};

// How a plan gets the weight of a layer. `values` is dense and already masked where masks exist; of a plan made for a
// pattern it is the vector of the pattern's entries; it is empty for packed weights.
struct WeightRef {
  ConstTensor values;
  const PackedWeight* packed = nullptr;
  std::uint64_t version = 0;  // another one whenever values may have changed; 0: unknown
};

}  // namespace squall
