#include "squall/handlers/make_handler.hpp"

#include <charconv>
#include <optional>

#include "cpu/handler.hpp"
#include "cuda/cuda.hpp"
#include "squall/core/nearest.hpp"

namespace squall {

namespace {

constexpr std::string_view kDebug = "debug:";

struct Wanted {
  Device device;
  DType dtype = DType::F32;
  bool debug = false;

  std::string full_name() const {
    const std::string place = device.kind == Device::Kind::Cpu ? std::string("cpu") : concat("cuda:", device.index);
    return concat(debug ? kDebug : "", place, ":", name_of(dtype));
  }
};

// Takes "word" and what follows up to the next colon off the front.
std::string_view next_word(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find(':'));
  rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  return word;
}

// "", "f32" or "f64" at the end of a name.
std::optional<DType> last_dtype(std::string_view rest) {
  if (rest == "f64") return DType::F64;
  if (rest.empty() || rest == "f32") return DType::F32;
  return std::nullopt;
}

std::optional<Wanted> parse(std::string_view name) {
  if (name.empty() || name.back() == ':') return std::nullopt;
  Wanted w;
  if (name.starts_with(kDebug)) {
    w.debug = true;
    name.remove_prefix(kDebug.size());
  }
  const std::string_view device = next_word(name);
  if (device == "cuda") {
    w.device.kind = Device::Kind::Cuda;
    const std::string_view index = next_word(name);
    const auto [end, bad] = std::from_chars(index.data(), index.data() + index.size(), w.device.index);
    if (bad != std::errc{} || end != index.data() + index.size() || w.device.index < 0) return std::nullopt;
  } else if (device != "cpu") {
    return std::nullopt;
  }
  const auto dtype = last_dtype(name);
  if (!dtype) return std::nullopt;
  w.dtype = *dtype;
  return w;
}

[[noreturn]] void refuse(std::string_view name) {
  std::vector<std::string> known{"cpu", "cpu:f32", "cpu:f64", "cuda:0", "cuda:0:f32", "cuda:0:f64"};
  const std::string forms = join(known);
  const std::size_t plain = known.size();
  for (std::size_t i = 0; i < plain; ++i) known.push_back(concat(kDebug, known[i]));
  raise<DeviceError>("there is no handler '", name, "'", did_you_mean(name, known), "; names are ", forms,
                     ", each with debug: before it or not");
}

}  // namespace

std::span<const EnumName<Precision>> enum_names(Precision) {
  static constexpr EnumName<Precision> kNames[] = {
      {"exact", Precision::Exact}, {"tf32", Precision::Tf32}, {"bf16", Precision::Bf16}};
  return kNames;
}

void check_handler_name(std::string_view name) {
  if (!parse(name)) refuse(name);
}

std::shared_ptr<Handler> make_handler(std::string_view name, const HandlerOptions& options) {
  const auto wanted = parse(name);
  if (!wanted) refuse(name);
  if (options.threads < 0) raise<DeviceError>("a handler cannot have ", options.threads, " threads");
  const bool on_cpu = wanted->device.kind == Device::Kind::Cpu;
  if (options.precision != Precision::Exact && (on_cpu || wanted->dtype == DType::F64))
    raise<DeviceError>("precision ", enum_name(options.precision), ": handler '", name,
                       on_cpu ? "' computes exactly; reduced precision needs a GPU, cuda:0"
                              : "' has double precision; reduced precision is one of f32");
  if (on_cpu) return cpu::make_cpu_handler(wanted->full_name(), wanted->dtype, options.threads, wanted->debug);
  return cuda::make_cuda_handler(wanted->full_name(), wanted->dtype,
                                 {wanted->device.index, options.precision, wanted->debug});
}

std::vector<std::string> available_handlers() {
  std::vector<std::string> names{"cpu:f32", "cpu:f64"};
  for (auto& name : cuda::cuda_handlers()) names.push_back(std::move(name));
  return names;
}

std::vector<std::string> handler_report() {
  std::vector<std::string> lines = cpu::cpu_report();
  for (auto& line : cuda::cuda_report()) lines.push_back(std::move(line));
  return lines;
}

}  // namespace squall
