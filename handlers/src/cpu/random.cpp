// Random fills from counter-based streams.
#include <cmath>

#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

constexpr Index kBlocksPerTile = 2048;

template <class R>
class CpuRandom final : public RandomOps {
 public:
  explicit CpuRandom(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_uniform(RandomKey key, double low, double high, const Tensor& out) override {
    R* to = out.as<R>();
    blocks(out.elements(), 4, [&](Index first, Index count) {
      ctx_->kernels().uniform(key.key, key.step, first, count, low, high, to + first * 4);
    });
    rest(key, out.elements(),
         [&](Index i, std::uint32_t word) { to[i] = static_cast<R>(low + (high - low) * formulas::unit(word)); });
  }
  void do_gaussian(RandomKey key, double mean, double deviation, const Tensor& out) override {
    R* to = out.as<R>();
    const Index n = out.elements();
    const Index all = ceil_div(n, 4);
    ctx_->parallel().run(ceil_div(all, kBlocksPerTile), n * 16 >= kWorthElements, [&](Index tile, int) {
      const Index end = std::min(all, (tile + 1) * kBlocksPerTile);
      for (Index b = tile * kBlocksPerTile; b < end; ++b) {
        const formulas::Block block = formulas::philox(static_cast<std::uint64_t>(b), key.step, key.key);
        double z[4];
        formulas::normal_pair(block.v[0], block.v[1], z[0], z[1]);
        formulas::normal_pair(block.v[2], block.v[3], z[2], z[3]);
        for (Index i = 0; i < std::min<Index>(4, n - b * 4); ++i)
          to[b * 4 + i] = static_cast<R>(mean + deviation * z[i]);
      }
    });
  }
  void do_bernoulli(RandomKey key, double p, const Tensor& out) override {
    // unit(word) < p for the 24 bits of unit.
    const double bound = std::ceil(std::min(std::max(p, 0.0), 1.0) * 0x1p24);
    const auto threshold = static_cast<std::uint32_t>(bound);
    if (out.dtype() == DType::U8)
      draw_bits(key, threshold, out.as<std::uint8_t>(), out.elements(), ctx_->kernels().bernoulli_u8);
    else
      draw_bits(key, threshold, out.as<R>(), out.elements(), ctx_->kernels().bernoulli);
  }

 private:
  template <class T, class Kernel>
  void draw_bits(RandomKey key, std::uint32_t threshold, T* to, Index n, Kernel kernel) const {
    blocks(n, 2, [&](Index first, Index count) { kernel(key.key, key.step, first, count, threshold, to + first * 4); });
    rest(key, n, [&](Index i, std::uint32_t word) { to[i] = (word >> 8) < threshold ? T(1) : T(0); });
  }
  // f(first, count) over the whole blocks of n elements.
  template <class F>
  void blocks(Index n, Index cost, const F& f) const {
    const Index all = n / 4;
    ctx_->parallel().run(ceil_div(all, kBlocksPerTile), n * cost >= kWorthElements, [&](Index tile, int) {
      f(tile * kBlocksPerTile, std::min(kBlocksPerTile, all - tile * kBlocksPerTile));
    });
  }
  // f(element, word) for the elements after the last whole block.
  template <class F>
  static void rest(RandomKey key, Index n, const F& f) {
    if (n % 4 == 0) return;
    const formulas::Block block = formulas::philox(static_cast<std::uint64_t>(n / 4), key.step, key.key);
    for (Index i = n / 4 * 4; i < n; ++i) f(i, block.v[i % 4]);
  }
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<RandomOps> make_random(ContextPtr<R> ctx) {
  return std::make_unique<CpuRandom<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(RandomOps, make_random);

}  // namespace squall::cpu
