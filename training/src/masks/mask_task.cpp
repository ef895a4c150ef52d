// One task's share of a network: which parameters it reaches, and masks for them alone.
#include <algorithm>

#include "masks/commit.hpp"
#include "masks/report.hpp"
#include "masks/selecting.hpp"
#include "squall/core/selection.hpp"
#include "squall/training/mask_model.hpp"

namespace squall {

namespace {

using masks::Target;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Task completed(const Network& network, Task task) {
  if (task.loss.empty()) complete_task(task, network.graph());
  return task;
}

TaskParameter parameter_of(const Network& network, const Target& t) {
  const Node& node = network.graph().node(t.node);
  return {node.name + "." + node.parameters[at(t.slot)].name, t.slice};
}

std::vector<TaskParameter> sorted(std::vector<TaskParameter> found) {
  std::ranges::sort(found);
  return found;
}

// Magnitudes of all slices of a tensor, or of the tensor.
std::vector<std::vector<double>> magnitudes(const Network& network, const Target& t) {
  const HostArray values = network.store().get(network.store().entry(t.node, t.slot));
  std::vector<std::vector<double>> out(at(values.elements() / std::max<Index>(1, t.elements())));
  for (Index i = 0; i < values.elements(); ++i)
    out[at(i / t.elements())].push_back(values.value(i) < 0 ? -values.value(i) : values.value(i));
  return out;
}

// The original's rule D, tensor by tensor.
std::vector<MaskBytes> literal_choice(const Network& network, std::span<const Target> targets,
                                      const MaskTaskOptions& options, std::vector<std::string>& warnings) {
  std::vector<MaskBytes> chosen;
  for (const auto& t : targets) {
    const auto all = magnitudes(network, t);
    chosen.push_back(literal_task_mask(all, at(std::max(t.slice, 0)), options.percentile, options.respect_previous));
    const Index wanted = kept_of(t.elements(), options.percentile);
    const Index kept = std::ranges::count(chosen.back(), std::uint8_t{1});
    if (kept != wanted)
      warnings.push_back(
          concat(t.name, " keeps ", kept, " of ", t.elements(), " weights, not ", wanted, ": the original's rule"));
  }
  return chosen;
}

}  // namespace

std::vector<TaskParameter> task_parameters(const Network& network, const Task& task) {
  const Task whole = completed(network, task);
  std::vector<TaskParameter> out;
  for (const auto& t : masks::find_targets(network, std::span(&whole, 1), true))
    out.push_back(parameter_of(network, t));
  return sorted(std::move(out));
}

std::vector<TaskParameter> probe_task_parameters(Network& network, const Task& task, const Batch& data) {
  const Task whole = completed(network, task);
  const auto states = network.get_states();
  const auto random_step = network.random_step();
  network.provide(data);
  network.forward(network.pass(Mode::Train, {whole.loss}));
  network.backward(false);
  const auto& trained = network.trainable();
  std::vector<TaskParameter> out;
  for (const auto& t : masks::all_targets(network, {}, true)) {
    const ParameterEntry& e = network.store().entry(t.node, t.slot);
    const bool runs = std::ranges::any_of(trained, [&](const auto& piece) { return piece.entry == &e; });
    if (!runs) continue;
    const auto gradient = network.store().get_gradient(e).doubles();
    const auto part = std::span(gradient).subspan(t.slice < 0 ? 0 : at(t.slice * t.elements()), at(t.elements()));
    if (std::ranges::any_of(part, [](double g) { return g != 0; })) out.push_back(parameter_of(network, t));
  }
  network.set_states(states);
  network.set_random_step(random_step);
  return sorted(std::move(out));
}

MaskReport mask_task_weights(Network& network, const Task& task, const MaskTaskOptions& options,
                             const MaskModelRun& run) {
  Rsn2Options o = mask_model_options(options.percentile, options.score, options.respect_previous);
  o.quota = options.quota;
  o.biases = options.biases;
  o.compat = options.compat;
  const masks::Rules rules(o, network.catalog());
  const Task whole = completed(network, task);
  const std::span tasks(&whole, 1);
  std::vector<std::string> warnings;
  auto targets = masks::find_targets(network, tasks, options.biases || rules.literal.has_value());
  unpack_masks(network);
  if (rules.literal) {
    masks::commit(network, targets, literal_choice(network, targets, options, warnings), false, run.memory);
  } else {
    masks::Selecting how{network, rules, tasks, run.data, run.seed};
    how.pack = run.pack;
    how.memory = run.memory;
    masks::select(how, targets, warnings);
  }
  MaskReport report = masks::report(network, tasks, masks::waiting_slices(network, targets));
  report.warnings.insert(report.warnings.begin(), warnings.begin(), warnings.end());
  return report;
}

}  // namespace squall
