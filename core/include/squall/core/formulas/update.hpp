// Update rules for one weight. g: gradient, p: weight, state in place. All arithmetic in the weight's type, in one
// pass.
#pragma once

#include <cmath>

#include "squall/core/formulas/portable.hpp"

namespace squall::formulas {

template <class R>
SQUALL_HD inline R root(R x) {
  return static_cast<R>(::sqrt(static_cast<double>(x)));
}
template <>
SQUALL_HD inline float root<float>(float x) {
  return ::sqrtf(x);
}

template <class R>
SQUALL_HD inline void sgd(R& p, R g, R rate) {
  p -= rate * g;
}
// v = m v - rate g; p += v  (brainstorm; rate already scaled if wanted)
template <class R>
SQUALL_HD inline void momentum(R& p, R g, R& v, R rate, R mu) {
  v = mu * v - rate * g;
  p += v;
}
// First half of Nesterov: move to the look-ahead point.
template <class R>
SQUALL_HD inline void nesterov_ahead(R& p, R& v, R mu) {
  v = mu * v;
  p += v;
}
// Second half, with the gradient taken there.
template <class R>
SQUALL_HD inline void nesterov_correct(R& p, R g, R& v, R rate) {
  v -= rate * g;
  p -= rate * g;
}

// The rules below are objects: what they were told, how many states they keep and what they do to one weight. `decay`:
// its share of the weight is added to the gradient. `shrink`: the weight is multiplied by it first (decoupled decay).

struct DecayedDescent {
  static constexpr const char* kName = "decayed_descent";
  static constexpr int kStates = 0;
  double rate = 0, decay = 0;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R&, R&, R&) const {
    p -= R(rate) * (g + R(decay) * p);
  }
};

// SGD with momentum as PyTorch has it: the rate is applied after the velocity has been summed up.
struct Descent {
  static constexpr const char* kName = "descent";
  static constexpr int kStates = 1;  // velocity
  double rate = 0, momentum = 0, decay = 0;
  double fresh = 1;          // share of the gradient that enters the velocity: 1 - dampening
  double own = 0, kept = 1;  // the step is own g + kept v: 0, 1; or 1, momentum (Nesterov)
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& v, R&, R&) const {
    g += R(decay) * p;
    v = R(momentum) * v + R(fresh) * g;
    p -= R(rate) * (R(own) * g + R(kept) * v);
  }
};

// Adam (Kingma, Ba 2015) and its relatives. `rate` carries the bias corrections: rate = lr sqrt(1 - b2^t) / (1 - b1^t)
// with `epsilon` beside the uncorrected root (Keras), or rate = lr / (1 - b1^t) with root_scale = 1 / sqrt(1 - b2^t)
// (PyTorch). gradient_rate: of the gradient itself (NAdam). root_scale 0 and epsilon 1: not scaled at all (RAdam).
struct Adam {
  static constexpr const char* kName = "adam";
  static constexpr int kStates = 2;  // means of gradients and of their squares
  double rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, root_scale = 1, decay = 0, shrink = 1, gradient_rate = 0;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& m, R& v, R&) const {
    p *= R(shrink);
    g += R(decay) * p;
    m = R(beta1) * m + (R(1) - R(beta1)) * g;
    v = R(beta2) * v + (R(1) - R(beta2)) * g * g;
    p -= (R(rate) * m + R(gradient_rate) * g) / (root(v) * R(root_scale) + R(epsilon));
  }
};

// Adam with the largest mean of squares seen so far (Reddi et al. 2018).
struct AmsGrad {
  static constexpr const char* kName = "amsgrad";
  static constexpr int kStates = 3;
  double rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, root_scale = 1, decay = 0, shrink = 1;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& m, R& v, R& largest) const {
    p *= R(shrink);
    g += R(decay) * p;
    m = R(beta1) * m + (R(1) - R(beta1)) * g;
    v = R(beta2) * v + (R(1) - R(beta2)) * g * g;
    largest = v > largest ? v : largest;
    p -= R(rate) * m / (root(largest) * R(root_scale) + R(epsilon));
  }
};

