// The order of numbers in which a middle axis comes last, and the way back, as indices of LinalgOps::gather_rows.
#pragma once

#include <limits>

#include "squall/core/host_array.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/plan.hpp"

namespace squall {

class AxisOrder final : public Plan {
 public:
  // Of numbers (before, extent, after). Throws ShapeError for more of them than indices can tell apart.
  AxisOrder(Handler& handler, Index before, Index extent, Index after)
      : count_(before * extent * after),
        tables_(handler.memory(), 2 * static_cast<std::size_t>(count_) * sizeof(std::int32_t)) {
    if (count_ > std::numeric_limits<std::int32_t>::max())
      raise<ShapeError>("softmax over another axis than the last: ", count_,
                        " numbers are too many; use less examples");
    HostArray last(DType::I32, Shape{count_}), back(DType::I32, Shape{count_});
    for (Index b = 0, to = 0; b < before; ++b)
      for (Index a = 0; a < after; ++a)
        for (Index e = 0; e < extent; ++e, ++to) {
          const Index from = (b * extent + e) * after + a;
          last.span<std::int32_t>()[static_cast<std::size_t>(to)] = static_cast<std::int32_t>(from);
          back.span<std::int32_t>()[static_cast<std::size_t>(from)] = static_cast<std::int32_t>(to);
        }
    handler.memory().upload(last.view(), table(0));
    handler.memory().upload(back.view(), table(1));
  }
  std::string_view kind() const override { return "order"; }
  ConstTensor last() const { return table(0); }  // (before, after, extent) from (before, extent, after)
  ConstTensor back() const { return table(1); }  // the other way

 private:
  Tensor table(Index which) const {
    return {tables_.data() + static_cast<std::size_t>(which * count_) * sizeof(std::int32_t), DType::I32,
            Shape{count_}};
  }
  Index count_;
  DeviceBlock tables_;
};

}  // namespace squall
