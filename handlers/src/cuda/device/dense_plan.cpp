// Dense layers of single precision: products that also add the bias, apply ReLU, and sum up the gradient of the bias.
#include "cuda/device/fused_product.hpp"
#include "cuda/device/plans.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall::cuda {

namespace {

// The library sees the transposes of our matrices: y' (out, rows) = W x', dW' (in, out) = x' dz.
class FusedDense final : public DensePlan {
 public:
  FusedDense(DeviceContext& context, Handler& handler, const DenseSpec& s)
      : DensePlan(s),
        handler_(handler),
        fused_rel_(s.activation == Activation::Rel && !handler.debug()),
        forward_(context, {s.out, s.rows, s.in, true, false, forward_epilogue(s.bias, fused_rel_)}),
        weight_(context, {s.in, s.out, s.rows, false, true, CUBLASLT_EPILOGUE_BGRADB}) {}
  std::string_view kind() const override { return "cublaslt"; }
  bool usable() const { return forward_.usable(); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    const Tensor out = y.reshaped({spec().rows, spec().out});
    const bool fits = (b.data() != nullptr) == spec().bias && takes({x.data(), w.values.data(), b.data(), y.data()});
    if (fits) {
      forward_.run(w.values.data(), x.data(), y.data(), b.data(), false);
    } else {
      handler_.linalg().matmul(rows(x, spec().in), weight(w).T(), out);
      if (b) handler_.linalg().with_row(Binary::Add, out, b, Sink(out));
    }
    if (!fits || !fused_rel_) activate(handler_, spec().activation, out);
  }

  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    const Shape shape{spec().rows, spec().out};
    const Tensor dz = dy.reshaped(shape);
    activate_back(handler_, spec().activation, y.reshaped(shape), dz);
    const bool fused = weight_.usable() && dw && db && db.mode == Write::Overwrite &&
                       takes({x.data(), dz.data(), dw.to.data(), db.to.data()});
    if (fused) {
      weight_.run(x.data(), dz.data(), dw.to.data(), db.to.data(), dw.mode == Write::Add);
    } else {
      if (dw)
        handler_.linalg().matmul(rows(dz, spec().out).T(), rows(x, spec().in), dw.reshaped({spec().out, spec().in}));
      handler_.linalg().sum_rows(rows(dz, spec().out), db);
    }
    handler_.linalg().matmul(rows(dz, spec().out), weight(w), dx.reshaped({spec().rows, spec().in}));
  }

 private:
  static cublasLtEpilogue_t forward_epilogue(bool bias, bool rel) {
    if (bias) return rel ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
    return rel ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
  }
  static bool takes(std::initializer_list<const void*> pointers) {
    return std::all_of(pointers.begin(), pointers.end(), FusedProduct::takes);
  }
  ConstMatrix rows(const ConstTensor& x, Index columns) const {
    return {x.data(), x.dtype(), spec().rows, columns, columns};
  }
  ConstMatrix weight(const WeightRef& w) const {
    return {w.values.data(), w.values.dtype(), spec().out, spec().in, spec().in};
  }

  Handler& handler_;
  bool fused_rel_;  // the library's ReLU may turn NaN into 0: a debug handler, which looks for NaN, uses our own
  FusedProduct forward_, weight_;
};

}  // namespace

std::unique_ptr<DensePlan> make_dense_plan(DeviceContext& context, Handler& handler, const DenseSpec& spec) {
  if (context.dtype() != DType::F32 || spec.packed != nullptr || spec.pattern != nullptr) return nullptr;
  if (spec.rows == 0 || spec.in == 0 || spec.out == 0) return nullptr;
  auto plan = std::make_unique<FusedDense>(context, handler, spec);
  if (!plan->usable()) return nullptr;
  return plan;
}

}  // namespace squall::cuda
