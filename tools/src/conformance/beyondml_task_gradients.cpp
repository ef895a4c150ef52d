// kind = task_gradients of BeyondML's recordings: what one output's loss reaches, by numbers and by the graph.
#include <algorithm>

#include "conformance/beyondml_kinds.hpp"
#include "squall/training/mask_model.hpp"

namespace squall::conformance {

void replay_task_gradients(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  RecordedNetwork net(file, handler);
  const Task& task = net.tasks().at(static_cast<std::size_t>(file.attribute_int("/", "task")));
  Undivided data(net.data());
  Batch batch;
  data.restart(0);
  data.next(batch);
  const auto reached = task_parameters(net.network(), task);
  const auto probed = probe_task_parameters(net.network(), task, batch);
  net.compare_gradients("/gradients", static_cast<double>(data.examples()), c);
  if (probed != reached) c.fail("the graph and the gradients disagree about what the task reaches");
}

}  // namespace squall::conformance
