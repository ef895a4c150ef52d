// TiedDense: a product with a weight that another layer owns.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct TiedDenseOptions {
  bool transposed = false;
  static constexpr auto fields =
      std::tuple{field("transposed", &TiedDenseOptions::transposed,
                       "y = W' x + bias: what the layer that owns W sends back to its inputs; the decoder of a tied "
                       "autoencoder")};
};

class TiedDense final : public LayerOf<TiedDense, TiedDenseOptions> {
 public:
  static constexpr std::string_view kType = "TiedDense";
  static constexpr std::string_view kDoc =
      "y = W x + bias with the features of x flattened. W (units, inputs) and the optional bias come in, mostly from "
      "another layer (\"..parameters.W\"), which gets the gradient of both.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    W_ = d.input("W", "...");
    const BufferShape& W = d.shape(W_);
    if (W.scales_with_time() || W.scales_with_batch() || W.features.rank() < 2)
      d.fail("input 'W' should be a weight (units, inputs) without time and batch, not ", W);
    rows_ = W.features[0];
    columns_ = W.features.elements() / rows_;
    inputs_ = options.transposed ? rows_ : columns_;
    units_ = options.transposed ? columns_ : rows_;
    if (d.feature_size(x_) != inputs_)
      d.fail("input 'default' is ", d.shape(x_), ", but for a weight ", W.features,
             options.transposed ? ", transposed," : "", " it should have ", inputs_, " features");
    y_ = d.output("default", d.like(x_, Shape{units_}));
    has_bias_ = d.connected("bias");
    if (has_bias_) {
      bias_ = d.input("bias", "...");
      if (d.shape(bias_).scales_with_time() || d.shape(bias_).scales_with_batch() || d.feature_size(bias_) != units_)
        d.fail("input 'bias' should have ", units_, " numbers without time and batch, not ", d.shape(bias_));
    }
    d.backward_reads(x_, W_);
  }
  void forward(Forward& f) const override {
    auto& linalg = f.handler().linalg();
    const ConstMatrix W(f[W_].reshaped(Shape{rows_, columns_}));
    const Tensor y = rows(f[y_], units_);
    linalg.matmul(rows(f[x_], inputs_), options.transposed ? W : W.T(), y);
    if (has_bias_) linalg.with_row(Binary::Add, y, f[bias_].reshaped(Shape{units_}), y);
  }
  void backward(Backward& b) const override {
    auto& linalg = b.handler().linalg();
    const ConstMatrix W(b[W_].reshaped(Shape{rows_, columns_}));
    const ConstMatrix x(rows(b[x_], inputs_)), dy(rows(b.delta(y_), units_));
    if (const Sink dx = b.delta(x_))
      linalg.matmul(dy, options.transposed ? W.T() : W, Sink(rows(dx.to, inputs_), dx.mode));
    const Sink dW = b.delta(W_).reshaped(Shape{rows_, columns_});
    linalg.matmul(options.transposed ? x.T() : dy.T(), options.transposed ? dy : x, dW);
    if (has_bias_) linalg.sum_rows(dy, b.delta(bias_).reshaped(Shape{units_}));
  }

 private:
  template <class T>
  static T rows(const T& x, Index width) {
    return x.reshaped(Shape{x.elements() / width, width});
  }
  In x_, W_, bias_;
  Out y_;
  bool has_bias_ = false;
  Index rows_ = 0, columns_ = 0, inputs_ = 0, units_ = 0;
};

void register_tied_dense(Catalog& catalog) { catalog.of<Layer>().add<TiedDense>(); }

}  // namespace squall
