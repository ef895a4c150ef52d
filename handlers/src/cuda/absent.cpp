// Stands in for the CUDA handler in builds without it.
#include "cuda/cuda.hpp"

namespace squall::cuda {

std::shared_ptr<Handler> make_cuda_handler(std::string name, DType, int, bool) {
  raise<DeviceError>("this build has no CUDA: '", name, "' cannot be made; use cpu:f32 or cpu:f64");
}

std::vector<std::string> cuda_handlers() { return {}; }

std::vector<std::string> cuda_report() { return {"cuda: not part of this build"}; }

}  // namespace squall::cuda
