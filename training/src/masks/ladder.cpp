#include "masks/ladder.hpp"

#include <algorithm>

#include "masks/targets.hpp"
#include "squall/training/forget_masked.hpp"

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Layers with parameters or states that this task uses together with earlier ones: they stay as those left them.
std::vector<std::string> shared_layers(const Network& network, const std::vector<IterativeTask>& tasks, std::size_t t) {
  const auto plan_of = [&](std::size_t i) {
    PassRequest request;
    request.mode = Mode::Train;
    request.heads = {tasks[i].task.loss};
    return plan_pass(network.graph(), request);
  };
  const PassPlan own = plan_of(t);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < t; ++i) {
    const PassPlan earlier = plan_of(i);
    for (int n = 1; n < network.graph().size(); ++n) {
      const Node& node = network.graph().node(n);
      const auto whole = [](const ParameterInfo& p) { return !p.task_axis; };
      const bool shares = !node.states.empty() || std::ranges::any_of(node.parameters, whole);
      const auto& a = own.nodes[at(n)];
      const auto& b = earlier.nodes[at(n)];
      if (shares && a.forward && b.forward && std::ranges::find(names, node.name) == names.end())
        names.push_back(node.name);
    }
  }
  return names;
}

// Weights of a tensor that slices other than `except` own.
std::vector<std::uint8_t> owned_by_others(const ParameterEntry& e, int except) {
  std::vector<std::uint8_t> taken(at(e.slice_shape().elements()), 0);
  for (int t = 0; t < e.tasks(); ++t) {
    if (t == except || !is_chosen(e, t) || e.form != ParameterForm::Masked) continue;
    const auto keep = e.mask.span<std::uint8_t>().subspan(at(t) * taken.size(), taken.size());
    for (std::size_t i = 0; i < taken.size(); ++i) taken[i] |= keep[i];
  }
  return taken;
}

}  // namespace

FitData Ladder::data(std::size_t t) const {
  std::vector<std::string> frozen;
  if (options_.compat.empty()) frozen = shared_layers(network_, tasks_, t);
  return {tasks_[t].task, *tasks_[t].training, *tasks_[t].validation, std::move(frozen), options_.should_stop};
}

Stepper Ladder::make_stepper() const {
  const Catalog& catalog = network_.catalog();
  Stepper stepper(catalog.of<UpdateRule>().make(options_.stepper, "stepper", catalog));
  stepper.start(network_);
  return stepper;
}

FitResult Ladder::run_fit(std::size_t t, Stepper& stepper, Index epochs, const EarlyStop* stopper, TaskReport& report) {
  FitResult result = fit(network_, stepper, data(t), epochs, stopper);
  report.epochs += static_cast<Index>(result.loss.size());
  if (options_.observer)
    options_.observer({{"event", "fit"},
                       {"task", t},
                       {"epochs_run", result.loss.size()},
                       {"max_epochs", epochs},
                       {"early_stopping", stopper != nullptr},
                       {"loss", result.loss},
                       {"val_loss", result.val_loss}});
  return result;
}

void Ladder::mask(std::size_t t, double percentile, Stepper* stepper) {
  MaskTaskOptions o;
  o.percentile = percentile;
  o.score = options_.score;
  o.quota = options_.quota;
  o.biases = false;
  o.compat = options_.compat;
  MaskModelRun run;
  run.data = tasks_[t].training;
  run.pack = false;
  mask_task_weights(network_, tasks_[t].task, o, run);
  if (stepper != nullptr) forget_masked(*stepper, network_);
  if (options_.observer) options_.observer({{"event", "mask"}, {"task", t}, {"percentile", percentile}});
}

double Ladder::used(std::size_t t) const {
  double most = 0;
  for (const auto& p : task_parameters(network_, tasks_[t].task)) {
    const ParameterEntry& e = entry_of(p);
    if (p.slice < 0 || e.info->bias || e.form != ParameterForm::Masked) continue;
    const auto taken = owned_by_others(e, -1);
    const auto count = static_cast<double>(std::ranges::count(taken, std::uint8_t{1}));
    most = std::max(most, 100 * count / static_cast<double>(std::max<std::size_t>(1, taken.size())));
  }
  return most;
}

ParameterEntry& Ladder::entry_of(const TaskParameter& p) const {
  const auto dot = p.parameter.find('.');
  return *network_.store().find(p.parameter.substr(0, dot), p.parameter.substr(dot + 1));
}

// A task begins with all weights that nobody owns.
void Ladder::take_free(std::size_t t) {
  for (const auto& p : task_parameters(network_, tasks_[t].task)) {
    if (p.slice < 0) continue;
    ParameterEntry& e = entry_of(p);
    if (e.info->bias || e.form != ParameterForm::Masked) continue;
    const auto taken = owned_by_others(e, p.slice);
    HostArray keep = e.mask;
    for (std::size_t i = 0; i < taken.size(); ++i)
      keep.span<std::uint8_t>()[at(p.slice) * taken.size() + i] = taken[i] == 0 ? 1 : 0;
    network_.store().set_mask(e, keep);
  }
}

}  // namespace squall::masks
