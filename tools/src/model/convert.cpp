#include "squall/tools/convert.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "model/timing.hpp"
#include "squall/tools/extract_task.hpp"
#include "squall/training/dead_units.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Weights that can be masked, and those of layers that are there for given sparse weights.
bool convertible(const Network& network, const ParameterEntry& e) {
  const bool given = network.graph().node(e.node).layer->type().starts_with("Sparse");
  return (e.info->maskable || given) && e.form != ParameterForm::Stored && e.slice_shape().rank() >= 2;
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

// The fastest format over all batch sizes that is at none of them slower than dense.
WeightFormat choose(const LayerTimer& timer, const PackedWeight& slice, LayerConversion& report) {
  WeightFormat best = WeightFormat::Dense;
  double best_score = 0;
  const auto dense = timer.dense_us();
  report.dense_us = report.packed_us = dense.front();
  for (const WeightFormat f : {WeightFormat::Compacted, WeightFormat::Sparse}) {
    PackedWeight candidate = slice;
    candidate.format = f;
    const auto times = timer.packed_us(candidate);
    double score = 0;
    bool slower = false;
    for (std::size_t b = 0; b < times.size(); ++b) {
      score += std::log(dense[b] / times[b]);
      slower = slower || times[b] > dense[b];
    }
    if (slower || score <= best_score) continue;
    best_score = score;
    best = f;
    report.packed_us = times.front();
  }
  return best;
}

void convert_entry(Network& network, ParameterEntry& e, const DeadUnits& dead, const std::vector<Index>& batches,
                   int rounds, Conversion& result) {
  auto slices = slices_of(network.store(), e, dead);
  const Node& node = network.graph().node(e.node);
  for (std::size_t t = 0; t < slices.size(); ++t) {
    LayerConversion report;
    report.layer = node.name;
    report.task = e.info->task_axis ? node.tasks[t] : "";
    report.density = slices[t].density();
    const LayerTimer timer(network, e, static_cast<int>(t), batches, rounds);
    slices[t].format = choose(timer, slices[t], report);
    report.format = slices[t].format;
    report.bytes = at(slices[t].kept()) * (sizeof(float) + 1) + at(slices[t].rows + 1) * sizeof(std::int32_t);
    result.layers.push_back(report);
  }
  network.store().set_stored(e, std::move(slices));
}

}  // namespace

Conversion convert_to_sparse(Network& network, const std::vector<std::string>& heads, const std::vector<Index>& batches,
                             int rounds) {
  Conversion result;
  ParameterStore& store = network.store();
  result.dense_bytes = at(network.parameter_count()) * sizeof(float);
  const auto converts = [&](const ParameterEntry& e) { return convertible(network, e); };
  const bool any = std::ranges::any_of(store.entries(), converts);
  if (!any) {
    const bool done =
        std::ranges::any_of(store.entries(), [](const auto& e) { return e.form == ParameterForm::Stored; });
    raise<ConfigError>(
        done ? "the model is already in sparse form; convert it --to dense or masked first"
             : "the model has no layer whose weights can be stored sparse (MaskedDense, MultiMaskedDense, ...)");
  }
  Network reference(network.architecture(), network.catalog(), network.handler_pointer(), network.options());
  copy_parameters(network, reference);
  convert_to_dense(reference);
  const DeadUnits dead(network, heads);
  for (const auto& entry : store.entries())
    if (converts(entry))
      convert_entry(network, *store.find(network.graph().node(entry.node).name, entry.info->name), dead, batches,
                    rounds, result);
  for (const Index batch : batches) result.batches.push_back(time_networks(reference, network, heads, batch, rounds));
  result.max_difference = compare_networks(reference, network, heads, 16);
  return result;
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
