// What the convolutional layers share: x (T, B, D, H, W, C) as images, padding by other things than zeros.
#pragma once

#include "common/declarations.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

// One stream of images through a convolution.
class ConvPath {
 public:
  struct Wanted {
    Sliding how;
    Index filters = 0, groups = 1;
    PaddingMode mode = PaddingMode::Zeros;
    Activation activation = Activation::Linear;
    bool bias = true;
  };
  // Declares input, output and plans; `name` is that of both.
  void declare(Declare& d, const std::string& name, const Wanted& wanted) { declare(d, name, name, wanted); }
  void declare(Declare& d, const std::string& input, const std::string& output, const Wanted& wanted);
  // `fixed`: the weight is never trained, so a packed one may run in training, too.
  void prepare(Prepare& p, const PackedWeight* packed, bool fixed, const SparsePattern* pattern = nullptr) const;
  void forward(Forward& f, const WeightRef& w, const ConstTensor& bias) const;
  void backward(Backward& b, const WeightRef& w, const Sink& dw, const Sink& dbias) const;

  In x() const { return x_; }
  Out y() const { return y_; }
  Index channels() const { return window_.channels; }
  // (filters, kernel..., channels / groups), with as many axes as the images have.
  Shape filter_shape() const;

 private:
  void pad(Declare& d, const std::string& name);

  In x_;
  Out y_;
  Internal padded_, padded_delta_;
  PlanSlot<ConvPlan> conv_;
  PlanSlot<PixelMapPlan> map_;
  Window window_;  // over the padded images where pixels are copied into the padding
  PixelMapSpec padding_;
  int axes_ = 2;
  Index filters_ = 0, groups_ = 1;
  Activation activation_ = Activation::Linear;
  bool bias_ = true, maps_ = false;
};

}  // namespace squall
