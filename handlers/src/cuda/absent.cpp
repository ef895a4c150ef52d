// Stands in for the CUDA handler in builds without it.
#include "cuda/cuda.hpp"

namespace squall::cuda {

std::shared_ptr<Handler> make_cuda_handler(std::string name, DType, const CudaOptions&) {
  raise<DeviceError>("built without CUDA: '", name, "' cannot be made; use cpu:f32 or cpu:f64");
}

std::vector<std::string> cuda_handlers() { return {}; }

std::vector<std::string> cuda_report() { return {"cuda: built without CUDA"}; }

}  // namespace squall::cuda
