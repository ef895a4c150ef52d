// RMSNorm: normalisation by the root mean square (Zhang, Sennrich 2019).
#include "common/norm_layers.hpp"

namespace squall {

struct RMSNormOptions {
  Extents normalized_shape;
  double epsilon = 1e-6;
  bool elementwise_affine = true;
  static constexpr auto fields =
      std::tuple{field("normalized_shape", &RMSNormOptions::normalized_shape,
                       "extents of the last axes, over which every example is normalised: 512 or [28, 28, 3]; default: "
                       "the last one"),
                 field("epsilon", &RMSNormOptions::epsilon, "added to the mean of squares"),
                 field("elementwise_affine", &RMSNormOptions::elementwise_affine,
                       "whether there is a weight for each of these elements")};
};

class RMSNorm final : public NormOfLastAxes<RMSNorm, RMSNormOptions> {
 public:
  static constexpr std::string_view kType = "RMSNorm";
  static constexpr std::string_view kDoc =
      "y = x / sqrt(mean of squares + epsilon) weight, for each example (and time step) over the last axes.";
  static constexpr bool kCentred = false;
  Shape axes(const Declare& d, In x) const { return axes_or_last(d, x, options.normalized_shape); }
};

void register_rms_norm(Catalog& catalog) { catalog.of<Layer>().add<RMSNorm>(); }

}  // namespace squall
