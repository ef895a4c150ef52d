#include "graph/join.hpp"

namespace squall {

void Join::declare(Declare& d) {
  Index width = 0;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    in_.push_back(d.input(concat("source_", i + 1), "..."));
    const BufferShape& first = d.shape(in_[0]);
    const BufferShape& here = d.shape(in_[i]);
    const bool fits = first.time == here.time && first.batch == here.batch &&
                      first.features.rank() == here.features.rank() &&
                      first.features.until(first.features.rank() - 1) == here.features.until(here.features.rank() - 1);
    if (!fits)
      d.fail("sources of one input differ in more than their last axis: ", paths[0], " is ", first, ", ", paths[i],
             " is ", here);
    widths_.push_back(here.features[-1]);
    width += widths_.back();
  }
  out_ = d.output("default", d.like(in_[0], d.features(in_[0]).with_last(width)));
}

void Join::forward(Forward& f) const {
  const Matrix y(f[out_]);
  Index at = 0;
  for (std::size_t i = 0; i < in_.size(); ++i) {
    f.handler().linalg().copy_block(ConstMatrix(f[in_[i]]), y.columns(at, widths_[i]));
    at += widths_[i];
  }
}

void Join::backward(Backward& b) const {
  const ConstMatrix dy(b.delta(out_));
  Index at = 0;
  for (std::size_t i = 0; i < in_.size(); ++i) {
    if (const Sink dx = b.delta(in_[i])) b.handler().linalg().copy_block(dy.columns(at, widths_[i]), dx);
    at += widths_[i];
  }
}

}  // namespace squall
