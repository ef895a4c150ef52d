// PixelShuffle: channels become pixels.
#include "common/mapped.hpp"

namespace squall {

struct PixelShuffleOptions {
  Index upscale_factor = 0;
  static constexpr auto fields = std::tuple{field("upscale_factor", &PixelShuffleOptions::upscale_factor,
                                                  "how many times higher and wider the image becomes")};
};

class PixelShuffle final : public LayerOf<PixelShuffle, PixelShuffleOptions> {
 public:
  static constexpr std::string_view kType = "PixelShuffle";
  static constexpr std::string_view kDoc =
      "Images (height, width, channels r r) as (r height, r width, channels): channel c r r + i r + j goes to row i "
      "and "
      "column j of its pixel.";

  void declare(Declare& d) override {
    const In x = d.input("default", "...");
    const Window w = image_window(d, "default", x, 2);
    const Index r = options.upscale_factor;
    if (r < 1) d.fail("option 'upscale_factor' should be a positive whole number, not ", r);
    if (w.channels % (r * r) != 0)
      d.fail("input 'default' is ", d.shape(x), ", but its channels should be a multiple of ", r, " x ", r);
    const Index channels = w.channels / (r * r);
    PixelMapSpec map;  // of single elements
    map.inputs = map.outputs = w.pixels() * w.channels;
    map.channels = 1;
    for (Index row = 0; row < w.height * r; ++row)
      for (Index column = 0; column < w.width * r; ++column)
        for (Index c = 0; c < channels; ++c) {
          const Index pixel = row / r * w.width + column / r;
          map.index.push_back(static_cast<std::int32_t>(pixel * w.channels + c * r * r + row % r * r + column % r));
        }
    path_.declare(d, x, Shape{w.height * r, w.width * r, channels}, std::move(map));
  }
  void prepare(Prepare& p) const override { path_.prepare(p); }
  void forward(Forward& f) const override { path_.forward(f); }
  void backward(Backward& b) const override { path_.backward(b); }

 private:
  MappedPath path_;
};

void register_pixel_shuffle(Catalog& catalog) { catalog.of<Layer>().add<PixelShuffle>(); }

}  // namespace squall
