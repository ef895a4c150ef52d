// Convolution of flat images by cuDNN, with the layout (N, H, W, C) that we have. Algorithms are chosen when a plan is
// made: only such that always give the same bits, in full precision.
#include <vector>

#include "cuda/device/plans.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall::cuda {

namespace {

constexpr std::size_t kMostWorkspace = std::size_t{256} << 20;

int whole(Index n) { return static_cast<int>(n); }

// Descriptions of images, maps, filters and the window.
class Description {
 public:
  Description(const ConvSpec& s, DType dtype, cudnnMathType_t math) {
    const CudnnLibrary& dnn = cudnn();
    const Window& w = s.window;
    const cudnnDataType_t type = dtype == DType::F64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT;
    try {
      check(dnn.create_tensor(&images), "describing images");
      check(dnn.create_tensor(&maps), "describing maps");
      check(dnn.create_filter(&filters), "describing filters");
      check(dnn.create_convolution(&convolution), "describing a convolution");
      bool good = ok(dnn.set_tensor(images, CUDNN_TENSOR_NHWC, type, whole(s.images), whole(w.channels),
                                    whole(w.height), whole(w.width)));
      good = good && ok(dnn.set_tensor(maps, CUDNN_TENSOR_NHWC, type, whole(s.images), whole(s.filters),
                                       whole(w.out_h()), whole(w.out_w())));
      good = good && ok(dnn.set_filter(filters, type, CUDNN_TENSOR_NHWC, whole(s.filters), whole(s.group_channels()),
                                       whole(w.kernel_h), whole(w.kernel_w)));
      good =
          good && ok(dnn.set_convolution(convolution, whole(w.top), whole(w.left), whole(w.stride_h), whole(w.stride_w),
                                         whole(w.dilation_h), whole(w.dilation_w), CUDNN_CROSS_CORRELATION, type));
      good = good && ok(dnn.set_math_type(convolution, math));
      usable = good && ok(dnn.set_groups(convolution, whole(s.groups)));
    } catch (...) {
      free();
      throw;
    }
  }
  ~Description() { free(); }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  bool usable = false;
  cudnnTensorDescriptor_t images = nullptr, maps = nullptr;
  cudnnFilterDescriptor_t filters = nullptr;
  cudnnConvolutionDescriptor_t convolution = nullptr;

