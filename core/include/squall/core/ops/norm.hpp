// Normalisation: by statistics of the batch, one for each channel (Ioffe, Szegedy 2015), or of each example alone, one
// for each group of channels (layer, root mean square, group and instance normalisation).
#pragma once

#include "squall/core/handler.hpp"

namespace squall {

// What the running statistics `mu` and `sigma` hold.
enum class Running : std::uint8_t {
  Deviation,  // brainstorm: the negated mean; the standard deviation, with epsilon in it
  Variance    // PyTorch, numpy-ml: the mean; the variance
};

struct BatchNormSpec {
  Index rows = 0, channels = 0;
  double decay = 0.9, epsilon = 1e-5;
  Running running = Running::Deviation;
  bool unbiased = false;    // Variance: the running one divides by rows - 1
  bool cumulative = false;  // statistics are means over all training passes, which `count` counts; decay means nothing
};

class BatchNormPlan : public Plan {
 public:
  explicit BatchNormPlan(const BatchNormSpec& spec) : spec_(spec) {}
  const BatchNormSpec& spec() const { return spec_; }
  // Training: batch statistics, mu and sigma (both or none) moved by (1 - decay). Otherwise: mu and sigma are used and
  // not written. gamma and beta may be empty. count: one element, raised by 1 in training; may be empty unless
  // cumulative.
  void forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
               const Tensor& sigma, bool training, const Tensor& y, const Tensor& count = {});
  // After a forward pass of the same kind. x as in forward.
  void backward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& mu, const ConstTensor& sigma,
                bool training, const ConstTensor& dy, const Sink& dx, const Sink& dgamma, const Sink& dbeta);

 protected:
  virtual void do_forward(const ConstTensor&, const ConstTensor&, const ConstTensor&, const Tensor&, const Tensor&,
                          bool, const Tensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const ConstTensor&, const ConstTensor&, const ConstTensor&, bool,
                           const ConstTensor&, const Sink&, const Sink&, const Sink&) = 0;

 private:
  BatchNormSpec spec_;
};

// One mean and variance for each example and group of consecutive channels, over all pixels.
struct GroupNormSpec {
  Index examples = 0, pixels = 1, channels = 0, groups = 1;
  double epsilon = 1e-5;
  bool centred = true;  // false: x / sqrt(mean of squares + epsilon)

  Index share() const { return pixels * channels / groups; }  // numbers behind one statistic
};

class GroupNormPlan : public Plan {
 public:
  explicit GroupNormPlan(const GroupNormSpec& spec) : spec_(spec) {}
  const GroupNormSpec& spec() const { return spec_; }
  // x, y (examples, pixels, channels); weight and bias (channels) or empty; mean and variance (biased; without epsilon)
  // of each (example, group), both or none.
  void forward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& bias, const Tensor& y,
               const Tensor& mean = {}, const Tensor& variance = {});
  // After forward. x as in forward.
  void backward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& dy, const Sink& dx,
                const Sink& dweight, const Sink& dbias);

 protected:
  virtual void do_forward(const ConstTensor&, const ConstTensor&, const ConstTensor&, const Tensor&, const Tensor&,
                          const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const ConstTensor&, const ConstTensor&, const Sink&, const Sink&,
                           const Sink&) = 0;

 private:
  GroupNormSpec spec_;
};

class NormOps : public Facet {
 public:
  std::unique_ptr<BatchNormPlan> plan(const BatchNormSpec& spec);
  std::unique_ptr<BatchNormPlan> reference(const BatchNormSpec& spec);
  std::unique_ptr<GroupNormPlan> plan(const GroupNormSpec& spec);
  std::unique_ptr<GroupNormPlan> reference(const GroupNormSpec& spec);

 protected:
  virtual std::unique_ptr<BatchNormPlan> do_plan(const BatchNormSpec&) { return nullptr; }
  virtual std::unique_ptr<GroupNormPlan> do_plan(const GroupNormSpec&) { return nullptr; }
};

}  // namespace squall
