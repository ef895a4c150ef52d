// A product of single precision with an epilogue (bias, ReLU, sum of a factor), by cuBLASLt: its algorithm is chosen
// when it is made, by shape alone, from those that always add up in the same order.
#pragma once

#include "cuda/device/device_context.hpp"

namespace squall::cuda {

// Column-major: d (m, n) = a b + beta d; a and b may be turned.
struct FusedShape {
  Index m = 0, n = 0, k = 0;
  bool a_turned = false, b_turned = false;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
};

class FusedProduct {
 public:
  FusedProduct(DeviceContext& context, const FusedShape& shape);
  ~FusedProduct();
  FusedProduct(const FusedProduct&) = delete;
  FusedProduct& operator=(const FusedProduct&) = delete;
  // Whether the library has an algorithm for it.
  bool usable() const { return usable_; }
  // Whether it takes memory that starts here.
  static bool takes(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer) % kAlignment == 0; }
  // `bias`: what the epilogue reads or writes.
  void run(const void* a, const void* b, void* d, const void* bias, bool add);

 private:
  static constexpr std::uint32_t kAlignment = 16;
  struct RunCall;
  void choose();
  void start(const void* a, const void* b, void* d, const void* bias, bool add) const;
  void free() noexcept;
  DeviceContext& context_;
  std::uint64_t number_;
  bool usable_ = false;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, d_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
};

}  // namespace squall::cuda
