// Inputs that are sequences: (T, B, width), or (B, length, width) and (length, width) where the length is known.
#pragma once

#include "squall/core/contexts.hpp"

namespace squall {

struct Sequences {
  bool batch_first = false;
  Index width = 0, length = -1;  // -1: it comes with the data

  static Sequences of(const Declare& d, std::string_view name, In in) {
    const BufferShape& shape = d.shape(in);
    const bool time_major = shape.scales_with_time() && shape.features.rank() == 1;
    const bool known = !shape.scales_with_time() && shape.features.rank() == 2;
    if (!time_major && !known)
      d.fail("input '", name, "' should be sequences (T, B, width) or (B, length, width), but is ", shape);
    return {known, shape.features[-1], known ? shape.features[0] : -1};
  }
  // The shape of a buffer of such sequences with another width, and with more steps.
  BufferShape like(const BufferShape& shape, Index other_width, Index more = 0) const {
    BufferShape s = shape;
    s.features = batch_first ? Shape{length + more, other_width} : Shape{other_width};
    return s;
  }
};

// What a shape means when data has come.
struct SequenceSizes {
  Index batch = 1, length = 0;
  static SequenceSizes of(const Sequences& s, const Shape& shape) {
    if (!s.batch_first) return {shape[1], shape[0]};
    return {shape.rank() == 3 ? shape[0] : 1, shape[-2]};
  }
  Index rows() const { return batch * length; }
};

}  // namespace squall
