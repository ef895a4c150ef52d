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
        rows_(spec.images * spec.window.outputs()),
        unpacked_(own_dense(h, spec.packed)),
        columns_(workspace_.book(h.dtype(), {rows_, spec.window.taps(), spec.window.channels})) {}
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    const Tensor columns = workspace_[columns_];
    h_.windows().im2col(x, spec().window, 0.0, columns);
    const Matrix out(y.reshaped({rows_, spec().filters}));
    each_product([&](const Part& p, bool first) {
      h_.linalg().matmul(part(Matrix(flat(columns)), p.input, p.width), weights(w, p).T(),
                         {part(out, p.output, p.filters), first ? Write::Overwrite : Write::Add});
    });
    finish_forward(h_, spec().activation, b, y.reshaped({rows_, spec().filters}));
  }

  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    const Tensor dz = dy.reshaped({rows_, spec().filters});
    if (dz) start_backward(h_, spec().activation, y.reshaped({rows_, spec().filters}), dz);
    h_.linalg().sum_rows(maps(dz), db);
    if (dw) do_weight_gradient(x, dz, dw);
    if (dx) do_input_gradient(w, dz, dx);
  }

  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    const Tensor columns = workspace_[columns_];
    each_product([&](const Part& p, bool) {
      h_.linalg().matmul(part(maps(dy), p.output, p.filters), weights(w, p),
                         part(Matrix(flat(columns)), p.input, p.width));
    });
    h_.windows().col2im(columns, spec().window, dx);
  }

  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    const Tensor columns = workspace_[columns_];
    h_.windows().im2col(x, spec().window, 0.0, columns);
    const Tensor to = dw.to.reshaped({spec().filters, spec().weights_of_filter()});
    each_product([&](const Part& p, bool) {
      const Tensor rows = to.slice(p.output, p.filters);
      h_.linalg().matmul(part(maps(dy), p.output, p.filters).T(), part(Matrix(flat(columns)), p.input, p.width),
                         {part(Matrix(rows), p.weight, p.width), dw.mode});
    });
  }

 private:
  // Columns input.. of the windows with columns weight.. of the filters output.. .
  struct Part {
    Index input, weight, width, output, filters;
  };
  // Without groups one product does it all; with them one for each group and tap.
  template <class F>
  void each_product(const F& f) const {
    const ConvSpec& s = spec();
    if (s.groups == 1) return f(Part{0, 0, s.weights_of_filter(), 0, s.filters}, true);
    const Index channels = s.group_channels();
    const Index filters = s.group_filters();
    for (Index g = 0; g < s.groups; ++g)
      for (Index tap = 0; tap < s.window.taps(); ++tap)
        f(Part{tap * s.window.channels + g * channels, tap * channels, channels, g * filters, filters}, tap == 0);
  }
  Tensor flat(const Tensor& columns) const {
    return columns.reshaped({rows_, spec().window.taps() * spec().window.channels});
  }
  ConstMatrix maps(const ConstTensor& y) const { return {y.data(), y.dtype(), rows_, spec().filters, spec().filters}; }
  ConstMatrix weights(const WeightRef& w, const Part& p) const {
    const ConstTensor values = spec().packed != nullptr ? ConstTensor(unpacked_.tensor) : w.values;
    const Index width = spec().weights_of_filter();
    const ConstTensor rows = values.reshaped({spec().filters, width}).slice(p.output, p.filters);
    return part(ConstMatrix(rows.data(), rows.dtype(), p.filters, width, width), p.weight, p.width);
  }
  // Matrices without elements have no columns to take.
  template <class M>
  static M part(const M& m, Index first, Index count) {
    return first == 0 && count == m.ncols ? m : m.columns(first, count);
  }

  Handler& h_;
  Index rows_;
  OwnedTensor unpacked_;
  Parts workspace_;
  int columns_;
};

}  // namespace

std::unique_ptr<ConvPlan> make_conv_reference(Handler& handler, const ConvSpec& spec) {
  return std::make_unique<ConvReference>(handler, spec);
}

}  // namespace squall
