// DeltasScaling: hands its input on, and what comes back times a factor.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct DeltasScalingOptions {
  std::optional<double> factor;
  static constexpr auto fields = std::tuple{field("factor", &DeltasScalingOptions::factor,
                                                  "what deltas are multiplied with; negative reverses the gradient")};
};

class DeltasScaling final : public LayerOf<DeltasScaling, DeltasScalingOptions> {
 public:
  static constexpr std::string_view kType = "DeltasScaling";
  static constexpr std::string_view kDoc = "y = x on the way forward, dx = factor dy on the way back.";

  void declare(Declare& d) override {
    if (!options.factor) d.fail("option 'factor' is missing: the number that deltas are multiplied with");
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
  }
  void forward(Forward& f) const override { f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]); }
  void backward(Backward& b) const override {
    b.handler().elementwise().affine(b.delta(y_), *options.factor, 0.0, b.delta(x_));
  }

 private:
  In x_;
  Out y_;
};

void register_deltas_scaling(Catalog& catalog) { catalog.of<Layer>().add<DeltasScaling>(); }

}  // namespace squall
