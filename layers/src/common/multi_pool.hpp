// BeyondML's max-pooling for several tasks at once.
#pragma once

#include "common/pooling.hpp"

namespace squall {

template <int N>
struct MultiMaxPoolOptions {
  static constexpr Index kDefault = N;  // the originals' windows: 2 x 2 and 3 x 3 x 3
  std::vector<std::string> tasks;
  PerAxis<N> pool_size = PerAxis<N>::all(kDefault);
  PerAxis<N> strides = PerAxis<N>::all(1);
  PaddingOf<N> padding = PaddingOf<N>::same();
  PerAxis<N> dilation = PerAxis<N>::all(1);
  static constexpr auto fields = std::tuple{
      field("tasks", &MultiMaxPoolOptions::tasks, "names of the tasks; inputs and outputs are named after them"),
      field("pool_size", &MultiMaxPoolOptions::pool_size, "extent of the window: one number or one for each axis"),
      field("strides", &MultiMaxPoolOptions::strides, "steps: one number or one for each axis"),
      field("padding", &MultiMaxPoolOptions::padding,
            "'same', 'valid', a number, one for each axis or a pair [before, after] for each axis"),
      field("dilation", &MultiMaxPoolOptions::dilation, "distance of the window's taps; 1: neighbours")};
};

// D has kType and kDoc.
template <class D, int N>
class MultiMaxPool : public LayerOf<D, MultiMaxPoolOptions<N>> {
 public:
  using LayerOf<D, MultiMaxPoolOptions<N>>::options;

  void declare(Declare& d) override {
    require_tasks(d, options.tasks);
    PoolPath::Wanted wanted;
    wanted.how = sliding(options.pool_size, options.strides, options.dilation, options.padding);
    for (const auto& name : options.tasks) {
      PoolPath& path = paths_.emplace_back();
      path.declare(d, name, wanted);
      d.depends(path.y(), {path.x()});
    }
    d.tasks(options.tasks);
  }
  void prepare(Prepare& p) const override {
    for (const PoolPath& path : paths_)
      if (p.active(path.y())) path.prepare(p);
  }
  void forward(Forward& f) const override {
    for (const PoolPath& path : paths_)
      if (f.active(path.y())) path.forward(f);
  }
  void backward(Backward& b) const override {
    for (const PoolPath& path : paths_)
      if (b.delta(path.y())) path.backward(b);
  }

 private:
  std::vector<PoolPath> paths_;
};

}  // namespace squall
