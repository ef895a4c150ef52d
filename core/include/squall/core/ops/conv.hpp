// Convolution (cross-correlation) and pooling of images (N, D, H, W, C); D is left out where a window is flat.
#pragma once

#include <array>

#include "squall/core/activation.hpp"
#include "squall/core/enum_name.hpp"
#include "squall/core/ops/pixel_map.hpp"
#include "squall/core/ops/windows.hpp"
#include "squall/core/packed_weight.hpp"

namespace squall {

struct ConvSpec {
  Index images = 0;
  Window window;
  Index filters = 0;
  Activation activation = Activation::Linear;
  bool bias = true;
  const PackedWeight* packed = nullptr;  // inference from a packed weight; no backward
  bool constant = false;  // the weight seldom changes: the plan may keep a form of it (WeightRef::version)
  // Only these entries of the weight exist: W and dW are vectors of them. It must outlive the plan.
  const SparsePattern* pattern = nullptr;
  // Filters and channels in so many equal parts; a filter sees the channels of its part. channels: depthwise.
  Index groups = 1;

  Index group_channels() const { return window.channels / groups; }
  Index group_filters() const { return filters / groups; }
  Index weights_of_filter() const { return window.taps() * group_channels(); }
};

class ConvPlan : public Plan {
 public:
  explicit ConvPlan(const ConvSpec& spec) : spec_(spec) {}
  const ConvSpec& spec() const { return spec_; }
  // x images, W (filters, kernel_d, kernel_h, kernel_w, C / groups), b (filters) or empty, y (N, out..., filters).
  void forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y);
  // dy may be destroyed. Empty sinks are not computed.
  void backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                const Sink& dw, const Sink& db);
  // The two halves of a transposed convolution, from which neither activation nor bias takes part: images from maps,
  // and the gradient of W from images and maps.
  void input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx);
  void weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw);

 protected:
  virtual void do_forward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&, const Sink&,
                           const Sink&, const Sink&) = 0;
  virtual void do_input_gradient(const WeightRef&, const ConstTensor&, const Sink&) = 0;
  virtual void do_weight_gradient(const ConstTensor&, const ConstTensor&, const Sink&) = 0;

 private:
  ConvSpec spec_;
};

class ConvOps : public Facet {
 public:
  std::unique_ptr<ConvPlan> plan(const ConvSpec& spec);
  std::unique_ptr<ConvPlan> reference(const ConvSpec& spec);

 protected:
  virtual std::unique_ptr<ConvPlan> do_plan(const ConvSpec&) { return nullptr; }
};

enum class PoolKind : std::uint8_t { Max, Avg };
std::span<const EnumName<PoolKind>> enum_names(PoolKind);  // "max", "avg"

// Max: over the pixels inside the image, the first maximum in row-major order wins; a window that lies in the padding
// alone gives 0. Avg: the sum of the pixels inside the image, divided by how many they are unless options say
// otherwise.
struct PoolSpec {
  Index images = 0;
  Window window;
  PoolKind kind = PoolKind::Max;
  bool count_padding = false;           // avg: pixels of the padding count, too,
  std::array<Index, 3> uncounted = {};  // but for these last ones of each axis (depth, height, width)
  Index divisor = 0;                    // avg: divides whatever counts; 0: the count
  // Outputs of each axis; 0: those of the window. Else output i of n sees floor(i size / n) .. ceil((i + 1) size / n),
  // and kernel, stride, dilation and padding mean nothing.
  std::array<Index, 3> adaptive = {};

  bool is_adaptive() const { return adaptive[0] > 0; }
  Index out(int axis) const;
  Index outputs() const { return out(0) * out(1) * out(2); }
  Shape maps() const;  // (N, out..., C)
};

// What output i sees of one axis: taps `first` .. `end` of its window are inside the image, tap k at start + k step.
struct PoolTaps {
  Index start = 0, step = 1, first = 0, end = 0;
  Index counted = 0;  // by the divisor of avg
};
// For each output of an axis.
std::vector<PoolTaps> pool_taps(const PoolSpec& spec, int axis);
// Taps of the largest window along an axis.
Index pool_kernel(const PoolSpec& spec, int axis);

class PoolPlan : public Plan {
 public:
  explicit PoolPlan(const PoolSpec& spec) : spec_(spec) {}
  const PoolSpec& spec() const { return spec_; }
  // x images, y (N, out..., C). Places of maxima are kept in the plan's reserve.
  void forward(const ConstTensor& x, const Tensor& y);
  void backward(const ConstTensor& dy, const Sink& dx);
  // Which pixel of its image (flat, without channels; I32) was the maximum of the last forward; -1: none. Max only.
  void places(const Tensor& index);

 protected:
  virtual void do_forward(const ConstTensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const Sink&) = 0;
  virtual void do_places(const Tensor&) = 0;

 private:
  PoolSpec spec_;
};

class PoolOps : public Facet {
 public:
  std::unique_ptr<PoolPlan> plan(const PoolSpec& spec);
  std::unique_ptr<PoolPlan> reference(const PoolSpec& spec);
  std::unique_ptr<PixelMapPlan> plan(const PixelMapSpec& spec);
  std::unique_ptr<PixelMapPlan> reference(const PixelMapSpec& spec);

 protected:
  virtual std::unique_ptr<PoolPlan> do_plan(const PoolSpec&) { return nullptr; }
  virtual std::unique_ptr<PixelMapPlan> do_plan(const PixelMapSpec&) { return nullptr; }
};

}  // namespace squall
