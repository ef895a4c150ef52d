// Softmax over any axis of the features.
#include "common/axis_order.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct SoftmaxOptions {
  Index axis = -1;
  static constexpr auto fields =
      std::tuple{field("axis", &SoftmaxOptions::axis, "of the features: 0 is the first one, -1 the last one")};
};

class Softmax final : public LayerOf<Softmax, SoftmaxOptions> {
 public:
  static constexpr std::string_view kType = "Softmax";
  static constexpr std::string_view kDoc =
      "y = exp(x) / sum exp(x), the sum over one axis of the features. Over the last axis it is Elementwise with "
      "softmax.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    const Shape& features = d.features(x_);
    const int rank = features.rank();
    const Index axis = options.axis < 0 ? options.axis + rank : options.axis;
    if (axis < 0 || axis >= rank)
      d.fail("option 'axis' should be from ", -rank, " to ", rank - 1, " for ", d.shape(x_), ", not ", options.axis);
    before_ = after_ = 1;
    for (int i = 0; i < rank; ++i) {
      if (i < axis) before_ *= features[i];
      if (i > axis) after_ *= features[i];
    }
    extent_ = features[static_cast<int>(axis)];
    y_ = d.output("default", d.like(x_));
    d.backward_reads(y_);
    if (after_ == 1) return;
    rows_ = d.internal("rows", d.like(x_), {.life = Life::Forward});
    rows_back_ = d.internal("rows_back", d.like(x_), {.life = Life::Backward});
    deltas_ = d.internal("deltas", d.like(x_), {.life = Life::Backward});
    order_ = d.plan<AxisOrder>();
  }
  void prepare(Prepare& p) const override {
    if (after_ > 1) p.keep(order_, std::make_unique<AxisOrder>(p.handler(), p.rows(x_) * before_, extent_, after_));
  }
  void forward(Forward& f) const override {
    auto& linalg = f.handler().linalg();
    if (after_ == 1) return linalg.softmax(rows(f[x_]), rows(f[y_]));
    linalg.gather_rows(column(f[x_]), f[order_].last(), column(f[rows_]));
    linalg.softmax(rows(f[rows_]), rows(f[rows_]));
    linalg.gather_rows(column(f[rows_]), f[order_].back(), column(f[y_]));
  }
  void backward(Backward& b) const override {
    const Sink dx = b.delta(x_);
    if (!dx) return;
    auto& linalg = b.handler().linalg();
    const Tensor dy = b.delta(y_);
    if (after_ == 1) return linalg.softmax_back(rows(b[y_]), rows(dy), MatrixSink(rows(dx.to), dx.mode));
    linalg.gather_rows(column(b[y_]), b[order_].last(), column(b[rows_back_]));
    linalg.gather_rows(column(dy), b[order_].last(), column(b[deltas_]));
    linalg.softmax_back(rows(b[rows_back_]), rows(b[deltas_]), Matrix(rows(b[deltas_])));
    linalg.gather_rows(column(b[deltas_]), b[order_].back(), MatrixSink(column(dx.to), dx.mode));
  }

 private:
  template <class T>
  T rows(const T& x) const {
    return x.reshaped(Shape{x.elements() / extent_, extent_});
  }
  template <class T>
  static T column(const T& x) {
    return x.reshaped(Shape{x.elements(), 1});
  }
  Index before_ = 1, extent_ = 1, after_ = 1;
  In x_;
  Out y_;
  Internal rows_, rows_back_, deltas_;
  PlanSlot<AxisOrder> order_;
};

void register_softmax(Catalog& catalog) { catalog.of<Layer>().add<Softmax>(); }

}  // namespace squall
