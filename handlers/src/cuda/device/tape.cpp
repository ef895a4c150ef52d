#include "cuda/device/tape.hpp"

namespace squall::cuda {

namespace {

class GraphSegment final : public Segment {
 public:
  GraphSegment(DeviceContext& context, cudaGraph_t graph, std::vector<cudaGraphNode_t> kernels)
      : context_(context), graph_(graph), kernels_(std::move(kernels)) {
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph_, 0);
    if (status != cudaSuccess) cudaGraphDestroy(graph_);
    check(status, "preparing a recorded step");
  }
  ~GraphSegment() override {
    cudaGraphExecDestroy(executable_);
    cudaGraphDestroy(graph_);
  }
  GraphSegment(const GraphSegment&) = delete;
  GraphSegment& operator=(const GraphSegment&) = delete;
  void run() override {
    context_.use();
    check(cudaGraphLaunch(executable_, context_.stream()), "starting a recorded step");
  }
  void set(std::size_t kernel, const Launch& launch, const void* argument, std::size_t) override {
    void* arguments[] = {const_cast<void*>(argument)};
    cudaKernelNodeParams params{};
    params.func = const_cast<void*>(launch.kernel);
    params.gridDim = dim3(launch.blocks);
    params.blockDim = dim3(launch.threads);
    params.kernelParams = arguments;
    check(cudaGraphExecKernelNodeSetParams(executable_, kernels_[kernel], &params), "changing a recorded step");
  }

 private:
  DeviceContext& context_;
  cudaGraph_t graph_;
  cudaGraphExec_t executable_ = nullptr;
  std::vector<cudaGraphNode_t> kernels_;
};

// The node of the graph that the stream has just been given.
cudaGraphNode_t last_node(cudaStream_t stream) {
  cudaStreamCaptureStatus status{};
  unsigned long long id = 0;
  cudaGraph_t graph = nullptr;
  const cudaGraphNode_t* nodes = nullptr;
  std::size_t count = 0;
#if CUDART_VERSION >= 13000
  check(cudaStreamGetCaptureInfo(stream, &status, &id, &graph, &nodes, nullptr, &count), "looking at a recording");
#else
  check(cudaStreamGetCaptureInfo_v2(stream, &status, &id, &graph, &nodes, &count), "looking at a recording");
#endif
  if (status != cudaStreamCaptureStatusActive || count != 1)
    raise<DeviceError>("CUDA: a step that is recorded has ", count, " ends, not one");
  return nodes[0];
}

}  // namespace

void DeviceTape::begin() {
  context_.use();
  kernels_.clear();
  check(cudaStreamBeginCapture(context_.stream(), cudaStreamCaptureModeRelaxed), "recording a step");
}

void DeviceTape::issue(const Launch& launch, const void* argument, std::size_t bytes) {
  context_.issue(launch, argument, bytes);
}

void DeviceTape::issued_kernel() { kernels_.push_back(last_node(context_.stream())); }

std::unique_ptr<Segment> DeviceTape::end() {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(context_.stream(), &graph), "recording a step");
  return std::make_unique<GraphSegment>(context_, graph, kernels_);
}

void DeviceTape::abandon() noexcept {
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(context_.stream(), &graph) == cudaSuccess && graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();
}

}  // namespace squall::cuda
