// Deconv2D: numpy-ml's name of the transposed convolution of images.
#include "common/transposed.hpp"

namespace squall {

class Deconv2D final : public ConvTranspose<Deconv2D, 2> {
 public:
  static constexpr std::string_view kType = "Deconv2D";
  static constexpr std::string_view kDoc =
      "The transposed convolution ConvTranspose2D: stride (in - 1) - 2 padding + kernel pixels come out along an axis.";
};

void register_deconv2d(Catalog& catalog) { catalog.of<Layer>().add<Deconv2D>(); }

}  // namespace squall
