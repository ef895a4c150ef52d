// SquaredDifference: (a - b)^2 for every element.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

class SquaredDifference final : public LayerOf<SquaredDifference, NoOptions> {
 public:
  static constexpr std::string_view kType = "SquaredDifference";
  static constexpr std::string_view kDoc = "y = (inputs_1 - inputs_2)^2 for every element; both get deltas.";

  void declare(Declare& d) override {
    a_ = d.input("inputs_1", "...");
    b_ = d.input("inputs_2", "...");
    require_equal(d, "inputs_1", a_, "inputs_2", b_);
    y_ = d.output("default", d.like(a_));
    diff_ = d.internal("diff", d.like(a_));
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().binary(Binary::Subtract, f[a_], f[b_], f[diff_]);
    f.handler().elementwise().unary(Unary::Square, f[diff_], f[y_]);
  }
  void backward(Backward& b) const override {
    auto& ops = b.handler().elementwise();
    const Tensor dy = b.delta(y_);
    ops.affine(dy, 2.0, 0.0, dy);
    ops.binary(Binary::Multiply, dy, b[diff_], b.delta(a_));
    if (const Sink db = b.delta(b_)) {
      ops.unary(Unary::Negate, dy, dy);
      ops.binary(Binary::Multiply, dy, b[diff_], db);
    }
  }

 private:
  In a_, b_;
  Out y_;
  Internal diff_;
};

void register_squared_difference(Catalog& catalog) { catalog.of<Layer>().add<SquaredDifference>(); }

}  // namespace squall
