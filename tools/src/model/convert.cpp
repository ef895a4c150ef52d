#include "squall/tools/convert.hpp"

#include <algorithm>
#include <cmath>

#include "model/timing.hpp"
#include "squall/io/mask_coding.hpp"
#include "squall/tools/extract_task.hpp"
#include "squall/training/dead_units.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Weights that can be masked, and those of layers that are there for given sparse weights.
bool convertible(const Network& network, const ParameterEntry& e) {
  const bool given = network.graph().node(e.node).layer->type().starts_with("Sparse");
  return (e.info->maskable || given || e.form == ParameterForm::Stored) && e.slice_shape().rank() >= 2;
}

// Weights of units that are dead for a task do not come along.
std::vector<PackedWeight> slices_of(const ParameterStore& store, const ParameterEntry& e, const DeadUnits& dead) {
  const HostArray values = store.get(e).cast(DType::F32);
  const Shape shape = e.slice_shape();
  const Index rows = shape[0];
  const Index columns = shape.elements() / rows;
  std::vector<PackedWeight> out;
  for (int t = 0; t < e.tasks(); ++t) {
    const auto dense = values.span<float>().subspan(at(t) * at(rows * columns), at(rows * columns));
    out.push_back(PackedWeight::from_dense(dense, rows, columns, dead.needed(e.node, e.slot, t)));
  }
  return out;
}

constexpr WeightFormat kForms[] = {WeightFormat::Dense, WeightFormat::Compacted, WeightFormat::Sparse};

// Measures the forms of one slice; the first way of each batch size is the dense layer itself.
class FormChoice {
 public:
  FormChoice(const LayerAlone& layer, const PackedWeight& slice, const std::vector<Index>& batches)
      : batches_(batches), all_(batches.size()) {
    networks_.push_back(layer.dense());
    for (const WeightFormat f : kForms)
      if (f != WeightFormat::Dense) networks_.push_back(layer.packed(slice, f));
  }
  WeightFormat choose(int rounds) {
    const auto first = measure(rounds), second = measure(rounds);
    const WeightFormat a = best_of(first), b = best_of(second);
    if (a == b) return a;
    measure(rounds);
    return best_of(all_);
  }
  void report(WeightFormat chosen, LayerConversion& out) const {
    const auto way = static_cast<std::size_t>(chosen);
    out.dense_us = all_.front().median_us(0);
    out.packed_us = all_.front().median_us(way);
    for (const Rounds& r : all_) out.ratios.push_back(r.ratio(way));
  }

 private:
  std::vector<Rounds> measure(int rounds) {
    std::vector<Network*> pointers;
    for (const auto& n : networks_) pointers.push_back(n.get());
    std::vector<Rounds> now(batches_.size());
    for (std::size_t b = 0; b < batches_.size(); ++b) {
      const auto ways = runs_of(pointers, {}, batches_[b]);
      now[b].add(ways, rounds);
      all_[b].us.resize(ways.size());
      for (std::size_t w = 0; w < ways.size(); ++w)
        all_[b].us[w].insert(all_[b].us[w].end(), now[b].us[w].begin(), now[b].us[w].end());
    }
    return now;
  }
  // Differences below kNoise are none, and on a busy machine one quarter of the rounds may be unlucky. Dense stays
  // unless another form gains more than that.
  static WeightFormat best_of(const std::vector<Rounds>& measured) {
    constexpr double kNoise = 0.02, kMargin = 0.05, kLucky = 0.75, kUnlucky = 0.1;
    WeightFormat best = WeightFormat::Dense;
    double best_gain = 0;
    for (std::size_t way = 1; way < std::size(kForms); ++way) {
      double gain = 0;
      bool slower = false;
      for (const Rounds& r : measured) {
        gain += std::log(r.ratio(way)) / static_cast<double>(measured.size());
        slower = slower || r.ratio(way, kLucky) < 1 - kNoise || r.ratio(way) < 1 - kUnlucky;
      }
      if (slower || gain < best_gain + std::log1p(kMargin)) continue;
      best_gain = gain;
      best = kForms[way];
    }
    return best;
  }
  const std::vector<Index>& batches_;
  std::vector<std::unique_ptr<Network>> networks_;
  std::vector<Rounds> all_;
};

// Values, and positions in the smallest form that can be computed from.
std::size_t bytes_in_memory(const PackedWeight& w) {
  const SparsePattern* one[] = {&w};
  std::size_t least = 0;
  for (const MaskCoding c : {MaskCoding::Csr32, MaskCoding::Csr16, MaskCoding::Bitmap, MaskCoding::Blocks})
    if (can_code(one, c)) {
      const std::size_t bytes = code_masks(one, c).size();
      least = least == 0 ? bytes : std::min(least, bytes);
    }
  return at(w.kept()) * sizeof(float) + least;
}

