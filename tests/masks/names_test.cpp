// The names the original package registers for its own files.
#include "masks/mask_nets.hpp"

using namespace squall;

TEST_CASE("Every layer of the original package is in the catalog", "[names]") {
  for (const char* name :
       {"FilterLayer",           "MaskedConv2D",      "MaskedConv3D",      "MaskedDense",       "MultiConv2D",
        "MultiConv3D",           "MultiDense",        "MultiMaskedConv2D", "MultiMaskedConv3D", "MultiMaskedDense",
        "MultiMaxPool2D",        "MultiMaxPool3D",    "SelectorLayer",     "SparseConv2D",      "SparseConv3D",
        "SparseDense",           "SparseMultiConv2D", "SparseMultiConv3D", "SparseMultiDense",  "SumLayer",
        "MultitaskNormalization"})
    CHECK(test::catalog().of<Layer>().contains(name));
}
