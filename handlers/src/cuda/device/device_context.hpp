// One device with one stream: memory, kernels, products, and plans of libraries.
#pragma once

#include <cuda_runtime.h>

#include <array>

#include "cuda/context.hpp"
#include "cuda/device/library.hpp"
#include "squall/handlers/make_handler.hpp"

namespace squall::cuda {

// Throws DeviceError that says what could not be done and why.
void check(cudaError_t status, std::string_view what);
void check(cublasStatus_t status, std::string_view what);
void check(cudnnStatus_t status, std::string_view what);

class DeviceContext final : public Context {
 public:
  DeviceContext(int index, DType dtype, Precision precision);
  ~DeviceContext() override;
  DeviceContext(const DeviceContext&) = delete;
  DeviceContext& operator=(const DeviceContext&) = delete;

  void multiply(const Product& product) override;
  void copy(const void* from, void* to, std::size_t bytes) override;
  void zero(void* to, std::size_t bytes) override;
  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* block) override;
  std::size_t capacity() const override { return capacity_; }
  void issue(const Launch& launch, const void* argument, std::size_t bytes) override;
  std::unique_ptr<Tape> tape() override;
  std::unique_ptr<DensePlan> dense(Handler& handler, const DenseSpec& spec) override;
  std::unique_ptr<ConvPlan> conv(Handler& handler, const ConvSpec& spec) override;

  cudaStream_t stream() const { return stream_; }
  // How products of f32 are computed.
  Precision precision() const { return precision_; }
  cublasComputeType_t compute_type() const;
  // The calling thread works with this device from now on.
  void use() const { check(cudaSetDevice(index_), "choosing a device"); }
  // Tells plans apart in recorded steps: a new one may lie where an old one was.
  std::uint64_t number_plan() { return ++plans_; }
  // Handles of libraries, made when they are first asked for, on the stream, with this workspace.
  static constexpr std::size_t kWorkspace = std::size_t{32} << 20;
  void* workspace();
  cublasHandle_t blas();
  cublasLtHandle_t blas_lt();
  cudnnHandle_t dnn();

 protected:
  void write(const void* host, void* to, std::size_t bytes) override;
  void read(const void* from, void* host, std::size_t bytes) override;
  void finish() override;

 private:
  // What the host gives goes through pinned memory and, on a stream of copies, into memory of the device that nothing
  // computes with; from there the stream of work takes it. So it travels while the step before is computed.
  struct Stage {
    std::byte* pinned = nullptr;
    std::byte* arrived_at = nullptr;
    cudaEvent_t arrived = nullptr, taken = nullptr;
  };
  static constexpr std::size_t kStage = std::size_t{2} << 20;
  static constexpr std::size_t kStages = 4;
  Stage& next_stage();  // one that is free again
  void close() noexcept;
  int index_;
  std::uint64_t plans_ = 0;
  std::size_t capacity_ = 0;
  Precision precision_;
  cudaStream_t stream_ = nullptr, copies_ = nullptr;
  std::array<Stage, kStages> stages_;
  std::size_t next_stage_ = 0;
  std::byte* workspace_ = nullptr;
  cublasHandle_t blas_ = nullptr;
  cublasLtHandle_t blas_lt_ = nullptr;
  cudnnHandle_t dnn_ = nullptr;
};

}  // namespace squall::cuda
