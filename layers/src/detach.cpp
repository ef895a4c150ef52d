// Detach: nothing goes back through it.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

class Detach final : public LayerOf<Detach, NoOptions> {
 public:
  static constexpr std::string_view kType = "Detach";
  static constexpr std::string_view kDoc =
      "y = x, and nothing goes back: what lies before is not trained by what lies behind. Also for parameters as a "
      "source (\"..parameters.W\").";

  void declare(Declare& d) override {
    x_ = d.input("default", "...", {.differentiable = false});
    y_ = d.output("default", d.like(x_), {.takes_delta = false});
  }
  void forward(Forward& f) const override { f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]); }
  void backward(Backward&) const override {}

 private:
  In x_;
  Out y_;
};

void register_detach(Catalog& catalog) { catalog.of<Layer>().add<Detach>(); }

}  // namespace squall
