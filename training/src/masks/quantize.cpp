#include "squall/training/quantize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

constexpr double kLargestFp16 = 65504;
const double kLargestBf16 = std::ldexp(255.0, 120);

// One tensor or slice by rows.
class Rounder {
 public:
  Rounder(Quantization format, QuantizedTensor& report) : format_(format), report_(report) {}

  template <class T>
  void row(std::span<T> values) {
    double largest = 0;
    for (const T v : values) largest = std::max(largest, std::fabs(static_cast<double>(v)));
    largest_ = std::max(largest_, largest);
    const float scale = int8_scale(largest);
    if (format_ == Quantization::Int8) ++report_.scales;
    for (T& v : values) {
      const auto before = static_cast<double>(v);
      v = static_cast<T>(rounded(before, scale));
      error_ = std::max(error_, std::fabs(static_cast<double>(v) - before));
    }
  }
  void finish() const { report_.largest_error = largest_ > 0 ? error_ / largest_ : 0; }

 private:
  double rounded(double v, float scale) {
    if (format_ == Quantization::Int8) return int8_code(v, scale) * static_cast<double>(scale);
    const double limit = format_ == Quantization::Fp16 ? kLargestFp16 : kLargestBf16;
    report_.clipped += std::fabs(v) > limit ? 1 : 0;
    return format_ == Quantization::Fp16 ? round_to_fp16(v) : round_to_bf16(v);
  }
  Quantization format_;
  QuantizedTensor& report_;
  double largest_ = 0, error_ = 0;
};

// Stored rows hold kept values only.
void round_stored(ParameterStore& store, ParameterEntry& e, Rounder& rounder) {
  auto slices = e.packed;
  for (auto& slice : slices)
    for (Index r = 0; r < slice.rows; ++r) {
      const auto first = at(slice.row_begin[at(r)]), last = at(slice.row_begin[at(r + 1)]);
      rounder.row(std::span(slice.value).subspan(first, last - first));
    }
  store.set_stored(e, std::move(slices));
}

// Of packed weights: without what tasks read of others, whose scales are not theirs.
HostArray own_values(const ParameterStore& store, const ParameterEntry& e) {
  HostArray values = store.get(e);
  if (e.form != ParameterForm::Packed || e.read.empty()) return values;
  const auto owners = e.mask.span<std::uint8_t>();
  for (Index i = 0; i < values.elements(); ++i)
    if (owners[at(i) % owners.size()] != at(i) / owners.size()) values.set_value(i, 0);
  return values;
}

void round_values(ParameterStore& store, ParameterEntry& e, Rounder& rounder) {
  HostArray values = own_values(store, e);
  const Shape slice = e.slice_shape();
  const Index columns = slice.rank() > 1 ? slice.elements() / std::max<Index>(1, slice[0]) : slice.elements();
  visit_dtype(values.dtype(), [&](auto zero) {
    const auto all = values.span<decltype(zero)>();
    for (std::size_t first = 0; first < all.size(); first += at(columns)) rounder.row(all.subspan(first, at(columns)));
  });
  store.set(e, values);
}

Index kept_values(const ParameterStore& store, const ParameterEntry& e) {
  const auto keep = store.mask(e);
  if (!keep) return e.info->shape.elements();
  const auto bytes = keep->span<std::uint8_t>();
  return static_cast<Index>(bytes.size()) - std::ranges::count(bytes, std::uint8_t{0});
}

}  // namespace

QuantizeReport quantize_network(Network& network, Quantization format) {
  QuantizeReport report;
  ParameterStore& store = network.store();
  for (const auto& entry : store.entries()) {
    const std::string& layer = network.graph().node(entry.node).name;
    ParameterEntry& e = *store.find(layer, entry.info->name);
    QuantizedTensor tensor;
    tensor.parameter = layer + "." + e.info->name;
    tensor.values = kept_values(store, e);
    if (format == Quantization::Int8 && (e.info->bias || e.slice_shape().rank() < 2)) {
      report.bytes += at(tensor.values) * sizeof(float);
      continue;
    }
    Rounder rounder(format, tensor);
    if (e.form == ParameterForm::Stored)
      round_stored(store, e, rounder);
    else
      round_values(store, e, rounder);
    rounder.finish();
    report.bytes += at(tensor.values) * (format == Quantization::Int8 ? 1 : 2) + at(tensor.scales) * sizeof(float);
    report.tensors.push_back(std::move(tensor));
  }
  return report;
}

json QuantizeReport::to_json() const {
  json out = {{"bytes", bytes}, {"tensors", json::array()}};
  for (const auto& t : tensors)
    out["tensors"].push_back({{"parameter", t.parameter},
                              {"values", t.values},
                              {"scales", t.scales},
                              {"largest_error", t.largest_error},
                              {"clipped", t.clipped}});
  return out;
}

std::string QuantizeReport::text() const {
  std::string out;
  for (const auto& t : tensors) {
    char line[200];
    std::snprintf(line, sizeof line, "%-24s %10lld values %6lld scales, largest error %.2g of the largest weight%s\n",
                  t.parameter.c_str(), static_cast<long long>(t.values), static_cast<long long>(t.scales),
                  t.largest_error, t.clipped > 0 ? "; some were too large and were cut" : "");
    out += line;
  }
  return out;
}

}  // namespace squall
