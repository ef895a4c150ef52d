// Convolution by matrix products: the windows of a tile of output pixels are copied into rows, which are multiplied
// while they are in the cache. Weight gradients are summed over fixed groups of pixels, then over the groups in order.
#include "cpu/conv.hpp"
#include "cpu/finish.hpp"
#include "cpu/panels.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

namespace {

template <class R>
class GemmConv final : public ConvPlan {
 public:
  GemmConv(const ConvSpec& spec, ContextPtr<R> ctx) : ConvPlan(spec), ctx_(std::move(ctx)) {
    constexpr Index kTileElements = 131072, kLeast = 192, kMost = 1024, kFewTiles = 4;
    tile_rows_ = std::clamp<Index>(kTileElements / inner(), kLeast, kMost);
    // Few pixels: smaller tiles, so that there are some to share.
    tile_rows_ = std::clamp<Index>(round_up(ceil_div(rows(), kFewTiles), 16), 32, tile_rows_);
    tiles_ = ceil_div(rows(), tile_rows_);
    constexpr Index kGroupElements = Index{1} << 21, kLeastGroups = 4, kMostGroups = 16;
    groups_ = std::clamp<Index>(kGroupElements / weights(), kLeastGroups, kMostGroups);
    groups_ = std::min(groups_, tiles_);
    packs_ = spec.groups == 1 && !ctx_->by_library(tile_rows_, filters(), inner());
    if (packs_ && spec.constant) kept_.resize(static_cast<std::size_t>(panel_elements(*ctx_, inner(), filters())));
  }
  std::string_view kind() const override { return "windows gemm"; }
  std::size_t workspace_bytes() const override {
    return activate_back_bytes(rows(), spec().filters) +
           static_cast<std::size_t>(panels_at() + panel_room()) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    sums_ = static_cast<double*>(memory);
    partial_ = reinterpret_cast<R*>(static_cast<std::byte*>(memory) + activate_back_bytes(rows(), spec().filters));
    windows_ = partial_ + groups_ * weights();
    panels_ = partial_ + panels_at();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    const R* in = x.as<R>();
    const R* bias = b ? b.as<R>() : nullptr;
    const R* weight = w.values.as<R>();
    R* out = y.as<R>();
    const Panels<R> panels = packs_ ? panels_of(w) : Panels<R>();
    ctx_->parallel().run(tiles_, worth(), [&](Index tile, int worker) {
      const Span part = tile_part(tile);
      R* window = windows_of(worker);
      R* to = out + part.first * filters();
      each_group([&](const Group& g) {
        copy_windows(in, spec().window, g.channels, R(0), part.first, part.count, window);
        const GemmCall<R> rows{part.count, filters(), inner(), window, inner(), 1, nullptr, 0, 0, to, filters()};
        if (packs_) return multiply_panels(*ctx_, rows, panels, {0, part.count}, {0, filters()}, worker);
        ctx_->multiply({part.count, g.filters, inner(), window, inner(), 1, weight + g.first * inner(), 1, inner(),
                        to + g.first, filters(), false},
                       worker);
      });
      bias_activate(k(), spec().activation, {0, part.count}, {0, filters()}, bias, to, filters());
      if (spec().activation != Activation::Softmax) return;
      for (Index r = 0; r < part.count; ++r) k().softmax(filters(), to + r * filters(), to + r * filters());
    });
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    R* delta = dy.as<R>();
    activate_back(*ctx_, spec().activation, rows(), filters(), y.as<R>(), delta, db, sums_);
    if (dx) input_delta(delta, w.values.as<R>(), dx);
    if (dw) weight_delta(x.as<R>(), delta, dw);
  }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    input_delta(dy.as<R>(), w.values.as<R>(), dx);
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    weight_delta(x.as<R>(), dy.as<R>(), dw);
  }

