// Flatten: the features of an example as one axis, row-major.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct FlattenOptions {
  bool keep_last = false;
  static constexpr auto fields = std::tuple{field(
      "keep_last", &FlattenOptions::keep_last, "whether the last axis stays: (T, B, 4, 4, 8) becomes (T, B, 16, 8)")};
};

class Flatten final : public LayerOf<Flatten, FlattenOptions> {
 public:
  static constexpr std::string_view kType = "Flatten";
  static constexpr std::string_view kDoc = "The features as one axis, row-major: (T, B, 4, 4, 8) becomes (T, B, 128).";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    const Index size = d.feature_size(x_), last = d.features(x_)[-1];
    y_ = d.output("default", d.like(x_, options.keep_last ? Shape{size / last, last} : Shape{size}));
  }
  void forward(Forward& f) const override { f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]); }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(x_)); }

 private:
  In x_;
  Out y_;
};

void register_flatten(Catalog& catalog) { catalog.of<Layer>().add<Flatten>(); }

}  // namespace squall
