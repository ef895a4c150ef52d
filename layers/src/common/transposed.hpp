// Transposed convolution: what a convolution sends back to its images, as a layer.
#pragma once

#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

// The layer without its options. The inner convolution goes from what comes out (window_) to what goes in.
class TransposedPath {
 public:
  struct Wanted {
    std::span<const Index> kernel, stride, dilation, output_padding;
    Padding padding;
    Index filters = 0, groups = 1;
    Activation activation = Activation::Linear;
    bool bias = true;
  };
  void declare(Declare& d, const Wanted& wanted);
  void prepare(Prepare& p) const;
  void forward(Forward& f) const;
  void backward(Backward& b) const;

 private:
  Axis inner_axis(Declare& d, const Wanted& wanted, std::size_t i, Index size) const;

  In x_;
  Out y_;
  Param W_, bias_;
  Internal delta_;  // for sinks that add
  PlanSlot<ConvPlan> plan_;
  Window window_;
  Index inputs_ = 0, groups_ = 1;
  Activation activation_ = Activation::Linear;
  bool has_bias_ = true;
};

template <int N>
struct ConvTransposeOptions {
  Index filters = 0;
  std::optional<PerAxis<N>> kernel_size;
  PerAxis<N> stride = PerAxis<N>::all(1);
  PaddingOf<N> padding;
  Offsets<N> output_padding;
  PerAxis<N> dilation = PerAxis<N>::all(1);
  Index groups = 1;
  Activation activation = Activation::Linear;
  bool use_bias = true;
  static constexpr auto fields = std::tuple{
      field("filters", &ConvTransposeOptions::filters, "number of channels that come out"),
      field("kernel_size", &ConvTransposeOptions::kernel_size, "extent of a filter: one number or one for each axis"),
      field("stride", &ConvTransposeOptions::stride, "distance of neighbouring inputs in the output"),
      field("padding", &ConvTransposeOptions::padding,
            "pixels cut off the output: a number, one for each axis or a pair [before, after] for each axis"),
      field("output_padding", &ConvTransposeOptions::output_padding, "pixels added at the end of the output"),
      field("dilation", &ConvTransposeOptions::dilation, "distance of a filter's taps; 1: neighbours"),
      field("groups", &ConvTransposeOptions::groups, "parts of inputs and outputs; an output sees its part"),
      field("activation", &ConvTransposeOptions::activation, "linear, rel, tanh, sigmoid, el or softmax"),
      field("use_bias", &ConvTransposeOptions::use_bias, "whether a bias is added")};
};

// D has kType and kDoc.
template <class D, int N>
class ConvTranspose : public LayerOf<D, ConvTransposeOptions<N>> {
 public:
  using LayerOf<D, ConvTransposeOptions<N>>::options;

  void declare(Declare& d) override {
    if (options.filters < 1) d.fail("option 'filters' should be a positive whole number, not ", options.filters);
    if (!options.kernel_size) d.fail("option 'kernel_size' is missing: the extent of a filter, like 3");
    TransposedPath::Wanted w;
    w.kernel = options.kernel_size->values;
    w.stride = options.stride.values;
    w.dilation = options.dilation.values;
    w.output_padding = options.output_padding.values;
    w.padding = options.padding;
    w.filters = options.filters;
    w.groups = options.groups;
    w.activation = options.activation;
    w.bias = options.use_bias;
    path_.declare(d, w);
  }
  void prepare(Prepare& p) const override { path_.prepare(p); }
  void forward(Forward& f) const override { path_.forward(f); }
  void backward(Backward& b) const override { path_.backward(b); }

 private:
  TransposedPath path_;
};

}  // namespace squall
