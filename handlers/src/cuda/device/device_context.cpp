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
  Product p;
  bool operator==(const ProductCall&) const = default;
  void operator()() const { p.dtype == DType::F64 ? run<double>(cublas().dgemm) : run<float>(cublas().sgemm); }
  template <class R, class F>
  void run(F* gemm) const {
    const R one = 1, add = p.add ? R(1) : R(0);
    const auto turn = [](bool turned) { return turned ? CUBLAS_OP_T : CUBLAS_OP_N; };
    // A matrix of one row may have any stride; the library wants one that is large enough.
    const Index a_ld = std::max({p.a_ld, p.a_turned ? p.m : p.k, Index{1}});
    const Index b_ld = std::max({p.b_ld, p.b_turned ? p.k : p.n, Index{1}});
    check(gemm(blas, turn(p.b_turned), turn(p.a_turned), p.n, p.m, p.k, &one, static_cast<const R*>(p.b), b_ld,
               static_cast<const R*>(p.a), a_ld, &add, static_cast<R*>(p.c), std::max(p.c_ld, p.n)),
          "a matrix product");
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

DeviceContext::DeviceContext(int index, DType dtype) : Context(dtype), index_(index) {
  try {
    use();
    std::size_t free = 0;
    check(cudaMemGetInfo(&free, &capacity_), "asking for the size of the memory");
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
    for (Stage& s : stages_) {
      check(cudaMallocHost(reinterpret_cast<void**>(&s.data), kStage), "taking pinned memory");
      check(cudaEventCreateWithFlags(&s.taken, cudaEventDisableTiming), "making an event");
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
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  if (dnn_ != nullptr) cudnn().destroy(dnn_);
  if (blas_lt_ != nullptr) cublas_lt().destroy(blas_lt_);
  if (blas_ != nullptr) cublas().destroy(blas_);
  free_memory();
  if (workspace_ != nullptr) release(workspace_);
  for (const Stage& s : stages_) {
    if (s.taken != nullptr) cudaEventDestroy(s.taken);
    if (s.data != nullptr) cudaFreeHost(s.data);
  }
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void DeviceContext::multiply(const Product& product) { call(ProductCall{blas(), product}); }

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

void DeviceContext::write(const void* host, void* to, std::size_t bytes) {
  use();
  const auto* from = static_cast<const std::byte*>(host);
  auto* target = static_cast<std::byte*>(to);
  for (std::size_t done = 0; done < bytes; done += kStage) {
    const std::size_t count = std::min(kStage, bytes - done);
    Stage& stage = stages_[next_stage_++ % stages_.size()];
    check(cudaEventSynchronize(stage.taken), "waiting for pinned memory");
    std::memcpy(stage.data, from + done, count);
    check(cudaMemcpyAsync(target + done, stage.data, count, cudaMemcpyHostToDevice, stream_), "copying to the device");
    check(cudaEventRecord(stage.taken, stream_), "recording an event");
  }
}

void DeviceContext::read(const void* from, void* host, std::size_t bytes) {
  use();
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(host);
  for (std::size_t done = 0; done < bytes; done += kStage) {
    const std::size_t count = std::min(kStage, bytes - done);
    const Stage& stage = stages_[next_stage_++ % stages_.size()];
    check(cudaEventSynchronize(stage.taken), "waiting for pinned memory");
    check(cudaMemcpyAsync(stage.data, source + done, count, cudaMemcpyDeviceToHost, stream_), "copying to the host");
    finish();
    std::memcpy(target + done, stage.data, count);
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
