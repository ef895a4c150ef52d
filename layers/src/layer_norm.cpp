// LayerNorm: PyTorch's, over the last axes (Ba, Kiros, Hinton 2016).
#include "common/norm_layers.hpp"

namespace squall {

struct LayerNormOptions {
  Extents normalized_shape;
  double epsilon = 1e-5;
  bool elementwise_affine = true, bias = true;
  static constexpr auto fields =
      std::tuple{field("normalized_shape", &LayerNormOptions::normalized_shape,
                       "extents of the last axes, over which every example is normalised: 512 or [28, 28, 3]; default: "
                       "the last one"),
                 field("epsilon", &LayerNormOptions::epsilon, "added to the variance"),
                 field("elementwise_affine", &LayerNormOptions::elementwise_affine,
                       "whether there is a weight (and a bias) for each of these elements"),
                 field("bias", &LayerNormOptions::bias, "whether there is a bias")};
};

class LayerNorm final : public NormOfLastAxes<LayerNorm, LayerNormOptions> {
 public:
  static constexpr std::string_view kType = "LayerNorm";
  static constexpr std::string_view kDoc =
      "y = (x - mean) / sqrt(variance + epsilon) weight + bias; mean and biased variance of each example (and time "
      "step) over the last axes. The same in training and evaluation.";
  static constexpr bool kCentred = true;
  Shape axes(const Declare& d, In x) const { return axes_or_last(d, x, options.normalized_shape); }
};

void register_layer_norm(Catalog& catalog) { catalog.of<Layer>().add<LayerNorm>(); }

}  // namespace squall
