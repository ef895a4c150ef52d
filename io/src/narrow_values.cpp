#include "narrow_values.hpp"

#include <cmath>

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

HostArray rounded(const HostArray& values, double (*round)(double)) {
  HostArray out = values;
  for (Index i = 0; i < out.elements(); ++i) out.set_value(i, round(out.value(i)));
  return out;
}

void write_codes(H5Writer& file, const ParameterPaths& where, const HostArray& values, const Scales& scales,
                 int packing) {
  std::vector<double> largest(at(scales.shape.elements()), 0);
  for (Index i = 0; i < values.elements(); ++i)
    if (const Index g = scales.of(i); g >= 0) largest[at(g)] = std::max(largest[at(g)], std::fabs(values.value(i)));
  std::vector<float> scale;
  for (const double l : largest) scale.push_back(int8_scale(l));
  HostArray codes(DType::F32, values.shape());
  for (Index i = 0; i < values.elements(); ++i)
    if (const Index g = scales.of(i); g >= 0) codes.set_value(i, int8_code(values.value(i), scale[at(g)]));
  file.write(where.values, codes, {packing, Quantization::Int8});
  file.write(where.scales, HostArray::of(scales.shape, scale), {packing});
}

}  // namespace

Scales Scales::by_rows(const ParameterEntry& e) {
  const Shape slice = e.slice_shape();
  const Index rows = slice[0], columns = std::max<Index>(1, slice.elements() / std::max<Index>(1, rows));
  return {e.info->task_axis ? Shape{e.info->shape[0], rows} : Shape{rows}, [=](Index i) { return i / columns; }};
}

Scales Scales::by_owners(const ParameterEntry& e, const HostArray& owners) {
  const Shape slice = e.slice_shape();
  const Index rows = slice[0], columns = std::max<Index>(1, slice.elements() / std::max<Index>(1, rows));
  return {Shape{e.info->shape[0], rows}, [rows, columns, owners](Index i) {
            const Index owner = owners.span<std::uint8_t>()[at(i)];
            return owner == kFreeWeight ? Index{-1} : owner * rows + i / columns;
          }};
}

bool takes_int8(const ParameterEntry& e) { return !e.info->bias && e.slice_shape().rank() >= 2; }

void write_values(H5Writer& file, const ParameterPaths& where, const HostArray& values, const Scales& scales,
                  int packing, std::optional<Quantization> quantization) {
  if (!quantization || (*quantization == Quantization::Int8 && !scales.of))
    return file.write(where.values, values, {packing});
  switch (*quantization) {
    case Quantization::Fp16: file.write(where.values, rounded(values, round_to_fp16), {packing, quantization}); break;
    case Quantization::Bf16: file.write(where.values, rounded(values, round_to_bf16), {packing, quantization}); break;
    case Quantization::Int8: write_codes(file, where, values, scales, packing); break;
  }
  file.attribute(where.values, "quantized", enum_name(*quantization));
}

HostArray read_values(const H5Reader& file, const ParameterPaths& where, const std::function<Scales()>& scales) {
  if (!file.has_attribute(where.values, "quantized")) return file.read(where.values);
  const std::string format = file.attribute_text(where.values, "quantized");
  HostArray values = file.read(where.values, DType::F32);
  if (format == "fp16" || format == "bf16") return values;
  if (format != "int8") raise<FileError>(file.name(), ": ", where.values, " has unknown numbers '", format, "'");
  const HostArray scale = file.read(where.scales, DType::F32);
  const Scales s = scales();
  if (scale.shape() != s.shape)
    raise<FileError>(file.name(), ": ", where.scales, " is ", scale.shape(), ", should be ", s.shape);
  auto v = values.span<float>();
  for (Index i = 0; i < values.elements(); ++i) {
    const Index g = s.of(i);
    v[at(i)] = g < 0 || g >= scale.elements() ? 0 : v[at(i)] * scale.span<float>()[at(g)];
  }
  return values;
}

}  // namespace squall