// Adam with the largest gradient, forgotten slowly, instead of the mean of squares.
struct AdaMax {
  static constexpr const char* kName = "adamax";
  static constexpr int kStates = 2;
  double rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, decay = 0;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& m, R& u, R&) const {
    g += R(decay) * p;
    m = R(beta1) * m + (R(1) - R(beta1)) * g;
    const R old = R(beta2) * u;
    const R now = (g < R(0) ? -g : g) + R(epsilon);
    u = old > now ? old : now;
    p -= R(rate) * m / u;
  }
};

// States: mean of squares; velocity; mean of gradients, as far as they are there.
template <bool kMomentum, bool kCentered>
struct RmsProp {
  static constexpr const char* kName = "rmsprop";
  static constexpr int kStates = 1 + (kMomentum ? 1 : 0) + (kCentered ? 1 : 0);
  double rate = 0, keep = 0, epsilon = 0, momentum = 0, decay = 0;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& v, R& second, R& third) const {
    g += R(decay) * p;
    v = R(keep) * v + (R(1) - R(keep)) * g * g;
    R square = v;
    if constexpr (kCentered) {
      R& mean = kMomentum ? third : second;
      mean = R(keep) * mean + (R(1) - R(keep)) * g;
      square -= mean * mean;
      square = square > R(0) ? square : R(0);
    }
    R step = g / (root(square) + R(epsilon));
    if constexpr (kMomentum) step = second = R(momentum) * second + step;
    p -= R(rate) * step;
  }
};

struct AdaGrad {
  static constexpr const char* kName = "adagrad";
  static constexpr int kStates = 1;  // sum of squares
  double rate = 0, epsilon = 0, decay = 0;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& sum, R&, R&) const {
    g += R(decay) * p;
    sum += g * g;
    p -= R(rate) * g / (root(sum) + R(epsilon));
  }
};

struct AdaDelta {
  static constexpr const char* kName = "adadelta";
  static constexpr int kStates = 2;  // means of squared gradients and of squared steps
  double rate = 0, keep = 0, epsilon = 0, decay = 0;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& squares, R& steps, R&) const {
    g += R(decay) * p;
    squares = R(keep) * squares + (R(1) - R(keep)) * g * g;
    const R step = root(steps + R(epsilon)) / root(squares + R(epsilon)) * g;
    steps = R(keep) * steps + (R(1) - R(keep)) * step * step;
    p -= R(rate) * step;
  }
};

// Steps by the sign of the gradient only; after a change of sign the step shrinks and the weight rests.
struct RProp {
  static constexpr const char* kName = "rprop";
  static constexpr int kStates = 2;  // last gradient, size of the step
  double shrink = 0.5, grow = 1.2, smallest = 0, largest = 0;
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& last, R& size, R&) const {
    const R agree = g * last;
    size *= agree > R(0) ? R(grow) : (agree < R(0) ? R(shrink) : R(1));
    size = size < R(smallest) ? R(smallest) : (size > R(largest) ? R(largest) : size);
    g = agree < R(0) ? R(0) : g;
    p -= g > R(0) ? size : (g < R(0) ? -size : R(0));
    last = g;
  }
};

// Gradient descent that also averages the weights (Polyak, Juditsky 1992).
struct AveragedDescent {
  static constexpr const char* kName = "averaged_descent";
  static constexpr int kStates = 1;  // average of the weights
  double rate = 0, decay = 0, shrink = 1;
  double share = 1;  // of the new weight in the average
  template <class R>
  SQUALL_HD inline void operator()(R& p, R g, R& average, R&, R&) const {
    g += R(decay) * p;
    p = p * R(shrink) - R(rate) * g;
    average = (R(1) - R(share)) * average + R(share) * p;
  }
};

// Every one of them, in the order in which tables of kernels have them.
template <template <class...> class List>
using AllUpdates = List<DecayedDescent, Descent, Adam, AmsGrad, AdaMax, RmsProp<false, false>, RmsProp<true, false>,
                        RmsProp<false, true>, RmsProp<true, true>, AdaGrad, AdaDelta, RProp, AveragedDescent>;

}  // namespace squall::formulas
