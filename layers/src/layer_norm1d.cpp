// LayerNorm1D: numpy-ml's, over the one axis of features.
#include "common/norm_layers.hpp"

namespace squall {

class LayerNorm1D final : public NormOfLastAxes<LayerNorm1D, NormOfFeaturesOptions> {
 public:
  static constexpr std::string_view kType = "LayerNorm1D";
  static constexpr std::string_view kDoc =
      "LayerNorm over the one axis of features, with a weight and a bias for each of their elements.";
  static constexpr bool kCentred = true;
  Shape axes(const Declare& d, In x) const { return all_axes(d, x, 1); }
};

void register_layer_norm1d(Catalog& catalog) { catalog.of<Layer>().add<LayerNorm1D>(); }

}  // namespace squall
