// Pooling2D: brainstorm's pooling.
#include "common/convolution.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct Pooling2DOptions {
  std::optional<Pair> kernel_size;
  PoolKind type = PoolKind::Max;
  Pair stride;
  Padding padding;
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
    x_ = d.input("default", "...");
    window_ = sliding_window(d, "default", x_, *options.kernel_size, options.stride, options.padding);
    y_ = d.output("default", d.like(x_, window_features(window_, window_.channels)));
    plan_ = d.plan<PoolPlan>();
  }
  void prepare(Prepare& p) const override {
    PoolSpec spec;
    spec.images = p.rows(x_);
    spec.window = window_;
    spec.kind = options.type;
    p.keep(plan_, p.handler().pool().plan(spec));
  }
  void forward(Forward& f) const override { run_forward(f[plan_], f[x_], f[y_]); }
  void backward(Backward& b) const override { run_backward(b[plan_], b.delta(y_), b.delta(x_)); }

 private:
  In x_;
  Out y_;
  PlanSlot<PoolPlan> plan_;
  Window window_;
};

void register_pooling2d(Catalog& catalog) { catalog.of<Layer>().add<Pooling2D>(); }

}  // namespace squall
