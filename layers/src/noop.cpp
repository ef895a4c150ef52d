// NoOp: hands its input on.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

class NoOp final : public LayerOf<NoOp, NoOptions> {
 public:
  static constexpr std::string_view kType = "NoOp";
  static constexpr std::string_view kDoc = "y = x";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
  }
  void forward(Forward& f) const override { f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]); }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(x_)); }

 private:
  In x_;
  Out y_;
};

void register_noop(Catalog& catalog) { catalog.of<Layer>().add<NoOp>(); }

}  // namespace squall
