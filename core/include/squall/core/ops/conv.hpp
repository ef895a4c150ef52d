// Convolution (cross-correlation) and pooling of images (N, H, W, C).
#pragma once

#include "squall/core/activation.hpp"
#include "squall/core/describe.hpp"
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
};

class ConvPlan : public Plan {
 public:
  explicit ConvPlan(const ConvSpec& spec) : spec_(spec) {}
  const ConvSpec& spec() const { return spec_; }
  // x (N, H, W, C), W (filters, kernel_h, kernel_w, C), b (filters) or empty, y (N, out_h, out_w, filters).
  void forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y);
  // dy may be destroyed. Empty sinks are not computed.
  void backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                const Sink& dw, const Sink& db);

 protected:
  virtual void do_forward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&, const Sink&,
                           const Sink&, const Sink&) = 0;

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
// alone gives 0. Avg: mean over the pixels inside the image.
struct PoolSpec {
  Index images = 0;
  Window window;
  PoolKind kind = PoolKind::Max;
};

class PoolPlan : public Plan {
 public:
  explicit PoolPlan(const PoolSpec& spec) : spec_(spec) {}
  const PoolSpec& spec() const { return spec_; }
  // x (N, H, W, C), y (N, out_h, out_w, C). Places of maxima are kept in the plan's reserve.
  void forward(const ConstTensor& x, const Tensor& y);
  void backward(const ConstTensor& dy, const Sink& dx);

 protected:
  virtual void do_forward(const ConstTensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const Sink&) = 0;

 private:
  PoolSpec spec_;
};

class PoolOps : public Facet {
 public:
  std::unique_ptr<PoolPlan> plan(const PoolSpec& spec);
  std::unique_ptr<PoolPlan> reference(const PoolSpec& spec);

 protected:
  virtual std::unique_ptr<PoolPlan> do_plan(const PoolSpec&) { return nullptr; }
};

}  // namespace squall
