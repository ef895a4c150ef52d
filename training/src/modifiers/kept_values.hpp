// Numbers a modifier keeps on the device of the parameters.
#pragma once

#include "squall/core/ops/memory.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

// Numbers of nested lists, in order; a problem when there is anything else.
inline void collect_numbers(const json& j, std::vector<double>& out, std::string_view where, Problems& problems) {
  if (j.is_number()) return out.push_back(j.get<double>());
  if (!j.is_array()) return problems.add(where, concat("should be nested lists of numbers, not ", j.dump()));
  for (const auto& one : j) collect_numbers(one, out, where, problems);
}

class KeptValues {
 public:
  bool on(const Handler& handler) const { return owner_ == &handler; }
  const Tensor& values() const { return values_; }
  // Memory for as many values as `like` has, on the handler's device.
  const Tensor& make(Handler& handler, const Tensor& like) {
    block_ = DeviceBlock(handler.memory(), like.bytes());
    owner_ = &handler;
    values_ = Tensor(block_.data(), like.dtype(), like.shape());
    return values_;
  }
  void upload(Handler& handler, const Tensor& like, const std::vector<double>& numbers, std::string_view modifier,
              const ParameterContext& p) {
    if (static_cast<Index>(numbers.size()) != like.elements())
      raise<ConfigError>(modifier, ": ", numbers.size(), " numbers do not fit ", p.layer, ".", p.name, " of shape ",
                         like.shape());
    make(handler, like);
    handler.memory().upload(HostArray::of(like.shape(), numbers).view(), values_);
  }

 private:
  const Handler* owner_ = nullptr;
  DeviceBlock block_;
  Tensor values_;
};

}  // namespace squall
