// Which devices there are, and their handlers.
#include "cuda/cuda.hpp"
#include "cuda/device/device_context.hpp"
#include "cuda/facets.hpp"
#include "cuda/handler.hpp"

namespace squall::cuda {

namespace {

struct Devices {
  int count = 0;
  std::string why;  // there are none
};

// Asks the driver; a machine without one answers at once.
Devices find_devices() {
  Devices found;
  const cudaError_t status = cudaGetDeviceCount(&found.count);
  if (status == cudaSuccess && found.count > 0) return found;
  cudaGetLastError();
  found.count = 0;
  found.why = status == cudaSuccess         ? "the driver knows no device"
              : status == cudaErrorNoDevice ? "the driver finds no NVIDIA device"
              : status == cudaErrorInsufficientDriver
                  ? "there is no NVIDIA driver, or it is older than the CUDA this build is made with"
                  : cudaGetErrorString(status);
  return found;
}

std::string version_text(int version) { return concat(version / 1000, ".", version % 1000 / 10); }

template <class Open>
std::string library_line(const char* name, const Open& open) {
  try {
    return concat(name, ": ", open());
  } catch (const Error& e) {
    return concat(name, ": not found; ", e.what());
  }
}

std::string device_line(int index) {
  cudaDeviceProp p{};
  if (cudaGetDeviceProperties(&p, index) != cudaSuccess) return concat("cuda:", index, ": does not answer");
  const double gib = static_cast<double>(p.totalGlobalMem) / (1024.0 * 1024.0 * 1024.0);
  return concat("cuda:", index, ": ", p.name, ", compute capability ", p.major, ".", p.minor, ", ",
                static_cast<int>(gib + 0.5), " GiB, ", p.multiProcessorCount, " multiprocessors");
}

// Devices before 8.0 have neither form of reduced precision.
void require(Precision precision, const std::string& name, int index) {
  if (precision == Precision::Exact) return;
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index), "asking for the compute capability");
  if (major < 8)
    raise<DeviceError>("'", name, "' has no precision ", enum_name(precision),
                       ": it needs a device of compute capability 8.0 or newer");
}

}  // namespace

std::shared_ptr<Handler> make_cuda_handler(std::string name, DType dtype, const CudaOptions& options) {
  const Devices devices = find_devices();
  if (devices.count == 0) raise<DeviceError>("'", name, "' cannot be made (CUDA): ", devices.why);
  const int index = options.index;
  if (index >= devices.count)
    raise<DeviceError>("'", name, "' cannot be made: this machine has ", devices.count, " CUDA device",
                       devices.count == 1 ? "" : "s", ", the last one is cuda:", devices.count - 1);
  require(options.precision, name, index);
  const auto context = std::make_shared<DeviceContext>(index, dtype, options.precision);
  Facets facets = dtype == DType::F64 ? device::make_facets<double>(context) : device::make_facets<float>(context);
  return make_context_handler(std::move(name), {Device::Kind::Cuda, index}, std::move(facets), context, options.debug);
}

std::vector<std::string> cuda_handlers() {
  std::vector<std::string> names;
  for (int i = 0; i < find_devices().count; ++i) {
    names.push_back(concat("cuda:", i, ":f32"));
    names.push_back(concat("cuda:", i, ":f64"));
  }
  return names;
}

std::vector<std::string> cuda_report() {
  const Devices devices = find_devices();
  if (devices.count == 0) return {concat("cuda: built with ", version_text(CUDART_VERSION), "; ", devices.why)};
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  std::vector<std::string> lines{
      concat("cuda: runtime ", version_text(runtime), ", driver for ", version_text(driver))};
  for (int i = 0; i < devices.count; ++i) lines.push_back(device_line(i));
  lines.push_back(library_line("cuda matrix products", [] { return cublas().library.path(); }));
  lines.push_back(library_line("cuda fused products", [] { return cublas_lt().library.path(); }));
  lines.push_back(library_line("cuda convolutions", [] {
    const std::size_t v = cudnn().version();
    return concat(cudnn().library.path(), ", cuDNN ", v / 10000, ".", v % 10000 / 100, ".", v % 100);
  }));
  return lines;
}

}  // namespace squall::cuda
