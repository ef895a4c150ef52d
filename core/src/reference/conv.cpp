// Convolution as a product with the windows' pixels (im2col).
#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

class ConvReference final : public ConvPlan {
 public:
  ConvReference(Handler& h, const ConvSpec& spec)
      : ConvPlan(spec),
        h_(h),
        rows_(spec.images * spec.window.out_h() * spec.window.out_w()),
        inner_(spec.window.taps() * spec.window.channels),
        unpacked_(own_dense(h, spec.packed)),
        columns_(workspace_.book(h.dtype(), {rows_, spec.window.taps(), spec.window.channels})) {}
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    const Tensor columns = workspace_[columns_];
    const Tensor out = y.reshaped({rows_, spec().filters});
    h_.windows().im2col(x, spec().window, 0.0, columns);
    const ConstMatrix weight =
        spec().packed != nullptr ? ConstMatrix(unpacked_.tensor) : matrix(w.values, spec().filters);
    h_.linalg().matmul(matrix(columns, rows_), weight.T(), out);
    finish_forward(h_, spec().activation, b, out);
  }

  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    const Tensor columns = workspace_[columns_];
    const Tensor dz = dy.reshaped({rows_, spec().filters});
    if (dz) start_backward(h_, spec().activation, y.reshaped({rows_, spec().filters}), dz);
    const ConstMatrix dzm(dz.data(), dz.dtype(), rows_, spec().filters, spec().filters);
    h_.linalg().sum_rows(dzm, db);
    if (dw) {
      h_.windows().im2col(x, spec().window, 0.0, columns);
      h_.linalg().matmul(dzm.T(), matrix(columns, rows_), dw.reshaped({spec().filters, inner_}));
    }
    if (!dx) return;
    h_.linalg().matmul(dzm, matrix(w.values, spec().filters), columns.reshaped({rows_, inner_}));
    h_.windows().col2im(columns, spec().window, dx);
  }

 private:
  ConstMatrix matrix(const ConstTensor& x, Index rows) const { return {x.data(), x.dtype(), rows, inner_, inner_}; }

  Handler& h_;
  Index rows_, inner_;
  OwnedTensor unpacked_;
  Parts workspace_;
  int columns_;
};

}  // namespace

std::unique_ptr<ConvPlan> make_conv_reference(Handler& handler, const ConvSpec& spec) {
  return std::make_unique<ConvReference>(handler, spec);
}

}  // namespace squall
