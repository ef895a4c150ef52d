// Layers that look up rows of a table: what Embedding and EmbeddingBag share.
#pragma once

#include "common/declarations.hpp"
#include "squall/core/ops/embedding.hpp"

namespace squall {

// The option `padding_idx`, counted from the end where it is negative; -1 where there is none.
inline Index padding_of(const Declare& d, const std::optional<Index>& option, Index vocabulary) {
  if (!option) return -1;
  if (*option < -vocabulary || *option >= vocabulary)
    d.fail("option 'padding_idx' should be in ", -vocabulary, "..", vocabulary - 1, ", not ", *option);
  return *option < 0 ? *option + vocabulary : *option;
}
inline void require_table(const Declare& d, Index vocabulary, Index width) {
  if (vocabulary < 1) d.fail("option 'num_embeddings' should be a positive whole number, not ", vocabulary);
  if (width < 1) d.fail("option 'embedding_dim' should be a positive whole number, not ", width);
}
inline ConstTensor flat_ids(const ConstTensor& ids) { return ids ? ids.reshaped(Shape{ids.elements()}) : ids; }

// Ids are counted in their last axis where that is 1: (T, B, 1) gives (T, B, width), (B, 5) gives (B, 5, width).
inline Shape looked_up(const Shape& ids, Index width) {
  return (ids[-1] == 1 ? ids.until(ids.rank() - 1) : ids).with_back(width);
}

}  // namespace squall
