// Numbers that a layer knows when it is bound: brought to the device once, and given like the memory of a plan.
#pragma once

#include "squall/core/ops/memory.hpp"
#include "squall/core/plan.hpp"

namespace squall {

class Uploaded final : public Plan {
 public:
  Uploaded(Handler& handler, const HostArray& host, DType dtype)
      : block_(handler.memory(), static_cast<std::size_t>(host.elements()) * size_of(dtype)),
        tensor_(block_.data(), dtype, host.shape()) {
    handler.memory().upload(host.view(), tensor_);
  }
  std::string_view kind() const override { return "table"; }
  ConstTensor tensor() const { return tensor_; }

 private:
  DeviceBlock block_;
  Tensor tensor_;
};

}  // namespace squall