void convert_entry(Network& network, ParameterEntry& e, const DeadUnits& dead, const std::vector<Index>& batches,
                   int rounds, Conversion& result) {
  auto slices = slices_of(network.store(), e, dead);
  const Node& node = network.graph().node(e.node);
  for (std::size_t t = 0; t < slices.size(); ++t) {
    LayerConversion report;
    report.layer = node.name;
    report.parameter = e.info->name;
    report.task = e.info->task_axis ? node.tasks[t] : "";
    report.density = slices[t].density();
    FormChoice choice(LayerAlone(network, e, static_cast<int>(t)), slices[t], batches);
    report.format = slices[t].format = choice.choose(rounds);
    choice.report(report.format, report);
    report.bytes = bytes_in_memory(slices[t]);
    result.layers.push_back(std::move(report));
  }
  network.store().set_stored(e, std::move(slices));
}

// Where layers win one by one and lose together, everything is computed dense.
bool slower_together(const std::vector<BatchTiming>& batches) {
  constexpr double kSlower = 0.95;
  return std::ranges::any_of(batches, [](const BatchTiming& b) { return b.ratio < kSlower; });
}

void compute_dense(Network& network, Conversion& result) {
  ParameterStore& store = network.store();
  for (const auto& entry : store.entries()) {
    if (entry.form != ParameterForm::Stored) continue;
    auto slices = entry.packed;
    for (auto& slice : slices) slice.format = WeightFormat::Dense;
    store.set_stored(*store.find(network.graph().node(entry.node).name, entry.info->name), std::move(slices));
  }
  for (auto& layer : result.layers) {
    layer.format = WeightFormat::Dense;
    layer.packed_us = layer.dense_us;
    std::ranges::fill(layer.ratios, 1.0);
  }
  result.all_dense = true;
}

}  // namespace

Conversion convert_to_sparse(Network& network, const std::vector<std::string>& heads, const std::vector<Index>& batches,
                             int rounds) {
  Conversion result;
  ParameterStore& store = network.store();
  if (batches.empty()) raise<ConfigError>("conversion needs a batch size to measure");
  result.dense_bytes = at(network.parameter_count()) * sizeof(float);
  const auto converts = [&](const ParameterEntry& e) { return convertible(network, e); };
  if (!std::ranges::any_of(store.entries(), converts))
    raise<ConfigError>(
        "the model has no layer whose weights can be stored sparse (MaskedDense, MultiMaskedDense, ...)");
  const auto reference = dense_copy(network);
  const DeadUnits dead(network, heads);
  for (const auto& entry : store.entries())
    if (converts(entry))
      convert_entry(network, *store.find(network.graph().node(entry.node).name, entry.info->name), dead, batches,
                    rounds, result);
  const auto time_all = [&] {
    std::vector<BatchTiming> out;
    for (const Index batch : batches) out.push_back(time_networks(*reference, network, heads, batch, rounds));
    return out;
  };
  result.batches = time_all();
  if (slower_together(result.batches)) {
    result.batches = time_all();  // once more before everything changes
    if (slower_together(result.batches)) {
      compute_dense(network, result);
      result.batches = time_all();
    }
  }
  result.max_difference = compare_networks(*reference, network, heads, 16);
  return result;
}

std::unique_ptr<Network> dense_copy(const Network& network) {
  auto out = std::make_unique<Network>(network.architecture(), network.catalog(), network.handler_pointer(),
                                       network.options());
  copy_parameters(network, *out);
  convert_to_dense(*out);
  return out;
}

void convert_to_dense(Network& network) {
  ParameterStore& store = network.store();
  for (const auto& entry : store.entries()) {
    if (entry.form == ParameterForm::Plain) continue;
    ParameterEntry& e = *store.find(network.graph().node(entry.node).name, entry.info->name);
    const HostArray values = store.get(e);
    store.make_plain(e);
    store.set(e, values);
  }
}

void convert_to_masked(Network& network) {
  ParameterStore& store = network.store();
  for (const auto& entry : store.entries()) {
    if (!entry.info->maskable || entry.form == ParameterForm::Masked || entry.form == ParameterForm::Packed) continue;
    ParameterEntry& e = *store.find(network.graph().node(entry.node).name, entry.info->name);
    const HostArray values = store.get(e);
    HostArray keep = e.form == ParameterForm::Stored ? *store.mask(e) : HostArray(DType::U8, e.info->shape);
    if (e.form == ParameterForm::Plain)
      for (Index i = 0; i < keep.elements(); ++i) keep.span<std::uint8_t>()[at(i)] = values.value(i) != 0 ? 1 : 0;
    store.make_plain(e);
    store.set(e, values);
    store.set_mask(e, keep);
  }
}

}  // namespace squall
