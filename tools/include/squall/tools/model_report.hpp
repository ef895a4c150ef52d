// What a model costs and who owns it, per layer and task, and how its run went: as text, JSON and one page.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "squall/tools/convert.hpp"
#include "squall/training/mask_report.hpp"

namespace squall {

// One task's part of a layer's weight; biases are not counted.
struct LayerFacts {
  std::string layer, task;  // task: several with a comma where all of them use one tensor
  Index weights = 0, kept = 0, owned = 0, dead_units = 0;
  Index dense_operations = 0, operations = 0;  // multiplications and additions of one example: all weights, kept ones
  std::size_t dense_bytes = 0, bytes = 0;      // of values; of values and mask in sparse form
  std::string format;                          // of the sparse form: dense, compacted, sparse; empty: not measured
  double dense_us = -1, packed_us = -1;        // of a batch; -1: not measured
  double density() const { return weights > 0 ? static_cast<double>(kept) / static_cast<double>(weights) : 1; }
};

struct TaskFacts {
  std::string task;
  Index weights = 0, kept = 0, owned = 0, dense_operations = 0, operations = 0;
  std::size_t bytes = 0;
};

// Some weights of a tensor that tasks divide, evenly spaced: who owns each. kNobody, kSeveral, or the index of a task.
struct OwnerSample {
  static constexpr int kNobody = -1, kSeveral = -2;
  std::string parameter;
  Index rows = 0, columns = 0, row_step = 1, column_step = 1;  // of the sample; every so many are shown
  std::vector<int> owner;                                      // row by row
};

// A value over the lines of metrics.jsonl.
struct LogCurve {
  std::string name;
  std::vector<std::pair<double, double>> points;  // number of the line, value
};

struct ModelReport {
  std::string title;
  std::vector<std::string> tasks;
  std::vector<LayerFacts> layers;
  std::vector<TaskFacts> totals;
  std::vector<std::vector<Index>> overlap;  // tasks x tasks: weights used by both, over all layers
  Index divided = 0, free = 0;              // weights of tensors that tasks divide; owned by nobody
  Index batch = 0;                          // that was timed; 0: none
  std::size_t file_bytes = 0;
  MaskReport masks;
  std::vector<OwnerSample> owners;
  std::vector<LogCurve> curves;
  json scores;  // "tasks" of report.json; null without a run
};

// Everything but title, curves, scores and times.
ModelReport report_model(const Network& network, std::span<const Task> tasks);
// Times and bytes of the sparse form; layers are found by name and task.
void add_times(ModelReport& report, const Conversion& conversion, Index batch);
std::vector<LogCurve> read_curves(const std::string& metrics);  // content of metrics.jsonl

json to_json(const ModelReport& report);
std::string to_text(const ModelReport& report);
// XHTML with pictures in SVG; it needs no other file.
std::string to_page(const ModelReport& report);

}  // namespace squall
