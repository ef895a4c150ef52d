// NVIDIA's libraries are opened when a device is first used: a process that computes on the CPU never loads them, and
// needs none of them to start.
#pragma once

#include <cublasLt.h>
#include <cublas_v2.h>
#include <cudnn.h>

#include <string>

namespace squall::cuda {

class Library {
 public:
  // Throws DeviceError when it is not found.
  Library(const char* name, int version);
  const std::string& path() const { return path_; }
  template <class F>
  F* find(const char* symbol) const {
    return reinterpret_cast<F*>(address(symbol));
  }

 private:
  void* address(const char* symbol) const;  // throws DeviceError
  std::string path_;
  void* handle_ = nullptr;
};

struct CublasLibrary {
  CublasLibrary();
  Library library;
  decltype(cublasCreate_v2)* create;
  decltype(cublasDestroy_v2)* destroy;
  decltype(cublasSetStream_v2)* set_stream;
  decltype(cublasSetWorkspace_v2)* set_workspace;
  decltype(cublasSetMathMode)* set_math_mode;
  decltype(cublasGemmEx_64)* gemm;
  decltype(cublasGemmStridedBatchedEx_64)* gemm_batch;
};

struct CublasLtLibrary {
  CublasLtLibrary();
  Library library;
  decltype(cublasLtCreate)* create;
  decltype(cublasLtDestroy)* destroy;
  decltype(cublasLtMatmul)* matmul;
  decltype(cublasLtMatmulDescCreate)* create_operation;
  decltype(cublasLtMatmulDescDestroy)* destroy_operation;
  decltype(cublasLtMatmulDescSetAttribute)* set_operation;
  decltype(cublasLtMatrixLayoutCreate)* create_layout;
  decltype(cublasLtMatrixLayoutDestroy)* destroy_layout;
  decltype(cublasLtMatmulPreferenceCreate)* create_preference;
  decltype(cublasLtMatmulPreferenceDestroy)* destroy_preference;
  decltype(cublasLtMatmulPreferenceSetAttribute)* set_preference;
  decltype(cublasLtMatmulAlgoGetHeuristic)* heuristic;
};

struct CudnnLibrary {
  CudnnLibrary();
  Library library;
  decltype(cudnnGetVersion)* version;
  decltype(cudnnCreate)* create;
  decltype(cudnnDestroy)* destroy;
  decltype(cudnnSetStream)* set_stream;
  decltype(cudnnCreateTensorDescriptor)* create_tensor;
  decltype(cudnnDestroyTensorDescriptor)* destroy_tensor;
  decltype(cudnnSetTensor4dDescriptor)* set_tensor;
  decltype(cudnnCreateFilterDescriptor)* create_filter;
  decltype(cudnnDestroyFilterDescriptor)* destroy_filter;
  decltype(cudnnSetFilter4dDescriptor)* set_filter;
  decltype(cudnnCreateConvolutionDescriptor)* create_convolution;
  decltype(cudnnDestroyConvolutionDescriptor)* destroy_convolution;
  decltype(cudnnSetConvolution2dDescriptor)* set_convolution;
  decltype(cudnnSetConvolutionMathType)* set_math_type;
  decltype(cudnnSetConvolutionGroupCount)* set_groups;
  decltype(cudnnGetConvolutionForwardAlgorithm_v7)* forward_algorithms;
  decltype(cudnnGetConvolutionBackwardDataAlgorithm_v7)* data_algorithms;
  decltype(cudnnGetConvolutionBackwardFilterAlgorithm_v7)* filter_algorithms;
  decltype(cudnnConvolutionForward)* forward;
  decltype(cudnnConvolutionBackwardData)* backward_data;
  decltype(cudnnConvolutionBackwardFilter)* backward_filter;
};

// Opened once for the process.
const CublasLibrary& cublas();
const CublasLtLibrary& cublas_lt();
const CudnnLibrary& cudnn();

}  // namespace squall::cuda
