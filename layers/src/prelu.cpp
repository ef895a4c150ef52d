// PReLU: rectified units whose slope below 0 is learned (He et al. 2015).
#include <limits>

#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct PReluOptions {
  Index num_parameters = 1;
  static constexpr auto fields =
      std::tuple{field("num_parameters", &PReluOptions::num_parameters,
                       "1: one slope for all; or as many as the last axis (the channels of images) has elements")};
};

class PRelu final : public LayerOf<PRelu, PReluOptions> {
 public:
  static constexpr std::string_view kType = "PReLU";
  static constexpr std::string_view kDoc =
      "y = x where x > 0, otherwise weight x; weight (num_parameters), at first 0.25.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    const Index channels = d.features(x_)[-1];
    if (options.num_parameters != 1 && options.num_parameters != channels)
      d.fail("option 'num_parameters' should be 1 or ", channels, ", the last extent of ", d.shape(x_), "; not ",
             options.num_parameters);
    y_ = d.output("default", d.like(x_));
    weight_ = d.parameter("weight", Shape{options.num_parameters}, {.initial = 0.25});
    below_ = d.internal("below", d.like(x_));
    scratch_ = d.internal("scratch", d.like(x_), {.life = Life::Backward});
    d.backward_reads(x_);
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    const double far = std::numeric_limits<double>::infinity();
    each.clip(f[x_], -far, 0.0, f[below_]);
    each.clip(f[x_], 0.0, far, f[y_]);
    scaled(f, f[below_], Sink(f[y_], Write::Add));
  }
  void backward(Backward& b) const override {
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dy = b.delta(y_), part = b[scratch_];
    if (const Sink dw = b.gradient(weight_)) {
      each.binary(Binary::Multiply, dy, b[below_], part);
      if (options.num_parameters == 1)
        b.handler().linalg().sum_all(part, dw);
      else
        b.handler().linalg().sum_rows(part, dw);
    }
    const Sink dx = b.delta(x_);
    if (!dx) return;
    each.unary(Unary::Sign, b[x_], part);
    each.clip(part, 0.0, 1.0, part);
    each.binary(Binary::Multiply, dy, part, part);  // what goes through above 0
    each.binary(Binary::Subtract, dy, part, dy);
    each.unary(Unary::Copy, part, dx);
    scaled(b, dy, Sink(dx.to, Write::Add));
  }

 private:
  void scaled(const Pass& pass, const ConstTensor& x, const Sink& out) const {
    LinalgOps& rows = pass.handler().linalg();
    const Shape line{1, x.elements()};
    if (options.num_parameters == 1)
      rows.with_column(Binary::Multiply, x.reshaped(line), pass[weight_], out.reshaped(line));
    else
      rows.with_row(Binary::Multiply, x, pass[weight_], out);
  }
  In x_;
  Out y_;
  Param weight_;
  Internal below_, scratch_;
};

void register_prelu(Catalog& catalog) { catalog.of<Layer>().add<PRelu>(); }

}  // namespace squall
