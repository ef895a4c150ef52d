// Highway: mixes a transformation with what was before it (Srivastava, Greff, Schmidhuber 2015).
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

class Highway final : public LayerOf<Highway, NoOptions> {
 public:
  static constexpr std::string_view kType = "Highway";
  static constexpr std::string_view kDoc =
      "y = T H + (1 - T) x: T is the gate, H the transformation, x what is carried.";

  void declare(Declare& d) override {
    h_ = d.input("H", "...");
    t_ = d.input("T", "...");
    x_ = d.input("x", "...");
    require_equal(d, "H", h_, "T", t_);
    require_equal(d, "H", h_, "x", x_);
    y_ = d.output("default", d.like(x_));
    tmp_ = d.internal("tmp", d.like(x_), {.life = Life::Backward});
    d.backward_reads(h_, t_, x_);
  }
  void forward(Forward& f) const override {
    auto& ops = f.handler().elementwise();
    ops.binary(Binary::Subtract, f[h_], f[x_], f[y_]);
    ops.binary(Binary::Multiply, f[y_], f[t_], f[y_]);
    ops.binary(Binary::Add, f[y_], f[x_], f[y_]);
  }
  void backward(Backward& b) const override {
    auto& ops = b.handler().elementwise();
    const Tensor dy = b.delta(y_);
    const Tensor tmp = b[tmp_];
    ops.binary(Binary::Multiply, b[t_], dy, b.delta(h_));
    if (const Sink dt = b.delta(t_)) {
      ops.binary(Binary::Subtract, b[h_], b[x_], tmp);
      ops.binary(Binary::Multiply, tmp, dy, dt);
    }
    if (const Sink dx = b.delta(x_)) {
      ops.affine(b[t_], -1.0, 1.0, tmp);
      ops.binary(Binary::Multiply, tmp, dy, dx);
    }
  }

 private:
  In h_, t_, x_;
  Out y_;
  Internal tmp_;
};

void register_highway(Catalog& catalog) { catalog.of<Layer>().add<Highway>(); }

}  // namespace squall
