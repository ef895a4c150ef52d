// Mask: multiplies data with a mask of the same or a coarser shape.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class Mask final : public LayerOf<Mask, NoOptions> {
 public:
  static constexpr std::string_view kType = "Mask";
  static constexpr std::string_view kDoc =
      "y = x mask. The mask's features are those of x, or one number per pixel (last axis 1), or one number (1).";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    mask_ = d.input("mask", "...", {.differentiable = false});
    const BufferShape& x = d.shape(x_);
    const BufferShape& m = d.shape(mask_);
    const Shape per_pixel = x.features.with_last(1);
    const bool one = m.features == Shape{1};
    if (x.time != m.time || x.batch != m.batch || (!one && m.features != per_pixel && m.features != x.features))
      d.fail("input 'mask' is ", m, ", but for 'default' ", x, " its features should be (1), ", per_pixel, " or ",
             x.features);
    whole_ = m.features == x.features;
    lead_ = leading_axes(x) + (one ? 0 : x.features.rank() - 1);
    y_ = d.output("default", d.like(x_));
    d.backward_reads(mask_);
  }
  void forward(Forward& f) const override { apply(f.handler(), f[x_], f[mask_], f[y_]); }
  void backward(Backward& b) const override { apply(b.handler(), b.delta(y_), b[mask_], b.delta(x_)); }

 private:
  void apply(Handler& handler, const ConstTensor& x, const ConstTensor& mask, const Sink& y) const {
    if (whole_)
      handler.elementwise().binary(Binary::Multiply, x, mask, y);
    else
      handler.linalg().with_column(Binary::Multiply, flatten(x, lead_), mask, flatten(y, lead_));
  }
  In x_, mask_;
  Out y_;
  bool whole_ = false;
  int lead_ = 0;  // axes of x that have a mask value of their own
};

void register_mask(Catalog& catalog) { catalog.of<Layer>().add<Mask>(); }

}  // namespace squall
