// Pool2D: numpy-ml's pooling.
#include "common/pooling.hpp"

namespace squall {

enum class Pool2DMode : std::uint8_t { Max, Average };
static std::span<const EnumName<Pool2DMode>> enum_names(Pool2DMode) {
  static constexpr std::array<EnumName<Pool2DMode>, 2> kNames{
      {{"max", Pool2DMode::Max}, {"average", Pool2DMode::Average}}};
  return kNames;
}

struct Pool2DOptions {
  std::optional<PerAxis<2>> kernel_size;
  PerAxis<2> stride = PerAxis<2>::all(1);
  PaddingOf<2> padding;
  Pool2DMode mode = Pool2DMode::Max;
  bool count_include_pad = true;
  static constexpr auto fields = std::tuple{
      field("kernel_size", &Pool2DOptions::kernel_size, "height and width of the window: [2, 2] or 2"),
      field("stride", &Pool2DOptions::stride, "vertical and horizontal steps"),
      field("padding", &Pool2DOptions::padding,
            "'same', 'valid', a number, [vertical, horizontal] or [[top, bottom], [left, right]]"),
      field("mode", &Pool2DOptions::mode, "max or average"),
      field("count_include_pad", &Pool2DOptions::count_include_pad, "average: whether zeros of the padding count")};
};

class Pool2D final : public LayerOf<Pool2D, Pool2DOptions> {
 public:
  static constexpr std::string_view kType = "Pool2D";
  static constexpr std::string_view kDoc =
      "The largest or the mean of the pixels in a sliding window, for each channel of images (height, width, "
      "channels). "
      "Padding never is the largest.";

  void declare(Declare& d) override {
    if (!options.kernel_size) d.fail("option 'kernel_size' is missing: height and width of the window, like [2, 2]");
    PoolPath::Wanted wanted;
    wanted.how = sliding(*options.kernel_size, options.stride, options.padding);
    wanted.kind = options.mode == Pool2DMode::Max ? PoolKind::Max : PoolKind::Avg;
    wanted.count_padding = options.count_include_pad;
    path_.declare(d, "default", wanted);
  }
  void prepare(Prepare& p) const override { path_.prepare(p); }
  void forward(Forward& f) const override { path_.forward(f); }
  void backward(Backward& b) const override { path_.backward(b); }

 private:
  PoolPath path_;
};

void register_pool2d(Catalog& catalog) { catalog.of<Layer>().add<Pool2D>(); }

}  // namespace squall
