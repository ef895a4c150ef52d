// Means and variances that training moves and evaluation uses, the way PyTorch keeps them.
#pragma once

#include "common/norm_layers.hpp"

namespace squall {

// Channels last, after 1 to 3 axes of images; where it is allowed, there may be channels alone instead of one axis.
inline void require_image(const Declare& d, In x, int axes, bool alone = true) {
  const int rank = d.features(x).rank();
  if (rank == axes + 1 || (axes == 1 && rank == 1 && alone)) return;
  d.fail("input 'default' should have the features ",
         axes == 1   ? (alone ? "(channels) or (length, channels)" : "(length, channels)")
         : axes == 2 ? "(height, width, channels)"
                     : "(depth, height, width, channels)",
         ", but is ", d.shape(x));
}

struct RunningStates {
  State mean, variance, count;
  void declare(Declare& d, Index channels) {
    mean = d.state("running_mean", Shape{channels}, 0.0);
    variance = d.state("running_var", Shape{channels}, 1.0);
    count = d.state("num_batches_tracked", Shape{1}, 0.0);
  }
};

}  // namespace squall