 private:
  Index threads() const { return ctx_->parallel().threads(); }
  Index filters() const { return spec().filters; }
  Index inner() const { return spec().weights_of_filter(); }
  Index rows() const { return spec().images * pixels(spec().window); }
  Index weights() const { return filters() * inner(); }
  bool worth() const { return 2 * rows() * weights() >= kWorthFlops; }
  const Kernels<R>& k() const { return ctx_->kernels(); }
  R* windows_of(int worker) const { return windows_ + worker * tile_rows_ * inner(); }
  // The weight in panels is packed once for all tiles; a constant one once for each version.
  Index panels_at() const { return round_up(groups_ * weights() + threads() * tile_rows_ * inner(), kImageLanes); }
  Index panel_room() const { return packs_ ? panel_elements(*ctx_, inner(), filters()) : 0; }
  Panels<R> panels_of(const WeightRef& w) {
    const bool keeps = !kept_.empty() && w.version != 0;
    R* to = keeps ? kept_.data() : panels_;
    const ConstMatrix weight(w.values.data(), w.values.dtype(), filters(), inner(), inner());
    if (!keeps || w.version != kept_version_) pack_panels(*ctx_, weight.T(), to);
    kept_version_ = keeps ? w.version : 0;
    return {to, inner(), filters()};
  }
  // Filters first .. first + filters see these channels.
  struct Group {
    Channels channels;
    Index first, filters;
  };
  template <class F>
  void each_group(const F& f) const {
    const ConvSpec& s = spec();
    for (Index g = 0; g < s.groups; ++g)
      f(Group{{g * s.group_channels(), s.group_channels()}, g * s.group_filters(), s.group_filters()});
  }
  Span tile_part(Index tile) const {
    const Index first = tile * tile_rows_;
    return {first, std::min(tile_rows_, rows() - first)};
  }

  void input_delta(const R* delta, const R* weight, const Sink& dx) const {
    const Window& w = spec().window;
    const Index per_image = pixels(w);
    const auto add = k().unary[at(Unary::Copy)][at(Write::Add)];
    R* to = dx.to.as<R>();
    ctx_->parallel().run(spec().images, worth(), [&](Index n, int worker) {
      R* image = to + n * image_size(w);
      R* window = windows_of(worker);
      if (dx.mode == Write::Overwrite) std::fill_n(image, image_size(w), R(0));
      for (Index first = 0; first < per_image; first += tile_rows_) {
        const Index count = std::min(tile_rows_, per_image - first);
        const R* from = delta + (n * per_image + first) * filters();
        each_group([&](const Group& g) {
          ctx_->multiply({count, inner(), g.filters, from + g.first, filters(), 1, weight + g.first * inner(), inner(),
                          1, window, inner(), false},
                         worker);
          add_windows(window, w, g.channels, first, count, image, add);
        });
      }
    });
  }

  void weight_delta(const R* x, const R* delta, const Sink& dw) const {
    ctx_->parallel().run(groups_, worth(), [&](Index group, int worker) {
      const Span tiles = part_of(tiles_, groups_, group);
      R* window = windows_of(worker);
      R* sum = partial_ + group * weights();
      for (Index tile = tiles.first; tile < tiles.first + tiles.count; ++tile) {
        const Span part = tile_part(tile);
        const R* from = delta + part.first * filters();
        each_group([&](const Group& g) {
          copy_windows(x, spec().window, g.channels, R(0), part.first, part.count, window);
          ctx_->multiply({g.filters, inner(), part.count, from + g.first, 1, filters(), window, inner(), 1,
                          sum + g.first * inner(), inner(), tile > tiles.first},
                         worker);
        });
      }
    });
    R* to = dw.to.as<R>();
    const bool add = dw.mode == Write::Add;
    const auto& copy = k().unary[at(Unary::Copy)];
    ctx_->parallel().pieces(weights(), groups_, [&](Index i, Index n) {
      for (Index g = 0; g < groups_; ++g) copy[add || g > 0 ? 1 : 0](n, partial_ + g * weights() + i, to + i);
    });
  }

  ContextPtr<R> ctx_;
  Index tile_rows_ = 0, tiles_ = 0, groups_ = 0;
  double* sums_ = nullptr;
  R* partial_ = nullptr;  // weight gradients of the groups
  R* windows_ = nullptr;  // rows of one tile for each worker
  R* panels_ = nullptr;
  bool packs_ = false;
  AlignedVector<R> kept_;  // the panels, if the weight is constant
  std::uint64_t kept_version_ = 0;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> gemm_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  return std::make_unique<GemmConv<R>>(spec, std::move(ctx));
}
template std::unique_ptr<ConvPlan> gemm_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> gemm_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
