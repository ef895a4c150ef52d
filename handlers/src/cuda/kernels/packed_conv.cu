// Convolution with packed weights: over the entries of a sparse weight without an array of windows, else with its dense
// form. Other layers go to the library of the device, where it serves.
#include "cuda/facets.hpp"
#include "cuda/kernels/sparse_matrix.hpp"
#include "cuda/kernels/window_index.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

// Where an entry of a filter looks.
struct EntryPlace {
  std::int32_t kd, kh, kw, channel;
};

// Threads beside each other have outputs of one filter: all read the same entries.
template <class R>
struct SparseConvKernel {
  Entries<R> w;
  const EntryPlace* place;  // of each entry
  const R* x;
  Finish<R> finish;
  WindowIndex at;
  Index outputs;
  SQUALL_HD void operator()(Index i) const {
    const Divided both = divide(i, outputs);
    const Index filter = both.quotient;
    const PixelPlace o = place_of(both.rest, at.axis[0].out, at.axis[1].out, at.axis[2].out, 1);
    R sum = 0;
    for (std::int32_t k = w.begin[filter]; k < w.begin[filter + 1]; ++k) {
      const EntryPlace e = place[k];
      const Index from = at.pixel({o.image, o.d, o.h, o.w, e.kd, e.kh, e.kw, e.channel});
      if (from >= 0) sum += w.value[k] * x[from];
    }
    finish(both.rest, filter, sum);
  }
};

std::vector<std::int32_t> places_of(const ConvSpec& s) {
  const auto i32 = [](Index n) { return static_cast<std::int32_t>(n); };
  const Index width = s.window.axis(2).kernel, height = s.window.axis(1).kernel;
  std::vector<std::int32_t> places;
  for (const std::int32_t column : s.packed->column) {
    const Index tap = column / s.window.channels;
    for (const Index n : {tap / width / height, tap / width % height, tap % width, column % s.window.channels})
      places.push_back(i32(n));
  }
  return places;
}

ConvSpec dense_form(ConvSpec s) {
  s.packed = nullptr;
  return s;
}

// What a plan of the dense form does with a packed weight.
template <class R>
class UnpackedConv : public ConvPlan {
 public:
  UnpackedConv(Handler& h, const ConvSpec& s)
      : ConvPlan(s), h_(h), dense_(h, s.packed->to_dense(), h.dtype()), plan_(h.conv().plan(dense_form(s))) {}
  std::string_view kind() const override { return plan_->kind(); }
  std::size_t workspace_bytes() const final { return plan_->workspace_bytes(); }
  std::size_t reserve_bytes() const final { return plan_->reserve_bytes(); }
  void set_workspace(void* block) final { plan_->set_workspace(block); }
  void set_reserve(void* block) final { plan_->set_reserve(block); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    plan_->forward(x, weight(), b, y);
  }
  void do_backward(const ConstTensor& x, const WeightRef&, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) final {
    plan_->backward(x, weight(), y, dy, dx, dw, db);
  }
  void do_input_gradient(const WeightRef&, const ConstTensor& dy, const Sink& dx) final {
    plan_->input_gradient(weight(), dy, dx);
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) final {
    plan_->weight_gradient(x, dy, dw);
  }
  Handler& h_;

 private:
  WeightRef weight() const {
    const Window& w = spec().window;
    const Shape shape = w.flat()
                            ? Shape{spec().filters, w.kernel_h, w.kernel_w, spec().group_channels()}
                            : Shape{spec().filters, w.axis(0).kernel, w.kernel_h, w.kernel_w, spec().group_channels()};
    return {dense_.tensor.reshaped(shape), nullptr};
  }
  Owned<float> dense_;
  std::unique_ptr<ConvPlan> plan_;
};

template <class R>
class SparseConv final : public UnpackedConv<R> {
 public:
  SparseConv(Handler& h, const ConvSpec& s, ContextPtr ctx)
      : UnpackedConv<R>(h, s),
        ctx_(std::move(ctx)),
        w_(h, *s.packed, s.packed->value),
        place_(h, places_of(s), DType::I32) {}
  std::string_view kind() const override { return "sparse"; }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    const ConvSpec& s = this->spec();
    const Index outputs = s.images * s.window.outputs();
    const bool softmax = s.activation == Activation::Softmax;
    const Finish<R> finish{b ? b.as<R>() : nullptr, y.as<R>(), s.filters, softmax ? Activation::Linear : s.activation,
                           false};
    each(*ctx_, outputs * s.filters,
         SparseConvKernel<R>{w_.entries(), static_cast<const EntryPlace*>(place_.tensor.data()), x.as<R>(), finish,
                             WindowIndex(s.window), outputs});
    const Tensor out = y.reshaped({outputs, s.filters});
    if (softmax) this->h_.linalg().softmax(out, out);
  }

 private:
  ContextPtr ctx_;
  SparseMatrix<R> w_;
  Owned<std::int32_t> place_;
};

template <class R>
class GridConv final : public ConvOps {
 public:
  explicit GridConv(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<ConvPlan> do_plan(const ConvSpec& s) override {
    if (s.packed == nullptr) return ctx_->conv(handler(), s);
    if (s.packed->format == WeightFormat::Sparse && s.groups == 1)
      return std::make_unique<SparseConv<R>>(handler(), s, ctx_);
    return std::make_unique<UnpackedConv<R>>(handler(), s);
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<ConvOps> make_conv(ContextPtr ctx) {
  return std::make_unique<GridConv<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(ConvOps, make_conv);

}  // namespace squall::cuda::SQUALL_GRID
