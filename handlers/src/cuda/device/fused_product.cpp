#include "cuda/device/fused_product.hpp"

namespace squall::cuda {

struct FusedProduct::RunCall {
  const FusedProduct* product;
  std::uint64_t number;
  const void *a, *b;
  void* d;
  const void* bias;
  bool add;
  bool operator==(const RunCall&) const = default;
  void operator()() const { product->start(a, b, d, bias, add); }
};

FusedProduct::FusedProduct(DeviceContext& context, const FusedShape& s)
    : context_(context), number_(context.number_plan()) {
  const CublasLtLibrary& lt = cublas_lt();
  const auto layout = [&](cublasLtMatrixLayout_t& to, Index rows, Index columns) {
    check(
        lt.create_layout(&to, CUDA_R_32F, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), rows),
        "describing a matrix");
  };
  const auto set = [&](cublasLtMatmulDescAttributes_t what, const auto& value) {
    check(lt.set_operation(operation_, what, &value, sizeof value), "describing a product");
  };
  try {
    layout(a_, s.a_turned ? s.k : s.m, s.a_turned ? s.m : s.k);
    layout(b_, s.b_turned ? s.n : s.k, s.b_turned ? s.k : s.n);
    layout(d_, s.m, s.n);
    check(lt.create_operation(&operation_, context.compute_type(), CUDA_R_32F), "describing a product");
    const cublasOperation_t turned = CUBLAS_OP_T, plain = CUBLAS_OP_N;
    set(CUBLASLT_MATMUL_DESC_TRANSA, s.a_turned ? turned : plain);
    set(CUBLASLT_MATMUL_DESC_TRANSB, s.b_turned ? turned : plain);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, s.epilogue);
    choose();
  } catch (...) {
    free();
    throw;
  }
}

FusedProduct::~FusedProduct() { free(); }

void FusedProduct::free() noexcept {
  const CublasLtLibrary& lt = cublas_lt();
  if (operation_ != nullptr) lt.destroy_operation(operation_);
  for (cublasLtMatrixLayout_t layout : {a_, b_, d_})
    if (layout != nullptr) lt.destroy_layout(layout);
}

void FusedProduct::choose() {
  const CublasLtLibrary& lt = cublas_lt();
  cublasLtMatmulPreference_t preference = nullptr;
  check(lt.create_preference(&preference), "choosing a product");
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t what, const auto& value) {
    return lt.set_preference(preference, what, &value, sizeof value);
  };
  const std::uint64_t room = DeviceContext::kWorkspace;
  // Parts of a sum that are added in place come in any order.
  const std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
  const std::uint32_t alignment = kAlignment;
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, room);
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
  for (const auto what : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    prefer(what, alignment);
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status =
      lt.heuristic(context_.blas_lt(), operation_, a_, b_, d_, d_, preference, 1, &found, &count);
  lt.destroy_preference(preference);
  usable_ = status == CUBLAS_STATUS_SUCCESS && count > 0 && found.state == CUBLAS_STATUS_SUCCESS;
  if (usable_) algorithm_ = found.algo;
}

void FusedProduct::run(const void* a, const void* b, void* d, const void* bias, bool add) {
  context_.call(RunCall{this, number_, a, b, d, bias, add});
}

void FusedProduct::start(const void* a, const void* b, void* d, const void* bias, bool add) const {
  const CublasLtLibrary& lt = cublas_lt();
  if (bias != nullptr)
    check(lt.set_operation(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias), "describing a product");
  const float one = 1, beta = add ? 1 : 0;
  check(lt.matmul(context_.blas_lt(), operation_, &one, a, a_, b, b_, &beta, d, d_, d, d_, &algorithm_,
                  context_.workspace(), DeviceContext::kWorkspace, context_.stream()),
        "a fused product");
}

}  // namespace squall::cuda
