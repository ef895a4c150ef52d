// Bilinear: products of two inputs, weighted.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct BilinearOptions {
  Index units = 0;
  bool use_bias = true;
  static constexpr auto fields = std::tuple{field("units", &BilinearOptions::units, "number of outputs"),
                                            field("use_bias", &BilinearOptions::use_bias, "whether there is a bias")};
};

class Bilinear final : public LayerOf<Bilinear, BilinearOptions> {
 public:
  static constexpr std::string_view kType = "Bilinear";
  static constexpr std::string_view kDoc =
      "y_o = x1' W_o x2 + bias_o over the last axes of `default` and `other`; W (units, first, second).";

  void declare(Declare& d) override {
    if (options.units < 1) d.fail("option 'units' should be a positive whole number, not ", options.units);
    x1_ = d.input("default", "...");
    x2_ = d.input("other", "...");
    first_ = d.features(x1_)[-1];
    second_ = d.features(x2_)[-1];
    if (d.like(x2_, d.features(x2_).with_last(first_)) != d.shape(x1_))
      d.fail("inputs 'default' and 'other' may differ in their last axis only, but are ", d.shape(x1_), " and ",
             d.shape(x2_));
    y_ = d.output("default", d.like(x1_, d.features(x1_).with_last(options.units)));
    W_ = d.parameter("W", Shape{options.units, first_, second_});
    if (options.use_bias) bias_ = d.parameter("bias", Shape{options.units}, {.bias = true});
    product_ = d.internal("product", d.like(x1_));
    column_ = d.internal("column", d.like(x1_, d.features(x1_).with_last(1)));
    d.backward_reads(x1_, x2_);
  }
  void forward(Forward& f) const override {
    LinalgOps& ops = f.handler().linalg();
    const Tensor product = f[product_], column = vector(f);
    for (Index o = 0; o < options.units; ++o) {
      ops.matmul(f[x2_], ConstMatrix(f[W_].at(o)).T(), product);
      f.handler().elementwise().binary(Binary::Multiply, product, f[x1_], product);
      ops.sum_columns(product, column);
      ops.copy_block(column.reshaped(Shape{column.elements(), 1}), Matrix(f[y_]).columns(o, 1));
    }
    if (options.use_bias) ops.with_row(Binary::Add, f[y_], f[bias_], f[y_]);
  }
  void backward(Backward& b) const override {
    LinalgOps& ops = b.handler().linalg();
    const Tensor dy = b.delta(y_), product = b[product_], column = vector(b);
    Sink dx1 = b.delta(x1_), dx2 = b.delta(x2_);
    const Sink dw = b.gradient(W_);
    for (Index o = 0; o < options.units; ++o) {
      ops.copy_block(ConstMatrix(dy).columns(o, 1), Matrix(column.reshaped(Shape{column.elements(), 1})));
      if (dx1) {
        ops.matmul(b[x2_], ConstMatrix(b[W_].at(o)).T(), product);
        ops.with_column(Binary::Multiply, product, column, dx1);
      }
      ops.with_column(Binary::Multiply, b[x1_], column, product);
      if (dw) ops.matmul(ConstMatrix(product).T(), b[x2_], dw.at(o));
      if (dx2) ops.matmul(product, b[W_].at(o), dx2);
      dx1.mode = dx2.mode = Write::Add;
    }
    if (options.use_bias) ops.sum_rows(dy, b.gradient(bias_));
  }

 private:
  Tensor vector(const Pass& pass) const { return pass[column_].reshaped(Shape{pass[column_].elements()}); }
  Index first_ = 0, second_ = 0;
  In x1_, x2_;
  Out y_;
  Param W_, bias_;
  Internal product_, column_;
};

void register_bilinear(Catalog& catalog) { catalog.of<Layer>().add<Bilinear>(); }

}  // namespace squall
