// Recording by stream capture; a segment is a graph.
#pragma once

#include "cuda/device/device_context.hpp"

namespace squall::cuda {

class DeviceTape final : public Tape {
 public:
  explicit DeviceTape(DeviceContext& context) : context_(context) {}
  void begin() override;
  void issue(const Launch& launch, const void* argument, std::size_t bytes) override;
  void issued_kernel() override;
  std::unique_ptr<Segment> end() override;
  void abandon() noexcept override;

 private:
  DeviceContext& context_;
  std::vector<cudaGraphNode_t> kernels_;
};

}  // namespace squall::cuda
