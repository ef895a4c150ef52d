#include "cuda/device/device_context.hpp"

#include <cstring>

#include "cuda/device/plans.hpp"
#include "cuda/device/tape.hpp"

namespace squall::cuda {

namespace {

struct CopyCall {
  cudaStream_t stream;
  const void* from;
  void* to;
  std::size_t bytes;
  bool operator==(const CopyCall&) const = default;
  void operator()() const {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), "copying on the device");
  }
};
struct ZeroCall {
  cudaStream_t stream;
  void* to;
  std::size_t bytes;
  bool operator==(const ZeroCall&) const = default;
  void operator()() const { check(cudaMemsetAsync(to, 0, bytes, stream), "clearing memory"); }
};

// The library has column-major matrices: c' = b' a'.
struct ProductCall {
  cublasHandle_t blas;
  cublasComputeType_t compute;
  Product p;
  bool operator==(const ProductCall&) const = default;
  void operator()() const { p.dtype == DType::F64 ? run<double>(CUDA_R_64F) : run<float>(CUDA_R_32F); }
  template <class R>
  void run(cudaDataType_t type) const {
    const R one = 1, add = p.add ? R(1) : R(0);
    const auto turn = [](bool turned) { return turned ? CUBLAS_OP_T : CUBLAS_OP_N; };
    // A matrix of one row may have any stride; the library wants one that is large enough.
    const Index a_ld = std::max({p.a_ld, p.a_turned ? p.m : p.k, Index{1}});
    const Index b_ld = std::max({p.b_ld, p.b_turned ? p.k : p.n, Index{1}});
    const Index c_ld = std::max(p.c_ld, p.n);
    if (p.count == 1)
      return check(cublas().gemm(blas, turn(p.b_turned), turn(p.a_turned), p.n, p.m, p.k, &one, p.b, type, b_ld, p.a,
                                 type, a_ld, &add, p.c, type, c_ld, compute, CUBLAS_GEMM_DEFAULT),
                   "a matrix product");
    check(cublas().gemm_batch(blas, turn(p.b_turned), turn(p.a_turned), p.n, p.m, p.k, &one, p.b, type, b_ld, p.b_step,
                              p.a, type, a_ld, p.a_step, &add, p.c, type, c_ld, p.c_step, p.count, compute,
                              CUBLAS_GEMM_DEFAULT),
          "matrix products");
  }
};

}  // namespace

void check(cudaError_t status, std::string_view what) {
  if (status != cudaSuccess) raise<DeviceError>("CUDA: ", what, " failed: ", cudaGetErrorString(status));
}
void check(cublasStatus_t status, std::string_view what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    raise<DeviceError>("CUDA: ", what, " failed: cuBLAS status ", static_cast<int>(status));
}
void check(cudnnStatus_t status, std::string_view what) {
  if (status != CUDNN_STATUS_SUCCESS)
    raise<DeviceError>("CUDA: ", what, " failed: cuDNN status ", static_cast<int>(status));
}

DeviceContext::DeviceContext(int index, DType dtype, Precision precision)
    : Context(dtype), index_(index), precision_(precision) {
  try {
    use();
    std::size_t free = 0;
    check(cudaMemGetInfo(&free, &capacity_), "asking for the size of the memory");
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
    check(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking), "making a stream");
    for (Stage& s : stages_) {
      check(cudaMallocHost(reinterpret_cast<void**>(&s.pinned), kStage), "taking pinned memory");
      check(cudaMalloc(reinterpret_cast<void**>(&s.arrived_at), kStage), "taking memory for copies");
      for (cudaEvent_t* event : {&s.arrived, &s.taken})
        check(cudaEventCreateWithFlags(event, cudaEventDisableTiming), "making an event");
    }
    take_memory();
  } catch (...) {
    close();
    throw;
  }
}

DeviceContext::~DeviceContext() { close(); }

void DeviceContext::close() noexcept {
  cudaSetDevice(index_);
  for (cudaStream_t stream : {copies_, stream_})
    if (stream != nullptr) cudaStreamSynchronize(stream);
  if (dnn_ != nullptr) cudnn().destroy(dnn_);
  if (blas_lt_ != nullptr) cublas_lt().destroy(blas_lt_);
  if (blas_ != nullptr) cublas().destroy(blas_);
  free_memory();
  if (workspace_ != nullptr) release(workspace_);
  for (const Stage& s : stages_) {
    for (cudaEvent_t event : {s.arrived, s.taken})
      if (event != nullptr) cudaEventDestroy(event);
    if (s.arrived_at != nullptr) cudaFree(s.arrived_at);
    if (s.pinned != nullptr) cudaFreeHost(s.pinned);
  }
  for (cudaStream_t stream : {copies_, stream_})
    if (stream != nullptr) cudaStreamDestroy(stream);
}

void DeviceContext::multiply(const Product& product) { call(ProductCall{blas(), compute_type(), product}); }

