// OpenBLAS, opened at run time so that its kernels can be chosen first: version 0.3.21 takes processors it does not
// know for very old ones. Only its matrix product is used, with one thread.
#pragma once

#include <mutex>
#include <string>

#include "cpu/kernels.hpp"

namespace squall::cpu {

class Blas {
 public:
  Blas();
  bool usable() const { return sgemm_ != nullptr && dgemm_ != nullptr; }
  // What was found, or why nothing was.
  const std::string& report() const { return report_; }
  void gemm(const GemmCall<float>& call) const;
  void gemm(const GemmCall<double>& call) const;

 private:
  using Sgemm = void(int order, int ta, int tb, int m, int n, int k, float alpha, const float* a, int lda,
                     const float* b, int ldb, float beta, float* c, int ldc);
  using Dgemm = void(int order, int ta, int tb, int m, int n, int k, double alpha, const double* a, int lda,
                     const double* b, int ldb, double beta, double* c, int ldc);
  void open();
  Sgemm* sgemm_ = nullptr;
  Dgemm* dgemm_ = nullptr;
  std::string report_;
  bool one_caller_ = false;  // a build without locks of its own: calls from several threads must wait
  mutable std::mutex caller_;
};

// Opened on first use, once per process.
const Blas& blas();

}  // namespace squall::cpu
