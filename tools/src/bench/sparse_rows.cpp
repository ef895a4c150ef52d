// y = rel(W x + b) with a random mask: our sparse plan against our dense one, and PyTorch's dense and CSR products.
#include "bench/measure.hpp"
#include "bench/tensors.hpp"
#include "model/timing.hpp"
#include "squall/core/ops/dense.hpp"

namespace squall::bench {

namespace {

class SparseLayer {
 public:
  SparseLayer(const BenchContext& c, Index size, Index batch, double sparsity) : t_(c.handler, 1) {
    const std::vector<float> weights = t_.sparse(size * size, sparsity);
    packed_ = PackedWeight::from_dense(weights, size, size);
    packed_.format = WeightFormat::Sparse;
    w_ = t_.of({size, size}, weights);
    x_ = t_.random({batch, size});
    b_ = t_.random({size});
    dense_y_ = t_.empty({batch, size});
    sparse_y_ = t_.empty({batch, size});
    DenseSpec spec{batch, size, size, Activation::Rel, true, nullptr};
    dense_ = c.handler->dense().plan(spec);
    spec.packed = &packed_;
    sparse_ = c.handler->dense().plan(spec);
    t_.give_memory(*dense_);
    t_.give_memory(*sparse_);
  }
  void run_dense() { dense_->forward(x_, {w_, nullptr}, b_, dense_y_); }
  void run_sparse() { sparse_->forward(x_, {{}, &packed_}, b_, sparse_y_); }
  bool agree() const { return relative_difference(t_.host(dense_y_), t_.host(sparse_y_)) <= 1e-5; }

 private:
  Tensors t_;
  PackedWeight packed_;
  Tensor w_, x_, b_, dense_y_, sparse_y_;
  std::unique_ptr<DensePlan> dense_, sparse_;
};

Benchmark row(Index size, Index batch, int sparsity) {
  const std::string shape = concat(size, "x", size), fc = concat("fc_", shape, "_b", batch);
  return {concat("sp_fc_", size, "_b", batch, "_s", sparsity),
          [=](const BenchContext& c) {
            const auto layer = std::make_shared<SparseLayer>(c, size, batch, sparsity);
            return BenchWork{[=] { layer->run_sparse(); }, "squall dense", [=] { layer->run_dense(); },
                             [=] { return layer->agree(); }};
          },
          {{"sparse_fc.py",
            {"--shape", shape, "--batch", std::to_string(batch), "--sparsity", std::to_string(sparsity), "--config",
             "eager,freeze,csr,csr-rows"},
            {fc + "_dense", concat(fc, "_s", sparsity)}}}};
}

}  // namespace

void add_sparse_rows(std::vector<Benchmark>& rows) {
  for (const Index size : {512, 1200})
    for (const Index batch : {1, 8, 32, 128})
      for (const int sparsity : {80, 90, 95, 98}) rows.push_back(row(size, batch, sparsity));
}

}  // namespace squall::bench
