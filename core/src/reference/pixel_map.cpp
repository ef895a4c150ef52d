// Maps of pixels from gathered rows.
#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

class PixelMapReference final : public PixelMapPlan {
 public:
  PixelMapReference(Handler& h, const PixelMapSpec& spec)
      : PixelMapPlan(spec),
        h_(h),
        rows_(spec.images * spec.outputs),
        lines_(workspace_.book(h.dtype(), {rows_ * spec.taps, spec.channels})) {
    const auto entries = static_cast<Index>(spec.index.size());
    HostArray rows(DType::I32, {spec.images * entries}), weights(DType::F64, {spec.images * entries});
    for (Index n = 0; n < spec.images; ++n)
      for (Index i = 0; i < entries; ++i) {
        const auto e = static_cast<std::size_t>(i);
        rows.set_value(n * entries + i, static_cast<double>(n * spec.inputs + spec.index[e]));
        weights.set_value(n * entries + i, spec.weight.empty() ? 1.0 : spec.weight[e]);
      }
    index_ = own(h, rows.view(), DType::I32);
    weight_ = own(h, weights.view(), h.dtype());
  }
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    const Tensor lines = workspace_[lines_];
    h_.linalg().gather_rows(x.reshaped({spec().images * spec().inputs, spec().channels}), index_.tensor, lines);
    h_.linalg().with_column(Binary::Multiply, lines, weight_.tensor, lines);
    for (Index tap = 0; tap < spec().taps; ++tap)
      h_.linalg().copy_block(
          block(tap), MatrixSink(y.reshaped({rows_, spec().channels}), tap == 0 ? Write::Overwrite : Write::Add));
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    const Tensor lines = workspace_[lines_];
    if (dx.mode == Write::Overwrite) h_.memory().zero(dx.to);
    if (rows_ == 0) return;
    for (Index tap = 0; tap < spec().taps; ++tap)
      h_.linalg().copy_block(dy.reshaped({rows_, spec().channels}), block(tap));
    h_.linalg().with_column(Binary::Multiply, lines, weight_.tensor, lines);
    h_.linalg().scatter_add_rows(lines, index_.tensor,
                                 dx.to.reshaped({spec().images * spec().inputs, spec().channels}));
  }

 private:
  Matrix block(Index tap) const {
    const Index n = spec().channels;
    return Matrix(workspace_[lines_].reshaped({rows_, spec().taps * n})).columns(tap * n, n);
  }

  Handler& h_;
  Index rows_;
  Parts workspace_;
  int lines_;
  OwnedTensor index_, weight_;
};

}  // namespace

std::unique_ptr<PixelMapPlan> make_pixel_map_reference(Handler& handler, const PixelMapSpec& spec) {
  return std::make_unique<PixelMapReference>(handler, spec);
}

}  // namespace squall
