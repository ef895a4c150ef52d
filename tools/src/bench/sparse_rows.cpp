#include <cmath>

#include "bench/measure.hpp"
#include "squall/core/ops/dense.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/random.hpp"

namespace squall::bench {

namespace {

// y = rel(W x + b) with a random mask: our sparse plan against our dense one, results compared.
class SparseLayer {
 public:
  SparseLayer(Handler& handler, Index size, Index batch, double sparsity) : memory_(handler.memory()) {
    std::vector<float> weights(static_cast<std::size_t>(size * size));
    Rng rng(1, "sparse_rows");
    for (auto& w : weights) w = rng.uniform() * 100 < sparsity ? 0.0F : static_cast<float>(rng.normal());
    packed_ = PackedWeight::from_dense(weights, size, size);
    packed_.format = WeightFormat::Sparse;
    std::vector<float> x(static_cast<std::size_t>(size * batch));
    for (auto& v : x) v = static_cast<float>(rng.uniform());
    w_ = device(Shape{size, size}, weights);
    x_ = device(Shape{batch, size}, x);
    b_ = device(Shape{size}, std::vector<float>(static_cast<std::size_t>(size), 0.1F));
    dense_y_ = device(Shape{batch, size}, std::vector<float>(static_cast<std::size_t>(size * batch)));
    sparse_y_ = device(Shape{batch, size}, std::vector<float>(static_cast<std::size_t>(size * batch)));
    DenseSpec spec{batch, size, size, Activation::Rel, true, nullptr};
    dense_ = handler.dense().plan(spec);
    spec.packed = &packed_;
    sparse_ = handler.dense().plan(spec);
    const auto bytes = std::max(dense_->workspace_bytes(), sparse_->workspace_bytes());
    blocks_.emplace_back(memory_, bytes);
    dense_->set_workspace(blocks_.back().data());
    sparse_->set_workspace(blocks_.back().data());
  }

  void run_dense() { dense_->forward(x_, {w_, nullptr}, b_, dense_y_); }
  void run_sparse() { sparse_->forward(x_, {{}, &packed_}, b_, sparse_y_); }
  bool agree() {
    const HostArray a = memory_.to_host(dense_y_);
    const HostArray b = memory_.to_host(sparse_y_);
    double largest = 0;
    double difference = 0;
    for (Index i = 0; i < a.elements(); ++i) {
      largest = std::max(largest, std::abs(a.value(i)));
      difference = std::max(difference, std::abs(a.value(i) - b.value(i)));
    }
    return difference <= 1e-5 * largest;
  }

 private:
  Tensor device(const Shape& shape, const std::vector<float>& values) {
    blocks_.emplace_back(memory_, values.size() * sizeof(float));
    const Tensor t(blocks_.back().data(), DType::F32, shape);
    memory_.upload(HostArray::of(shape, values).view(), t);
    return t;
  }
  MemoryOps& memory_;
  PackedWeight packed_;
  std::vector<DeviceBlock> blocks_;
  Tensor w_, x_, b_, dense_y_, sparse_y_;
  std::unique_ptr<DensePlan> dense_, sparse_;
};

BenchRow sparse_row(const BenchContext& c, const std::string& name, Index size, Index batch, double sparsity) {
  BenchRow row{name, c.threads, 0, "squall dense", 0, 0, false};
  SparseLayer layer(*c.handler, size, batch, sparsity);
  measure(
      c, [&] { layer.run_sparse(); }, [&] { layer.run_dense(); }, row);
  row.checked = layer.agree();
  return row;
}

}  // namespace

void add_sparse_rows(std::vector<Benchmark>& rows) {
  for (const Index size : {512, 1200})
    for (const Index batch : {1, 8, 32, 128})
      for (const int sparsity : {80, 90, 95, 98}) {
        const std::string name = concat("sp_fc_", size, "_b", batch, "_s", sparsity);
        rows.push_back({name, [=](const BenchContext& c) { return sparse_row(c, name, size, batch, sparsity); }});
      }
}

}  // namespace squall::bench
