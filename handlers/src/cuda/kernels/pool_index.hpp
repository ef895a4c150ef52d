// Which pixels windows of pooling see and which windows see a pixel, as tables on the device.
#pragma once

#include "cuda/grid.hpp"
#include "cuda/kernels/image_index.hpp"
#include "squall/core/ops/conv.hpp"
#include "squall/core/ops/memory.hpp"

namespace squall::cuda::SQUALL_GRID {

// Outputs first .. end may see a coordinate.
struct PoolSeen {
  Index first, end;
};
struct PoolAxis {
  const PoolTaps* taps;  // of each output
  const PoolSeen* seen;  // of each coordinate
  Index size, out;
  SQUALL_HD bool sees(Index output, Index coordinate) const {
    const PoolTaps& t = taps[output];
    const Index from_start = coordinate - t.start;
    if (from_start % t.step != 0) return false;
    const Index tap = from_start / t.step;
    return tap >= t.first && tap < t.end;
  }
};
struct PoolIndex {
  PoolAxis axis[3];
  Index channels, divisor;

  SQUALL_HD PixelPlace output(Index i) const { return place_of(i, axis[0].out, axis[1].out, axis[2].out, channels); }
  SQUALL_HD PixelPlace input(Index i) const { return place_of(i, axis[0].size, axis[1].size, axis[2].size, channels); }
  SQUALL_HD Index pixel(Index d, Index h, Index w) const { return (d * axis[1].size + h) * axis[2].size + w; }
  SQUALL_HD Index element(Index image, Index pixel_of_image, Index channel) const {
    return (image * axis[0].size * axis[1].size * axis[2].size + pixel_of_image) * channels + channel;
  }
  SQUALL_HD Index result(Index image, Index d, Index h, Index w, Index channel) const {
    return (((image * axis[0].out + d) * axis[1].out + h) * axis[2].out + w) * channels + channel;
  }
  // By what the sum of a window is multiplied.
  SQUALL_HD double share(Index d, Index h, Index w) const {
    const Index all = axis[0].taps[d].counted * axis[1].taps[h].counted * axis[2].taps[w].counted;
    const Index count = divisor > 0 ? divisor : (all > 1 ? all : 1);
    return 1.0 / static_cast<double>(count);
  }
};

// Owns the tables.
class PoolTables {
 public:
  PoolTables(const PoolSpec& spec, MemoryOps& memory) : channels_(spec.window.channels), divisor_(spec.divisor) {
    for (int i = 0; i < 3; ++i) {
      const std::vector<PoolTaps> taps = pool_taps(spec, i);
      const std::vector<PoolSeen> seen = seen_by(taps, spec.window.axis(i).size);
      Axis& axis = axes_[i];
      axis.size = spec.window.axis(i).size;
      axis.out = static_cast<Index>(taps.size());
      axis.taps = put(memory, taps);
      axis.seen = put(memory, seen);
    }
  }
  PoolIndex index() const {
    PoolIndex at{};
    for (int i = 0; i < 3; ++i)
      at.axis[i] = {reinterpret_cast<const PoolTaps*>(axes_[i].taps.data()),
                    reinterpret_cast<const PoolSeen*>(axes_[i].seen.data()), axes_[i].size, axes_[i].out};
    at.channels = channels_;
    at.divisor = divisor_;
    return at;
  }

 private:
  struct Axis {
    DeviceBlock taps, seen;
    Index size = 0, out = 0;
  };
  template <class T>
  static DeviceBlock put(MemoryOps& memory, const std::vector<T>& values) {
    const std::size_t bytes = values.size() * sizeof(T);
    DeviceBlock block(memory, bytes);
    if (bytes == 0) return block;
    const Shape shape{static_cast<Index>(bytes)};
    memory.upload(ConstTensor(values.data(), DType::U8, shape), Tensor(block.data(), DType::U8, shape));
    return block;
  }
  static std::vector<PoolSeen> seen_by(const std::vector<PoolTaps>& taps, Index size) {
    std::vector<PoolSeen> seen(static_cast<std::size_t>(size), PoolSeen{0, 0});
    for (std::size_t o = 0; o < taps.size(); ++o)
      for (Index k = taps[o].first; k < taps[o].end; ++k) {
        PoolSeen& s = seen[static_cast<std::size_t>(taps[o].start + k * taps[o].step)];
        if (s.end == 0) s.first = static_cast<Index>(o);
        s.end = static_cast<Index>(o) + 1;
      }
    return seen;
  }
  Axis axes_[3];
  Index channels_, divisor_;
};

}  // namespace squall::cuda::SQUALL_GRID
