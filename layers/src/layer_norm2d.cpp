// LayerNorm2D: numpy-ml's, over height, width and channels together.
#include "common/norm_layers.hpp"

namespace squall {

class LayerNorm2D final : public NormOfLastAxes<LayerNorm2D, NormOfFeaturesOptions> {
 public:
  static constexpr std::string_view kType = "LayerNorm2D";
  static constexpr std::string_view kDoc =
      "LayerNorm over height, width and channels together, with a weight and a bias for each of their elements.";
  static constexpr bool kCentred = true;
  Shape axes(const Declare& d, In x) const { return all_axes(d, x, 3); }
};

void register_layer_norm2d(Catalog& catalog) { catalog.of<Layer>().add<LayerNorm2D>(); }

}  // namespace squall
