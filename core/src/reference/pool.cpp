// Pooling from im2col, the operations over a middle axis, and sums of blocks.
#include <algorithm>
#include <limits>

#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

// Pixels inside the image, for each window of one image.
std::vector<Index> inside_counts(const Window& w) {
  std::vector<Index> counts;
  for (Index i = 0; i < w.out_h(); ++i) {
    for (Index j = 0; j < w.out_w(); ++j) {
      Index count = 0;
      for (Index a = 0; a < w.taps(); ++a) {
        const Index row = i * w.stride_h - w.top + a / w.kernel_w;
        const Index column = j * w.stride_w - w.left + a % w.kernel_w;
        count += row >= 0 && row < w.height && column >= 0 && column < w.width ? 1 : 0;
      }
      counts.push_back(count);
    }
  }
  return counts;
}

class MaxReference final : public PoolPlan {
 public:
  MaxReference(Handler& h, const PoolSpec& spec)
      : PoolPlan(spec), h_(h), rows_(spec.images * spec.window.out_h() * spec.window.out_w()) {
    const Index channels = spec.window.channels;
    columns_ = workspace_.book(h.dtype(), {rows_, spec.window.taps(), channels});
    place_ = reserve_.book(DType::I32, {rows_, channels});
    const std::vector<Index> counts = inside_counts(spec.window);
    HostArray outside(DType::U8, {rows_, channels});
    for (Index r = 0; r < rows_; ++r) {
      if (counts[static_cast<std::size_t>(r) % counts.size()] > 0) continue;
      any_outside_ = true;
      for (Index c = 0; c < channels; ++c) outside.set_value(r * channels + c, 1);
    }
    if (any_outside_) outside_ = own(h, outside.view(), DType::U8);
  }
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }
  void set_reserve(void* block) override { reserve_.set(block); }

 protected:
  // Padding is the lowest finite number, so that it is no maximum and passes the guard of debug handlers.
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    const double lowest =
        h_.dtype() == DType::F64 ? std::numeric_limits<double>::lowest() : std::numeric_limits<float>::lowest();
    h_.windows().im2col(x, spec().window, lowest, workspace_[columns_]);
    h_.windows().max_middle(workspace_[columns_], y, reserve_[place_]);
    if (any_outside_) h_.elementwise().fill_if(0.0, outside_.tensor, y);
  }
  // What a window of padding alone sends back goes to padding, which col2im drops.
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    h_.windows().put_middle(dy, reserve_[place_], workspace_[columns_]);
    h_.windows().col2im(workspace_[columns_], spec().window, dx);
  }

 private:
  Handler& h_;
  Index rows_;
  bool any_outside_ = false;
  OwnedTensor outside_;
  Parts workspace_, reserve_;
  int columns_, place_;
};

class AvgReference final : public PoolPlan {
 public:
  AvgReference(Handler& h, const PoolSpec& spec)
      : PoolPlan(spec), h_(h), rows_(spec.images * spec.window.out_h() * spec.window.out_w()) {
    columns_ = workspace_.book(h.dtype(), {rows_, spec.window.taps(), spec.window.channels});
    share_ = workspace_.book(h.dtype(), {rows_, spec.window.channels});
    const std::vector<Index> counts = inside_counts(spec.window);
    HostArray per_row(DType::F64, {rows_});
    for (Index r = 0; r < rows_; ++r)
      per_row.set_value(r,
                        static_cast<double>(std::max<Index>(1, counts[static_cast<std::size_t>(r) % counts.size()])));
    count_ = own(h, per_row.view(), h.dtype());
  }
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    const Tensor out = y.reshaped({rows_, spec().window.channels});
    h_.windows().im2col(x, spec().window, 0.0, workspace_[columns_]);
    for (Index tap = 0; tap < spec().window.taps(); ++tap)
      h_.linalg().copy_block(block(tap), MatrixSink(out, tap == 0 ? Write::Overwrite : Write::Add));
    h_.linalg().with_column(Binary::Divide, out, count_.tensor, out);
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    const Tensor share = workspace_[share_];
    h_.linalg().with_column(Binary::Divide, dy.reshaped({rows_, spec().window.channels}), count_.tensor, share);
    for (Index tap = 0; tap < spec().window.taps(); ++tap) h_.linalg().copy_block(share, block(tap));
    h_.windows().col2im(workspace_[columns_], spec().window, dx);
  }

 private:
  // One tap of every window: (windows, channels).
  Matrix block(Index tap) const {
    const Index channels = spec().window.channels;
    const Tensor columns = workspace_[columns_].reshaped({rows_, spec().window.taps() * channels});
    return Matrix(columns).columns(tap * channels, channels);
  }

  Handler& h_;
  Index rows_;
  OwnedTensor count_;
  Parts workspace_;
  int columns_, share_;
};

}  // namespace

std::unique_ptr<PoolPlan> make_pool_reference(Handler& handler, const PoolSpec& spec) {
  if (spec.kind == PoolKind::Max) return std::make_unique<MaxReference>(handler, spec);
  return std::make_unique<AvgReference>(handler, spec);
}

}  // namespace squall
