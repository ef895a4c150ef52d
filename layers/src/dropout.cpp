// Dropout: zeroes elements at random in training and scales the others, so that expectations stay.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/random.hpp"

namespace squall {

struct DropoutOptions {
  double drop_prob = 0.5;
  static constexpr auto fields = std::tuple{
      field("drop_prob", &DropoutOptions::drop_prob, "probability that an element is set to zero, in [0, 1)")};
};

class Dropout final : public LayerOf<Dropout, DropoutOptions> {
 public:
  static constexpr std::string_view kType = "Dropout";
  static constexpr std::string_view kDoc =
      "In training y = x mask / (1 - drop_prob) with a mask of zeros and ones drawn anew each time; otherwise y = x.";

  void declare(Declare& d) override {
    if (!(options.drop_prob >= 0 && options.drop_prob < 1))
      d.fail("option 'drop_prob' should be in [0, 1), not ", options.drop_prob);
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    mask_ = d.internal("mask", d.like(x_), {.dtype = DType::U8});
  }
  void forward(Forward& f) const override {
    auto& ops = f.handler().elementwise();
    if (!f.training()) return ops.unary(Unary::Copy, f[x_], f[y_]);
    if (!f.given(mask_)) f.handler().random().bernoulli(f.random(), 1.0 - options.drop_prob, f[mask_]);
    ops.select_owner(f[x_], f[mask_], kKept, f[y_]);
    ops.affine(f[y_], scale(), 0.0, f[y_]);
  }
  void backward(Backward& b) const override {
    auto& ops = b.handler().elementwise();
    const Tensor dy = b.delta(y_);
    ops.affine(dy, scale(), 0.0, dy);
    ops.select_owner(dy, b[mask_], kKept, b.delta(x_));
  }

 private:
  static constexpr std::uint8_t kKept = 1;
  double scale() const { return 1.0 / (1.0 - options.drop_prob); }
  In x_;
  Out y_;
  Internal mask_;
};

void register_dropout(Catalog& catalog) { catalog.of<Layer>().add<Dropout>(); }

}  // namespace squall
