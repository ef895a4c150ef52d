#include "squall/tools/predict.hpp"

#include <numeric>

#include "squall/io/data_set.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

HostArray predict(Network& network, const Task& task, const HostArray& examples) {
  if (task.output.empty())
    raise<ConfigError>("task '", task.name,
                       "' has no predictions: no single layer before its loss gives any; name an output with 'output' "
                       "in the experiment's tasks, or read any output with squall extract");
  const auto dot = task.output.find('.');
  const int n = network.graph().find(task.output.substr(0, dot));
  const int slot = network.graph().node(n).find_output(task.output.substr(dot + 1));
  const PassId pass = network.pass(Mode::Eval, {task.output});
  const Index total = examples.shape()[1];
  constexpr Index kBatch = 256;
  HostArray out;
  Batch batch;
  for (Index done = 0; done < total;) {
    const Index count = std::min(kBatch, total - done);
    std::vector<Index> chosen(at(count));
    std::iota(chosen.begin(), chosen.end(), done);
    batch.fields = {{task.input, take_entries(examples, 1, chosen)}};
    network.provide(batch);
    network.forward(pass);
    const ConstTensor y = network.output(n, slot);
    const Index steps = y.shape()[0];
    if (out.empty()) out = HostArray(y.dtype(), y.shape().from(2).with_front(total).with_front(steps));
    for (Index t = 0; t < steps; ++t) network.handler().memory().download(y.at(t), out.view().at(t).slice(done, count));
    done += count;
  }
  return out;
}

std::vector<std::vector<Index>> rows_of_tasks(std::span<const Index> task_of_row, std::size_t tasks) {
  std::vector<std::vector<Index>> rows(tasks);
  for (std::size_t r = 0; r < task_of_row.size(); ++r) {
    if (task_of_row[r] < 0 || at(task_of_row[r]) >= tasks)
      raise<DataError>("row ", r, " belongs to task ", task_of_row[r], ", but there are tasks 0 to ",
                       static_cast<Index>(tasks) - 1);
    rows[at(task_of_row[r])].push_back(static_cast<Index>(r));
  }
  return rows;
}

MixedPredictions predict_mixed(Network& network, std::span<const Task> tasks, const HostArray& examples,
                               std::span<const Index> task_of_row) {
  if (examples.shape().rank() < 2 || at(examples.shape()[1]) != task_of_row.size())
    raise<ShapeError>("a task for each of ", task_of_row.size(), " rows was given, but the examples are ",
                      examples.shape(), "; they should be (T, N, ...)");
  MixedPredictions out;
  out.rows = rows_of_tasks(task_of_row, tasks.size());
  for (std::size_t t = 0; t < tasks.size(); ++t)
    out.outputs.push_back(out.rows[t].empty() ? HostArray()
                                              : predict(network, tasks[t], take_entries(examples, 1, out.rows[t])));
  return out;
}

HostArray MixedPredictions::together() const {
  HostArray all;
  Index total = 0;
  for (const auto& r : rows) total += static_cast<Index>(r.size());
  for (std::size_t t = 0; t < rows.size(); ++t) {
    if (rows[t].empty()) continue;
    const Shape& shape = outputs[t].shape();
    const Shape whole = shape.from(2).with_front(total).with_front(shape[0]);
    if (all.empty()) all = HostArray(outputs[t].dtype(), whole);
    if (all.shape() != whole)
      raise<ShapeError>("tasks give different shapes, ", all.shape().from(2), " and ", shape.from(2),
                        " for an example; they do not fit into one array");
    for (Index step = 0; step < shape[0]; ++step)
      for (std::size_t i = 0; i < rows[t].size(); ++i) {
        const ConstTensor from = outputs[t].view();
        const Tensor to = all.view().at(step).slice(rows[t][i], 1);
        std::memcpy(to.data(), from.at(step).slice(static_cast<Index>(i), 1).data(),
                    at(to.shape().elements()) * size_of(all.dtype()));
      }
  }
  return all;
}

}  // namespace squall
