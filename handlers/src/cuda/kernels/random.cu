// Random fills from counter-based streams: a thread for each block of four elements. Compiled without contraction of
// products and sums, so that uniform numbers have the same bits as those of the CPU.
#include <cmath>

#include "cuda/facets.hpp"
#include "cuda/grid.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

struct Stream {
  std::uint64_t key, step;
  SQUALL_HD formulas::Block block(Index b) const { return formulas::philox(static_cast<std::uint64_t>(b), step, key); }
};

template <class R>
struct UniformKernel {
  R* out;
  Index n;
  Stream stream;
  double low, width;
  SQUALL_HD void operator()(Index b) const {
    const formulas::Block words = stream.block(b);
    for (Index i = 0; i < 4 && b * 4 + i < n; ++i)
      out[b * 4 + i] = static_cast<R>(low + width * formulas::unit(words.v[i]));
  }
};
template <class R>
struct GaussianKernel {
  R* out;
  Index n;
  Stream stream;
  double mean, deviation;
  SQUALL_HD void operator()(Index b) const {
    const formulas::Block words = stream.block(b);
    double z[4];
    formulas::normal_pair(words.v[0], words.v[1], z[0], z[1]);
    formulas::normal_pair(words.v[2], words.v[3], z[2], z[3]);
    for (Index i = 0; i < 4 && b * 4 + i < n; ++i) out[b * 4 + i] = static_cast<R>(mean + deviation * z[i]);
  }
};
template <class T>
struct BernoulliKernel {
  T* out;
  Index n;
  Stream stream;
  std::uint32_t threshold;
  SQUALL_HD void operator()(Index b) const {
    const formulas::Block words = stream.block(b);
    for (Index i = 0; i < 4 && b * 4 + i < n; ++i) out[b * 4 + i] = (words.v[i] >> 8) < threshold ? T(1) : T(0);
  }
};

template <class R>
class GridRandom final : public RandomOps {
 public:
  explicit GridRandom(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_uniform(RandomKey key, double low, double high, const Tensor& out) override {
    const Index n = out.elements();
    each(*ctx_, blocks_of(n), UniformKernel<R>{out.as<R>(), n, {key.key, key.step}, low, high - low});
  }
  void do_gaussian(RandomKey key, double mean, double deviation, const Tensor& out) override {
    const Index n = out.elements();
    each(*ctx_, blocks_of(n), GaussianKernel<R>{out.as<R>(), n, {key.key, key.step}, mean, deviation});
  }
  void do_bernoulli(RandomKey key, double p, const Tensor& out) override {
    // unit(word) < p for the 24 bits of unit.
    const auto threshold = static_cast<std::uint32_t>(std::ceil(std::min(std::max(p, 0.0), 1.0) * 0x1p24));
    if (out.dtype() == DType::U8)
      bernoulli(key, threshold, out.as<std::uint8_t>(), out.elements());
    else
      bernoulli(key, threshold, out.as<R>(), out.elements());
  }

 private:
  static Index blocks_of(Index n) { return (n + 3) / 4; }
  template <class T>
  void bernoulli(RandomKey key, std::uint32_t threshold, T* to, Index n) {
    each(*ctx_, blocks_of(n), BernoulliKernel<T>{to, n, {key.key, key.step}, threshold});
  }
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<RandomOps> make_random(ContextPtr ctx) {
  return std::make_unique<GridRandom<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(RandomOps, make_random);

}  // namespace squall::cuda::SQUALL_GRID