void DeviceContext::copy(const void* from, void* to, std::size_t bytes) {
  if (from != to) call(CopyCall{stream_, from, to, bytes});
}

void DeviceContext::zero(void* to, std::size_t bytes) { call(ZeroCall{stream_, to, bytes}); }

std::byte* DeviceContext::allocate(std::size_t bytes) {
  use();
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it is no error of what comes next
    return nullptr;
  }
  check(status, "taking memory");
  return static_cast<std::byte*>(block);
}

void DeviceContext::release(std::byte* block) {
  cudaSetDevice(index_);
  cudaFree(block);  // waits for the work that uses it
}

void DeviceContext::issue(const Launch& launch, const void* argument, std::size_t) {
  use();
  void* arguments[] = {const_cast<void*>(argument)};
  check(cudaLaunchKernel(launch.kernel, dim3(launch.blocks), dim3(launch.threads), arguments, 0, stream_),
        "starting a kernel");
}

std::unique_ptr<Tape> DeviceContext::tape() { return std::make_unique<DeviceTape>(*this); }

cublasComputeType_t DeviceContext::compute_type() const {
  if (dtype() == DType::F64) return CUBLAS_COMPUTE_64F;
  if (precision_ == Precision::Tf32) return CUBLAS_COMPUTE_32F_FAST_TF32;
  if (precision_ == Precision::Bf16) return CUBLAS_COMPUTE_32F_FAST_16BF;
  return CUBLAS_COMPUTE_32F;
}

DeviceContext::Stage& DeviceContext::next_stage() {
  Stage& stage = stages_[next_stage_++ % stages_.size()];
  check(cudaEventSynchronize(stage.taken), "waiting for pinned memory");
  return stage;
}

void DeviceContext::write(const void* host, void* to, std::size_t bytes) {
  use();
  const auto* from = static_cast<const std::byte*>(host);
  auto* target = static_cast<std::byte*>(to);
  for (std::size_t done = 0; done < bytes; done += kStage) {
    const std::size_t count = std::min(kStage, bytes - done);
    const Stage& stage = next_stage();
    std::memcpy(stage.pinned, from + done, count);
    check(cudaMemcpyAsync(stage.arrived_at, stage.pinned, count, cudaMemcpyHostToDevice, copies_),
          "copying to the device");
    check(cudaEventRecord(stage.arrived, copies_), "recording an event");
    check(cudaStreamWaitEvent(stream_, stage.arrived, 0), "waiting for a copy");
    check(cudaMemcpyAsync(target + done, stage.arrived_at, count, cudaMemcpyDeviceToDevice, stream_),
          "taking over a copy");
    check(cudaEventRecord(stage.taken, stream_), "recording an event");
  }
}

void DeviceContext::read(const void* from, void* host, std::size_t bytes) {
  use();
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(host);
  for (std::size_t done = 0; done < bytes; done += kStage) {
    const std::size_t count = std::min(kStage, bytes - done);
    const Stage& stage = next_stage();
    check(cudaMemcpyAsync(stage.pinned, source + done, count, cudaMemcpyDeviceToHost, stream_), "copying to the host");
    finish();
    std::memcpy(target + done, stage.pinned, count);
  }
}

void DeviceContext::finish() { check(cudaStreamSynchronize(stream_), "waiting for the device"); }

void* DeviceContext::workspace() {
  if (workspace_ == nullptr) workspace_ = allocate(kWorkspace);
  if (workspace_ == nullptr) raise<DeviceError>("CUDA: no memory for the workspace of products");
  return workspace_;
}

cublasHandle_t DeviceContext::blas() {
  if (blas_ != nullptr) return blas_;
  use();
  check(cublas().create(&blas_), "opening cuBLAS");
  check(cublas().set_stream(blas_, stream_), "giving cuBLAS its stream");
  check(cublas().set_workspace(blas_, workspace(), kWorkspace), "giving cuBLAS its workspace");
  check(cublas().set_math_mode(blas_, CUBLAS_DEFAULT_MATH), "choosing exact products");  // no TF32
  return blas_;
}

cublasLtHandle_t DeviceContext::blas_lt() {
  if (blas_lt_ != nullptr) return blas_lt_;
  use();
  check(cublas_lt().create(&blas_lt_), "opening cuBLASLt");
  return blas_lt_;
}

cudnnHandle_t DeviceContext::dnn() {
  if (dnn_ != nullptr) return dnn_;
  use();
  check(cudnn().create(&dnn_), "opening cuDNN");
  check(cudnn().set_stream(dnn_, stream_), "giving cuDNN its stream");
  return dnn_;
}

std::unique_ptr<DensePlan> DeviceContext::dense(Handler& handler, const DenseSpec& spec) {
  return make_dense_plan(*this, handler, spec);
}
std::unique_ptr<ConvPlan> DeviceContext::conv(Handler& handler, const ConvSpec& spec) {
  return make_conv_plan(*this, handler, spec);
}

}  // namespace squall::cuda