 private:
  static bool ok(cudnnStatus_t status) { return status == CUDNN_STATUS_SUCCESS; }
  void free() noexcept {
    const CudnnLibrary& dnn = cudnn();
    for (cudnnTensorDescriptor_t t : {images, maps})
      if (t != nullptr) dnn.destroy_tensor(t);
    if (filters != nullptr) dnn.destroy_filter(filters);
    if (convolution != nullptr) dnn.destroy_convolution(convolution);
  }
};

// Exact: multiplied and added in full precision. CUDNN_DEFAULT_MATH allows TF32; there is no bf16 for operands of f32,
// so that convolutions of either reduced precision are TF32.
cudnnMathType_t math_of(const DeviceContext& context) {
  const bool exact = context.dtype() == DType::F64 || context.precision() == Precision::Exact;
  return exact ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH;
}
bool allowed(cudnnMathType_t found, cudnnMathType_t math) {
  return math == CUDNN_FMA_MATH ? found == CUDNN_FMA_MATH : found != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
}

// The first of the algorithms, the fastest first, that serves.
template <class Result>
const Result* choose(const std::vector<Result>& found, cudnnMathType_t math) {
  for (const Result& r : found)
    if (r.status == CUDNN_STATUS_SUCCESS && r.determinism == CUDNN_DETERMINISTIC && allowed(r.mathType, math) &&
        r.memory <= kMostWorkspace)
      return &r;
  return nullptr;
}
template <class Result, class Ask>
const Result* ask(std::vector<Result>& found, cudnnMathType_t math, const Ask& question) {
  int count = 0;
  found.resize(16);
  if (question(static_cast<int>(found.size()), &count, found.data()) != CUDNN_STATUS_SUCCESS) count = 0;
  found.resize(static_cast<std::size_t>(count));
  return choose(found, math);
}

class CudnnConv final : public ConvPlan {
 public:
  CudnnConv(DeviceContext& context, Handler& handler, const ConvSpec& s)
      : ConvPlan(s),
        context_(context),
        handler_(handler),
        number_(context.number_plan()),
        about_(s, context.dtype(), math_of(context)) {
    if (about_.usable) usable_ = choose_algorithms();
  }
  std::string_view kind() const override { return "cudnn"; }
  bool usable() const { return usable_; }
  std::size_t workspace_bytes() const override { return bytes_; }
  void set_workspace(void* block) override { workspace_ = block; }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    context_.call(Run{this, number_, Way::Forward, x.data(), w.values.data(), y.data(), workspace_, false});
    const Tensor out = y.reshaped({rows(), spec().filters});
    if (b) handler_.linalg().with_row(Binary::Add, out, b, Sink(out));
    activate(handler_, spec().activation, out);
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    const Tensor dz = dy.reshaped({rows(), spec().filters});
    activate_back(handler_, spec().activation, y.reshaped({rows(), spec().filters}), dz);
    handler_.linalg().sum_rows(dz, db);
    if (dw) do_weight_gradient(x, dz, dw);
    if (dx) do_input_gradient(w, dz, dx);
  }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    context_.call(
        Run{this, number_, Way::Data, dy.data(), w.values.data(), dx.to.data(), workspace_, dx.mode == Write::Add});
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    context_.call(
        Run{this, number_, Way::Filter, x.data(), dy.data(), dw.to.data(), workspace_, dw.mode == Write::Add});
  }

 private:
  enum class Way { Forward, Data, Filter };
  struct Run {
    const CudnnConv* plan;
    std::uint64_t number;
    Way way;
    const void *a, *b;
    void *to, *workspace;
    bool add;
    bool operator==(const Run&) const = default;
    void operator()() const {
      plan->context_.dtype() == DType::F64 ? plan->run<double>(*this) : plan->run<float>(*this);
    }
  };
  Index rows() const { return spec().images * spec().window.outputs(); }

  bool choose_algorithms() {
    const CudnnLibrary& dnn = cudnn();
    const cudnnHandle_t handle = context_.dnn();
    const cudnnMathType_t math = math_of(context_);
    std::vector<cudnnConvolutionFwdAlgoPerf_t> forward;
    std::vector<cudnnConvolutionBwdDataAlgoPerf_t> data;
    std::vector<cudnnConvolutionBwdFilterAlgoPerf_t> filter;
    const auto* f = ask(forward, math, [&](int most, int* count, auto* to) {
      return dnn.forward_algorithms(handle, about_.images, about_.filters, about_.convolution, about_.maps, most, count,
                                    to);
    });
    const auto* d = ask(data, math, [&](int most, int* count, auto* to) {
      return dnn.data_algorithms(handle, about_.filters, about_.maps, about_.convolution, about_.images, most, count,
                                 to);
    });
    const auto* g = ask(filter, math, [&](int most, int* count, auto* to) {
      return dnn.filter_algorithms(handle, about_.images, about_.maps, about_.convolution, about_.filters, most, count,
                                   to);
    });
    if (f == nullptr || d == nullptr || g == nullptr) return false;
    forward_ = f->algo;
    data_ = d->algo;
    filter_ = g->algo;
    bytes_ = std::max({f->memory, d->memory, g->memory});
    return true;
  }

  template <class R>
  void run(const Run& r) const {
    const CudnnLibrary& dnn = cudnn();
    const cudnnHandle_t handle = context_.dnn();
    const R one = 1, beta = r.add ? R(1) : R(0);
    switch (r.way) {
      case Way::Forward:
        return check(dnn.forward(handle, &one, about_.images, r.a, about_.filters, r.b, about_.convolution, forward_,
                                 r.workspace, bytes_, &beta, about_.maps, r.to),
                     "a convolution");
      case Way::Data:
        return check(dnn.backward_data(handle, &one, about_.filters, r.b, about_.maps, r.a, about_.convolution, data_,
                                       r.workspace, bytes_, &beta, about_.images, r.to),
                     "the gradient of images");
      case Way::Filter:
        return check(dnn.backward_filter(handle, &one, about_.images, r.a, about_.maps, r.b, about_.convolution,
                                         filter_, r.workspace, bytes_, &beta, about_.filters, r.to),
                     "the gradient of filters");
    }
  }

  DeviceContext& context_;
  Handler& handler_;
  std::uint64_t number_;
  Description about_;
  bool usable_ = false;
  cudnnConvolutionFwdAlgo_t forward_{};
  cudnnConvolutionBwdDataAlgo_t data_{};
  cudnnConvolutionBwdFilterAlgo_t filter_{};
  std::size_t bytes_ = 0;
  void* workspace_ = nullptr;
};

// cuDNN counts elements in 32 bits and pads both sides alike.
bool served(const ConvSpec& s) {
  constexpr Index kMost = Index{1} << 30;
  const Window& w = s.window;
  return s.packed == nullptr && s.pattern == nullptr && w.flat() && w.top == w.bottom && w.left == w.right &&
         s.images > 0 && w.channels > 0 && s.filters > 0 && s.images * w.pixels() * w.channels < kMost &&
         s.images * w.outputs() * s.filters < kMost;
}

}  // namespace

std::unique_ptr<ConvPlan> make_conv_plan(DeviceContext& context, Handler& handler, const ConvSpec& spec) {
  if (!served(spec)) return nullptr;
  auto plan = std::make_unique<CudnnConv>(context, handler, spec);
  if (!plan->usable()) return nullptr;
  return plan;
}

}  // namespace squall::cuda
