// Loss: a root of back-propagation.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct LossOptions {
  double importance = 1.0;
  static constexpr auto fields =
      std::tuple{field("importance", &LossOptions::importance, "factor of this loss in what is minimised")};
};

class Loss final : public LayerOf<Loss, LossOptions> {
 public:
  static constexpr std::string_view kType = "Loss";
  static constexpr std::string_view kDoc =
      "What is minimised: importance / batch size times the sum of all that comes in (batch size 1 for data without "
      "it).";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    BufferShape one;
    one.features = Shape{1};
    loss_ = d.output("loss", one, {.takes_delta = false, .loss = true});
  }
  void forward(Forward& f) const override {
    f.handler().linalg().sum_all(f[x_], f[loss_]);
    f.handler().elementwise().affine(f[loss_], factor(f), 0.0, f[loss_]);
  }
  void backward(Backward& b) const override {
    const Sink dx = b.delta(x_);
    if (!dx) return;
    if (dx.mode == Write::Overwrite)
      b.handler().elementwise().fill(dx.to, factor(b));
    else
      b.handler().elementwise().affine(dx.to, 1.0, factor(b), dx.to);
  }

 private:
  double factor(const Pass& p) const { return options.importance / static_cast<double>(p.batch(x_)); }
  In x_;
  Out loss_;
};

void register_loss(Catalog& catalog) { catalog.of<Layer>().add<Loss>(); }

}  // namespace squall
