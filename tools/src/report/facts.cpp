// Counting what a model holds and computes.
#include <algorithm>

#include "squall/core/nearest.hpp"
#include "squall/tools/model_report.hpp"
#include "squall/training/mask_report.hpp"

namespace squall {

namespace {

constexpr Index kSampleSide = 64;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Places of an image or a sequence; one if there are only features.
Index places(const BufferShape& shape) {
  const Shape& features = shape.features;
  if (features.rank() < 1) return 1;
  return std::max<Index>(1, features.elements() / std::max<Index>(1, features[-1]));
}

// How often each weight of an output is used for one example: once per place that a convolution makes, or, where it
// makes more of them (transposed), that it reads. Units that are given a shape are used once.
Index positions(const Node& node, std::size_t output, Index units) {
  if (output >= node.outputs.size()) return 1;
  const BufferShape& made = node.outputs[output].shape;
  if (made.features.elements() == units) return 1;
  if (made.features.rank() < 1 || (made.features.rank() < 2 && made.features[-1] != units)) return 1;
  return output < node.inputs.size() ? std::min(places(made), places(node.inputs[output].shape)) : places(made);
}

bool is_weight(const ParameterEntry& e) {
  return !e.info->bias && e.info->scores_of < 0 && e.slice_shape().rank() >= 2;
}

const TensorMaskReport* find(const MaskReport& masks, const std::string& name) {
  const auto found = std::ranges::find(masks.tensors, name, &TensorMaskReport::parameter);
  return found == masks.tensors.end() ? nullptr : &*found;
}

LayerFacts facts(const Node& node, const ParameterEntry& e, std::size_t slot, const TensorMaskReport* masks) {
  LayerFacts f;
  const Shape shape = e.slice_shape();
  f.layer = node.name;
  f.weights = f.kept = f.owned = shape.elements();
  if (masks != nullptr && slot < masks->kept.size()) {
    f.kept = masks->kept[slot];
    f.owned = masks->owned[slot];
    f.dead_units = masks->dead_units[slot];
  }
  const Index times = 2 * positions(node, slot, shape[0]);
  f.dense_operations = times * f.weights;
  f.operations = times * f.kept;
  f.dense_bytes = at(f.weights) * sizeof(float);
  f.bytes = at(f.kept) * sizeof(float);
  return f;
}

void add_layer(const Network& network, const ParameterEntry& e, ModelReport& report) {
  const Node& node = network.graph().node(e.node);
  const TensorMaskReport* masks = find(report.masks, node.name + "." + e.info->name);
  if (!e.info->task_axis) {
    report.layers.push_back(facts(node, e, 0, masks));
    report.layers.back().task = masks != nullptr ? join(masks->tasks) : join(report.tasks);
    return;
  }
  for (std::size_t t = 0; t < at(e.tasks()); ++t) {
    report.layers.push_back(facts(node, e, t, masks));
    report.layers.back().task = node.tasks[t];
  }
  if (masks == nullptr || e.tasks() < 2) return;
  report.divided += masks->elements;
  report.free += masks->free;
  for (std::size_t a = 0; a < masks->tasks.size(); ++a)
    for (std::size_t b = 0; b < masks->tasks.size(); ++b) {
      const auto place = [&](const std::string& task) {
        return static_cast<std::size_t>(std::ranges::find(report.tasks, task) - report.tasks.begin());
      };
      const std::size_t i = place(masks->tasks[a]), k = place(masks->tasks[b]);
      if (i < report.tasks.size() && k < report.tasks.size()) report.overlap[i][k] += masks->overlap[a][b];
    }
}

// Who writes each weight of a tensor with slices: bytes of logical shape.
HostArray owned(const Network& network, const ParameterEntry& e) {
  HostArray use = *network.store().mask(e);
  if (e.form == ParameterForm::Masked) return e.mask;
  if (e.form != ParameterForm::Packed || e.read.empty()) return use;
  const auto owners = e.mask.span<std::uint8_t>();
  auto own = use.span<std::uint8_t>();
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = owners[i % owners.size()] == i / owners.size() ? 1 : 0;
  return use;
}

OwnerSample sample(const Network& network, const ParameterEntry& e, const std::vector<std::string>& tasks) {
  OwnerSample s;
  const Node& node = network.graph().node(e.node);
  const Shape shape = e.slice_shape();
  const Index rows = shape[0], columns = shape.elements() / std::max<Index>(1, rows);
  s.parameter = node.name + "." + e.info->name;
  s.row_step = (rows + kSampleSide - 1) / kSampleSide;
  s.column_step = (columns + kSampleSide - 1) / kSampleSide;
  s.rows = (rows + s.row_step - 1) / s.row_step;
  s.columns = (columns + s.column_step - 1) / s.column_step;
  const HostArray own = owned(network, e);
  const auto keep = own.span<std::uint8_t>();
  for (Index r = 0; r < rows; r += s.row_step)
    for (Index c = 0; c < columns; c += s.column_step) {
      int owner = OwnerSample::kNobody;
      for (int t = 0; t < e.tasks(); ++t) {
        if (keep[at(t * rows * columns + r * columns + c)] == 0) continue;
        const auto task = std::ranges::find(tasks, node.tasks[at(t)]) - tasks.begin();
        owner = owner == OwnerSample::kNobody ? static_cast<int>(task) : OwnerSample::kSeveral;
      }
      s.owner.push_back(owner);
    }
  return s;
}

void add_totals(ModelReport& report) {
  for (const auto& task : report.tasks) {
    TaskFacts total;
    total.task = task;
    for (const auto& f : report.layers) {
      const bool uses = f.task == task || (", " + f.task + ", ").find(", " + task + ", ") != std::string::npos;
      if (!uses) continue;
      total.weights += f.weights;
      total.kept += f.kept;
      total.owned += f.owned;
      total.dense_operations += f.dense_operations;
      total.operations += f.operations;
      total.bytes += f.bytes;
    }
    report.totals.push_back(total);
  }
}

}  // namespace

ModelReport report_model(const Network& network, std::span<const Task> tasks) {
  ModelReport report;
  for (const auto& task : tasks) report.tasks.push_back(task.name);
  if (report.tasks.empty()) report.tasks.emplace_back("default");
  report.masks = report_masks(network, tasks);
  report.overlap.assign(report.tasks.size(), std::vector<Index>(report.tasks.size(), 0));
  for (const auto& e : network.store().entries()) {
    if (!is_weight(e)) continue;
    add_layer(network, e, report);
    if (e.info->task_axis && e.tasks() > 1 && e.form != ParameterForm::Plain)
      report.owners.push_back(sample(network, e, report.tasks));
  }
  add_totals(report);
  return report;
}

void add_times(ModelReport& report, const Conversion& conversion, Index batch) {
  report.batch = batch;
  for (auto& f : report.layers)
    for (const auto& c : conversion.layers) {
      if (c.layer != f.layer || (!c.task.empty() && c.task != f.task)) continue;
      f.format = std::string(name_of(c.format));
      f.bytes = c.bytes;
      f.dense_us = c.dense_us;
      f.packed_us = c.packed_us;
    }
  report.totals.clear();
  add_totals(report);
}

}  // namespace squall
