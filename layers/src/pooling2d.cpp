// Pooling2D: brainstorm's pooling.
#include "common/pooling.hpp"

namespace squall {

struct Pooling2DOptions {
  std::optional<PerAxis<2>> kernel_size;
  PoolKind type = PoolKind::Max;
  PerAxis<2> stride = PerAxis<2>::all(1);
  PaddingOf<2> padding;
  std::optional<std::string> activation_function;
  static constexpr auto fields =
      std::tuple{field("kernel_size", &Pooling2DOptions::kernel_size, "height and width of the window: [2, 2] or 2"),
                 field("type", &Pooling2DOptions::type, "max or avg"),
                 field("stride", &Pooling2DOptions::stride, "vertical and horizontal steps"),
                 field("padding", &Pooling2DOptions::padding,
                       "pixels on each side that count for nothing: a number, [vertical, horizontal], [[top, bottom], "
                       "[left, right]], "
                       "'same' or 'valid'"),
                 field("activation_function", &Pooling2DOptions::activation_function,
                       "has no effect; accepted because networks of brainstorm may hold it")};
};

class Pooling2D final : public LayerOf<Pooling2D, Pooling2DOptions> {
 public:
  static constexpr std::string_view kType = "Pooling2D";
  static constexpr std::string_view kDoc =
      "The largest or the mean of the pixels in a sliding window, for each channel of images (height, width, "
      "channels). "
      "Pixels of the padding are never part of it.";

  void declare(Declare& d) override {
    if (!options.kernel_size) d.fail("option 'kernel_size' is missing: height and width of the window, like [2, 2]");
    PoolPath::Wanted wanted;
    wanted.how = sliding(*options.kernel_size, options.stride, options.padding);
    wanted.kind = options.type;
    path_.declare(d, "default", wanted);
  }
  void prepare(Prepare& p) const override { path_.prepare(p); }
  void forward(Forward& f) const override { path_.forward(f); }
  void backward(Backward& b) const override { path_.backward(b); }

 private:
  PoolPath path_;
};

void register_pooling2d(Catalog& catalog) { catalog.of<Layer>().add<Pooling2D>(); }

}  // namespace squall
