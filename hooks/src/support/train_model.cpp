#include "squall/hooks/train_model.hpp"

namespace squall {

namespace {

json hook_of(const TrainModelOptions& o) {
  json hook = o.selection;
  hook["@type"] = hook["name"] = "ActiveSparsification";
  hook["performance_cutoff"] = o.cutoff;
  hook["performance_measure"] = o.measure;
  hook["starting_sparsification"] = o.starting_sparsification;
  hook["max_sparsification"] = o.max_sparsification;
  hook["sparsification_rate"] = o.sparsification_rate;
  hook["sparsification_patience"] = o.sparsification_patience;
  hook["stopping_patience"] = o.stopping_patience;
  hook["stopping_delta"] = o.stopping_delta;
  hook["compat"] = o.compat;
  return hook;
}

}  // namespace

TrainedModel train_model(Network& network, const std::vector<Task>& tasks, DataIterator& training,
                         DataIterator* validation, const TrainModelOptions& options) {
  if (options.max_epochs < 1) raise<ConfigError>("train_model: max_epochs should be at least 1");
  const Catalog& catalog = network.catalog();
  Trainer trainer(network,
                  std::make_unique<Stepper>(catalog.of<UpdateRule>().make(options.stepper, "stepper", catalog)), tasks);
  trainer.set_observer(options.observer);
  std::map<std::string, DataIterator*> named;
  if (validation != nullptr) {
    named["validation"] = validation;
    trainer.add_hook(catalog.of<Hook>().make({{"@type", "MonitorScores"}}, "monitor", catalog));
  }
  trainer.add_hook(catalog.of<Hook>().make(hook_of(options), "train_model", catalog));
  trainer.train(training, named, options.max_epochs);
  TrainedModel out;
  out.logs = trainer.logs();
  out.epochs = trainer.progress().epoch;
  if (const auto* log = out.logs.find("ActiveSparsification.sparsity")) out.sparsity = log->back();
  out.masks = report_masks(network, trainer.tasks());
  return out;
}

}  // namespace squall
