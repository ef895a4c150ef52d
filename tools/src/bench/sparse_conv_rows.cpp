// 3x3 convolutions with a random mask, inference and training (forward, deltas of the input, gradients of kept
// weights), against our dense plan and PyTorch's dense convolution.
#include "bench/measure.hpp"
#include "bench/tensors.hpp"
#include "model/timing.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall::bench {

namespace {

struct Size {
  Index channels, extent, images;
  double sparsity;
};

Window window_of(const Size& s) {
  Window w;
  w.height = w.width = s.extent;
  w.channels = s.channels;
  w.kernel_h = w.kernel_w = 3;
  w.top = w.bottom = w.left = w.right = 1;
  return w;
}

// The same layer dense and sparse, with data for both.
class Layers {
 public:
  Layers(const BenchContext& c, const Size& s, bool trains) : t_(c.handler, 1) {
    const Index n = s.channels;
    const Shape maps{s.images, s.extent, s.extent, n};
    const std::vector<float> weights = t_.sparse(n * 9 * n, s.sparsity);
    pattern_ = pattern_of(weights, n, 9 * n);
    packed_ = PackedWeight::from_dense(weights, n, 9 * n);
    packed_.format = WeightFormat::Sparse;
    w_ = t_.of({n, 3, 3, n}, weights);
    kept_ = t_.of({pattern_.kept()}, kept_of(weights));
    b_ = t_.random({n});
    x_ = t_.random(maps);
    y_ = t_.empty(maps);
    other_y_ = t_.empty(maps);
    ConvSpec spec;
    spec.images = s.images, spec.window = window_of(s), spec.filters = n, spec.activation = Activation::Rel;
    dense_ = make(spec);
    if (trains) spec.pattern = &pattern_;
    if (!trains) spec.packed = &packed_;
    sparse_ = make(spec);
    if (!trains) return;
    dy_ = t_.random(maps);
    delta_ = t_.empty(maps);
    dx_ = t_.empty(maps);
    dw_ = t_.empty({n, 3, 3, n});
    dkept_ = t_.empty({pattern_.kept()});
    db_ = t_.empty({n});
  }
  void infer_dense() { dense_->forward(x_, {w_, nullptr}, b_, y_); }
  void infer_sparse() { sparse_->forward(x_, {{}, &packed_}, b_, other_y_); }
  void train_dense() {
    infer_dense();
    back(*dense_, w_, dw_, y_);
  }
  void train_sparse() {
    sparse_->forward(x_, {kept_, nullptr}, b_, other_y_);
    back(*sparse_, kept_, dkept_, other_y_);
  }
  bool outputs_agree() const { return relative_difference(t_.host(y_), t_.host(other_y_)) <= 1e-5; }
  bool gradients_agree() {
    train_sparse();
    const HostArray got = t_.host(dkept_);
    const HostArray dx = t_.host(dx_);
    train_dense();
    const HostArray all = t_.host(dw_);
    std::vector<float> kept;
    for (Index r = 0; r < pattern_.rows; ++r)
      for (Index e = pattern_.row_begin[static_cast<std::size_t>(r)];
           e < pattern_.row_begin[static_cast<std::size_t>(r) + 1]; ++e)
        kept.push_back(
            static_cast<float>(all.value(r * pattern_.columns + pattern_.column[static_cast<std::size_t>(e)])));
    // Where an output is nearly 0 the two may disagree on its sign, and with it on the way back through it.
    return outputs_agree() && relative_difference(t_.host(dx_), dx) <= 0.05 &&
           relative_difference(HostArray::of(got.shape(), kept), got) <= 1e-3;
  }

 private:
  std::unique_ptr<ConvPlan> make(const ConvSpec& spec) {
    auto plan = t_.handler().conv().plan(spec);
    t_.give_memory(*plan);
    return plan;
  }
  void back(ConvPlan& plan, const Tensor& w, const Tensor& dw, const Tensor& y) {
    t_.handler().memory().copy(dy_, delta_);
    plan.backward(x_, {w, nullptr}, y, delta_, {dx_, Write::Overwrite}, {dw, Write::Overwrite},
                  {db_, Write::Overwrite});
  }

  Tensors t_;
  SparsePattern pattern_;
  PackedWeight packed_;
  Tensor w_, kept_, b_, x_, y_, other_y_, dy_, delta_, dx_, dw_, dkept_, db_;
  std::unique_ptr<ConvPlan> dense_, sparse_;
};

PeerCase peer(const Size& s, const std::string& configs, const std::string& suffix) {
  const std::string shape = concat(s.channels, "@", s.extent);
  return {"sparse_conv.py",
          {"--shapes", shape, "--batch", std::to_string(s.images), "--config", configs},
          {concat("conv3_", shape, "_n", s.images, suffix)}};
}

Benchmark infer_row(const std::string& name, const Size& s) {
  return {name,
          [=](const BenchContext& c) {
            const auto layers = std::make_shared<Layers>(c, s, false);
            return BenchWork{[=] { layers->infer_sparse(); }, "squall dense", [=] { layers->infer_dense(); },
                             [=] { return layers->outputs_agree(); }};
          },
          {peer(s, "eager,freeze", "")}};
}
Benchmark train_row(const std::string& name, const Size& s) {
  return {name,
          [=](const BenchContext& c) {
            const auto layers = std::make_shared<Layers>(c, s, true);
            return BenchWork{[=] { layers->train_sparse(); }, "squall dense", [=] { layers->train_dense(); },
                             [=] { return layers->gradients_agree(); }};
          },
          {peer(s, "eager", "_train")}};
}

}  // namespace

void add_sparse_conv_rows(std::vector<Benchmark>& rows) {
  for (const auto& [channels, extent] : std::vector<std::pair<Index, Index>>{{64, 32}, {128, 16}, {256, 8}})
    for (const int sparsity : {80, 90, 95, 98}) {
      const std::string layer = concat(channels, "@", extent);
      for (const Index images : {1, 32})
        rows.push_back(infer_row(concat("sp_conv3_", layer, "_n", images, "_s", sparsity),
                                 {channels, extent, images, static_cast<double>(sparsity)}));
      if (sparsity < 98)
        rows.push_back(train_row(concat("sp_conv3_train_", layer, "_n32_s", sparsity),
                                 {channels, extent, 32, static_cast<double>(sparsity)}));
    }
}

}  // namespace squall::bench
