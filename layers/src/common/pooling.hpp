// What the pooling layers share: one stream of images through a pool, and the options of PyTorch's pools.
#pragma once

#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

class PoolPath {
 public:
  struct Wanted {
    Sliding how;
    PoolKind kind = PoolKind::Max;
    bool ceil = false;  // a last window may be incomplete
    bool count_padding = false;
    Index divisor = 0;
    bool indices = false;  // an output of that name: which pixel was the maximum
  };
  // `name` is that of input and output.
  void declare(Declare& d, const std::string& name, const Wanted& wanted);
  // Windows that divide the image into so many outputs along each axis.
  void declare_adaptive(Declare& d, std::span<const Index> outputs, PoolKind kind, bool indices);
  void prepare(Prepare& p) const;
  void forward(Forward& f) const;
  void backward(Backward& b) const;
  In x() const { return x_; }
  Out y() const { return y_; }

 private:
  void declare_outputs(Declare& d, const std::string& name, bool indices);

  In x_;
  Out y_, index_;
  Internal values_;  // in place of y where only the indices are wanted
  PlanSlot<PoolPlan> plan_;
  PoolSpec spec_;
  int axes_ = 2;
  bool indices_ = false;
};

template <int N>
struct MaxPoolOptions {
  std::optional<PerAxis<N>> kernel_size, stride;
  PaddingOf<N> padding;
  PerAxis<N> dilation = PerAxis<N>::all(1);
  bool ceil_mode = false, return_indices = false;
  static constexpr auto fields = std::tuple{
      field("kernel_size", &MaxPoolOptions::kernel_size, "extent of the window: one number or one for each axis"),
      field("stride", &MaxPoolOptions::stride, "steps; without it those of kernel_size"),
      field("padding", &MaxPoolOptions::padding,
            "pixels that never win: 'same', 'valid', a number, one for each axis or a pair [before, after] for each"),
      field("dilation", &MaxPoolOptions::dilation, "distance of the window's taps; 1: neighbours"),
      field("ceil_mode", &MaxPoolOptions::ceil_mode, "whether a last, incomplete window counts"),
      field("return_indices", &MaxPoolOptions::return_indices,
            "adds the output 'indices': the place of each maximum in its image, without channels")};
};
template <int N>
struct AvgPoolOptions {
  std::optional<PerAxis<N>> kernel_size, stride;
  PaddingOf<N> padding;
  bool ceil_mode = false, count_include_pad = true;
  std::optional<Index> divisor_override;
  static constexpr auto fields = std::tuple{
      field("kernel_size", &AvgPoolOptions::kernel_size, "extent of the window: one number or one for each axis"),
      field("stride", &AvgPoolOptions::stride, "steps; without it those of kernel_size"),
      field("padding", &AvgPoolOptions::padding,
            "pixels of zeros: 'same', 'valid', a number, one for each axis or a pair [before, after] for each"),
      field("ceil_mode", &AvgPoolOptions::ceil_mode, "whether a last, incomplete window counts"),
      field("count_include_pad", &AvgPoolOptions::count_include_pad, "whether the divisor counts the padding"),
      field("divisor_override", &AvgPoolOptions::divisor_override, "divides instead of the number of pixels")};
};

// D has kType and kDoc.
template <class D, class Options>
class PoolLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    if (!options.kernel_size) d.fail("option 'kernel_size' is missing: the extent of the window, like 2");
    PoolPath::Wanted wanted;
    const auto& stride = options.stride ? *options.stride : *options.kernel_size;
    wanted.how = sliding(*options.kernel_size, stride, options.padding);
    wanted.ceil = options.ceil_mode;
    if constexpr (requires { options.count_include_pad; }) {
      if (options.divisor_override && *options.divisor_override < 1)
        d.fail("option 'divisor_override' should be a positive whole number, not ", *options.divisor_override);
      wanted.kind = PoolKind::Avg;
      wanted.count_padding = options.count_include_pad;
      wanted.divisor = options.divisor_override.value_or(0);
    } else {
      wanted.how.dilation = options.dilation.values;
      wanted.indices = options.return_indices;
    }
    path_.declare(d, "default", wanted);
  }
  void prepare(Prepare& p) const override { path_.prepare(p); }
  void forward(Forward& f) const override { path_.forward(f); }
  void backward(Backward& b) const override { path_.backward(b); }

 private:
  PoolPath path_;
};

template <int N>
struct AdaptivePoolOptions {
  std::optional<PerAxis<N>> output_size;
  static constexpr auto fields =
      std::tuple{field("output_size", &AdaptivePoolOptions::output_size, "outputs: one number or one for each axis")};
};

// D has kType, kDoc and kKind.
template <class D, int N>
class AdaptivePoolLayer : public LayerOf<D, AdaptivePoolOptions<N>> {
 public:
  using LayerOf<D, AdaptivePoolOptions<N>>::options;

  void declare(Declare& d) override {
    if (!options.output_size) d.fail("option 'output_size' is missing: how many outputs there are along an axis");
    path_.declare_adaptive(d, options.output_size->values, D::kKind, false);
  }
  void prepare(Prepare& p) const override { path_.prepare(p); }
  void forward(Forward& f) const override { path_.forward(f); }
  void backward(Backward& b) const override { path_.backward(b); }

 private:
  PoolPath path_;
};

}  // namespace squall
