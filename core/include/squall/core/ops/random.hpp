// Random fills on the device. Element i depends on the key, the step and i alone: word i % 4 of block i / 4 of the
// stream (for gaussian: the pair i / 2), so every device and any number of threads gives the same bits.
#pragma once

#include "squall/core/handler.hpp"
#include "squall/core/random.hpp"

namespace squall {

class RandomOps : public Facet {
 public:
  void uniform(RandomKey key, double low, double high, const Tensor& out);
  void gaussian(RandomKey key, double mean, double deviation, const Tensor& out);
  // 1 with probability p, else 0. out: real or U8.
  void bernoulli(RandomKey key, double p, const Tensor& out);

 protected:
  virtual void do_uniform(RandomKey, double, double, const Tensor&) = 0;
  virtual void do_gaussian(RandomKey, double, double, const Tensor&) = 0;
  virtual void do_bernoulli(RandomKey, double, const Tensor&) = 0;
};

}  // namespace squall
