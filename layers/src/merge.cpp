// Merge: two inputs side by side along the last axis.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class Merge final : public LayerOf<Merge, NoOptions> {
 public:
  static constexpr std::string_view kType = "Merge";
  static constexpr std::string_view kDoc =
      "inputs_1 and inputs_2 side by side along the last axis; all other axes are equal.";

  void declare(Declare& d) override {
    a_ = d.input("inputs_1", "...");
    b_ = d.input("inputs_2", "...");
    first_ = d.features(a_)[-1];
    second_ = d.features(b_)[-1];
    BufferShape as_first = d.shape(b_);
    as_first.features = as_first.features.with_last(first_);
    if (as_first != d.shape(a_))
      d.fail("inputs 'inputs_1' and 'inputs_2' may differ in their last axis only, but are ", d.shape(a_), " and ",
             d.shape(b_));
    y_ = d.output("default", d.like(a_, d.features(a_).with_last(first_ + second_)));
  }
  void forward(Forward& f) const override {
    const Matrix y(f[y_]);
    f.handler().linalg().copy_block(f[a_], y.columns(0, first_));
    f.handler().linalg().copy_block(f[b_], y.columns(first_, second_));
  }
  void backward(Backward& b) const override {
    const ConstMatrix dy(b.delta(y_));
    if (const Sink da = b.delta(a_)) b.handler().linalg().copy_block(dy.columns(0, first_), da);
    if (const Sink db = b.delta(b_)) b.handler().linalg().copy_block(dy.columns(first_, second_), db);
  }

 private:
  In a_, b_;
  Out y_;
  Index first_ = 0, second_ = 0;
};

void register_merge(Catalog& catalog) { catalog.of<Layer>().add<Merge>(); }

}  // namespace squall
