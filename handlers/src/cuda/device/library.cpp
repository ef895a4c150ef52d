#include "cuda/device/library.hpp"

#include <dlfcn.h>

#include <vector>

#include "squall/core/error.hpp"

namespace squall::cuda {

Library::Library(const char* name, int version) {
  const std::string file = concat("lib", name, ".so.", version);
  std::string why;
  for (const std::string& candidate : {file, concat(SQUALL_CUDA_LIBRARIES, "/", file)}) {
    path_ = candidate;
    handle_ = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return;
    const char* text = dlerror();
    if (why.empty()) why = text != nullptr ? text : "no reason given";
  }
  raise<DeviceError>("CUDA: the library ", file, " cannot be opened (", why, "); add its folder to LD_LIBRARY_PATH");
}

void* Library::address(const char* symbol) const {
  void* found = dlsym(handle_, symbol);
  if (found == nullptr) raise<DeviceError>("CUDA: ", path_, " has no function ", symbol);
  return found;
}

#define SQUALL_FIND(member, name) member(library.find<decltype(name)>(#name))

CublasLibrary::CublasLibrary()
    : library("cublas", CUBLAS_VER_MAJOR),
      SQUALL_FIND(create, cublasCreate_v2),
      SQUALL_FIND(destroy, cublasDestroy_v2),
      SQUALL_FIND(set_stream, cublasSetStream_v2),
      SQUALL_FIND(set_workspace, cublasSetWorkspace_v2),
      SQUALL_FIND(set_math_mode, cublasSetMathMode),
      SQUALL_FIND(gemm, cublasGemmEx_64),
      SQUALL_FIND(gemm_batch, cublasGemmStridedBatchedEx_64) {}

CublasLtLibrary::CublasLtLibrary()
    : library("cublasLt", CUBLAS_VER_MAJOR),
      SQUALL_FIND(create, cublasLtCreate),
      SQUALL_FIND(destroy, cublasLtDestroy),
      SQUALL_FIND(matmul, cublasLtMatmul),
      SQUALL_FIND(create_operation, cublasLtMatmulDescCreate),
      SQUALL_FIND(destroy_operation, cublasLtMatmulDescDestroy),
      SQUALL_FIND(set_operation, cublasLtMatmulDescSetAttribute),
      SQUALL_FIND(create_layout, cublasLtMatrixLayoutCreate),
      SQUALL_FIND(destroy_layout, cublasLtMatrixLayoutDestroy),
      SQUALL_FIND(create_preference, cublasLtMatmulPreferenceCreate),
      SQUALL_FIND(destroy_preference, cublasLtMatmulPreferenceDestroy),
      SQUALL_FIND(set_preference, cublasLtMatmulPreferenceSetAttribute),
      SQUALL_FIND(heuristic, cublasLtMatmulAlgoGetHeuristic) {}

CudnnLibrary::CudnnLibrary()
    : library("cudnn", CUDNN_MAJOR),
      SQUALL_FIND(version, cudnnGetVersion),
      SQUALL_FIND(create, cudnnCreate),
      SQUALL_FIND(destroy, cudnnDestroy),
      SQUALL_FIND(set_stream, cudnnSetStream),
      SQUALL_FIND(create_tensor, cudnnCreateTensorDescriptor),
      SQUALL_FIND(destroy_tensor, cudnnDestroyTensorDescriptor),
      SQUALL_FIND(set_tensor, cudnnSetTensor4dDescriptor),
      SQUALL_FIND(create_filter, cudnnCreateFilterDescriptor),
      SQUALL_FIND(destroy_filter, cudnnDestroyFilterDescriptor),
      SQUALL_FIND(set_filter, cudnnSetFilter4dDescriptor),
      SQUALL_FIND(create_convolution, cudnnCreateConvolutionDescriptor),
      SQUALL_FIND(destroy_convolution, cudnnDestroyConvolutionDescriptor),
      SQUALL_FIND(set_convolution, cudnnSetConvolution2dDescriptor),
      SQUALL_FIND(set_math_type, cudnnSetConvolutionMathType),
      SQUALL_FIND(set_groups, cudnnSetConvolutionGroupCount),
      SQUALL_FIND(forward_algorithms, cudnnGetConvolutionForwardAlgorithm_v7),
      SQUALL_FIND(data_algorithms, cudnnGetConvolutionBackwardDataAlgorithm_v7),
      SQUALL_FIND(filter_algorithms, cudnnGetConvolutionBackwardFilterAlgorithm_v7),
      SQUALL_FIND(forward, cudnnConvolutionForward),
      SQUALL_FIND(backward_data, cudnnConvolutionBackwardData),
      SQUALL_FIND(backward_filter, cudnnConvolutionBackwardFilter) {}

#undef SQUALL_FIND

const CublasLibrary& cublas() {
  static const CublasLibrary opened;
  return opened;
}
const CublasLtLibrary& cublas_lt() {
  static const CublasLtLibrary opened;
  return opened;
}
const CudnnLibrary& cudnn() {
  static const CudnnLibrary opened;
  return opened;
}

}  // namespace squall::cuda
