// A batch of sequences cut in time, piece by piece, in memory that is used again.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "squall/core/batch.hpp"
#include "squall/core/graph.hpp"

namespace squall {

class TimePieces {
 public:
  // Fields that are not `needed` are left out of pieces; those without a time axis are in each.
  TimePieces(const Graph& graph, const std::vector<std::string>& needed) : graph_(graph), needed_(needed) {}

  // Prepares to cut; the batch must live as long as its pieces are taken.
  void cut(const Batch& batch, Index steps) {
    batch_ = &batch;
    steps_ = steps;
    length_ = 0;
    for (const auto& [name, array] : batch.fields) {
      if (!has_time(name)) continue;
      const Index length = array.shape()[0];
      if (length_ != 0 && length != length_)
        raise<DataError>("sequences cannot be cut: Input.", name, " has ", length, " time steps, other data ", length_);
      length_ = length;
    }
    if (length_ == 0) raise<DataError>("sequences cannot be cut: no data of the network has a time axis");
  }
  Index count() const { return (length_ + steps_ - 1) / steps_; }

  const Batch& take(Index index) {
    const Index first = index * steps_, steps = std::min(steps_, length_ - first);
    std::size_t used = 0;
    for (const auto& [name, array] : batch_->fields) {
      if (std::ranges::find(needed_, name) == needed_.end()) continue;
      if (used == piece_.fields.size()) piece_.fields.emplace_back();
      auto& [to_name, to] = piece_.fields[used++];
      to_name = name;
      const bool whole = !has_time(name);
      to.resize(array.dtype(), whole ? array.shape() : array.shape().from(1).with_front(steps));
      const std::size_t row = whole ? 0 : array.bytes() / static_cast<std::size_t>(length_);
      std::memcpy(to.data(), static_cast<const std::byte*>(array.data()) + static_cast<std::size_t>(first) * row,
                  to.bytes());
    }
    return piece_;
  }

 private:
  bool has_time(const std::string& name) const {
    if (std::ranges::find(needed_, name) == needed_.end()) return false;
    const int slot = graph_.node(0).find_output(name);
    return slot >= 0 && graph_.node(0).outputs[static_cast<std::size_t>(slot)].shape.scales_with_time();
  }
  const Graph& graph_;
  std::vector<std::string> needed_;
  const Batch* batch_ = nullptr;
  Batch piece_;
  Index steps_ = 1, length_ = 0;
};

}  // namespace squall
