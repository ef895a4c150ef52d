// Linear maps between pixels that are the same for every image and channel: upsampling, padding by reflection,
// shuffling. Output pixel p is the sum of weight[p, k] times input pixel index[p, k].
#pragma once

#include <vector>

#include "squall/core/handler.hpp"

namespace squall {

struct PixelMapSpec {
  Index images = 0, inputs = 0, outputs = 0, channels = 0;  // inputs, outputs: pixels of one image
  Index taps = 1;
  std::vector<std::int32_t> index;  // (outputs, taps)
  std::vector<double> weight;       // the same, or empty: all 1
};

class PixelMapPlan : public Plan {
 public:
  explicit PixelMapPlan(PixelMapSpec spec) : spec_(std::move(spec)) {}
  const PixelMapSpec& spec() const { return spec_; }
  // x (N, inputs, C), y (N, outputs, C).
  void forward(const ConstTensor& x, const Tensor& y);
  void backward(const ConstTensor& dy, const Sink& dx);

 protected:
  virtual void do_forward(const ConstTensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const Sink&) = 0;

 private:
  PixelMapSpec spec_;
};

}  // namespace squall
