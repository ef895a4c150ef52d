// The handler of NVIDIA devices, where the build has one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "squall/handlers/make_handler.hpp"

namespace squall::cuda {

struct CudaOptions {
  int index = 0;
  Precision precision = Precision::Exact;
  bool debug = false;
};
// Throws DeviceError when there is no such device, it has no such precision, or this build has no CUDA.
std::shared_ptr<Handler> make_cuda_handler(std::string name, DType dtype, const CudaOptions& options);

// Full names of the handlers of the devices found; empty without CUDA.
std::vector<std::string> cuda_handlers();

// What is used, or why there is none.
std::vector<std::string> cuda_report();

}  // namespace squall::cuda
