// The handler of NVIDIA devices, where the build has one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "squall/core/handler.hpp"

namespace squall::cuda {

// Throws DeviceError when there is no such device or no CUDA in this build.
std::shared_ptr<Handler> make_cuda_handler(std::string name, DType dtype, int index, bool debug);

// Full names of the handlers of the devices found; empty without CUDA.
std::vector<std::string> cuda_handlers();

// What is used, or why there is none.
std::vector<std::string> cuda_report();

}  // namespace squall::cuda
