// Dropout in place, as a part of layers.
#pragma once

#include "squall/core/contexts.hpp"
#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/random.hpp"

namespace squall {

// A stream of its own for part `number` of a layer.
inline RandomKey stream_of(const Pass& pass, int number) { return attention_stream(pass.random(), -1 - number); }

inline void require_probability(const Declare& d, double p) {
  if (!(p >= 0 && p < 1)) d.fail("option 'dropout' should be in [0, 1), not ", p);
}

class Drop {
 public:
  void declare(Declare& d, const std::string& name, const BufferShape& shape, double probability, int number) {
    probability_ = probability;
    number_ = number;
    if (probability > 0) mask_ = d.internal(name, shape, {.dtype = DType::U8});
  }
  void forward(Forward& f, const Tensor& x) const {
    if (probability_ == 0 || !f.training()) return;
    const Tensor mask = f[mask_].reshaped(x.shape());
    f.handler().random().bernoulli(stream_of(f, number_), 1.0 - probability_, mask);
    apply(f, mask, x);
  }
  void backward(Backward& b, const Tensor& dx) const {
    if (probability_ == 0 || !b.training()) return;
    apply(b, b[mask_].reshaped(dx.shape()), dx);
  }

 private:
  void apply(const Pass& pass, const ConstTensor& mask, const Tensor& x) const {
    auto& ops = pass.handler().elementwise();
    ops.select_owner(x, mask, 1, x);
    ops.affine(x, 1.0 / (1.0 - probability_), 0.0, x);
  }
  double probability_ = 0;
  int number_ = 0;
  Internal mask_;
};

}  // namespace squall
