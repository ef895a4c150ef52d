#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/signals.hpp"
#include "squall/core/masks.hpp"
#include "squall/tools/run.hpp"
#include "squall/tools/saved_model.hpp"

namespace squall::cli {

namespace {

struct EvalOptions {
  std::filesystem::path model, data = "data";
  std::string split = "test", task, ablate;
  bool no_masks = false;
};

void set_masks(Network& network, const EvalOptions& o) {
  if (o.ablate.empty() && !o.no_masks) return;
  if (masked_parameters(network).empty())
    raise<ConfigError>(o.no_masks ? "--no-masks" : "--ablate", ": the model has no learned masks");
  if (o.no_masks) set_use_masks(network, false);
  Ablation ablation = Ablation::None;
  if (!o.ablate.empty()) read_value(json(o.ablate), ablation);
  set_ablation(network, ablation);
}

int eval(const EvalOptions& o, const Context& c) {
  NetworkOptions options;
  options.seed = c.seed.value_or(1);  // of what ablations draw
  SavedModel model(o.model, c.catalog, c.make_handler(), options);
  set_masks(model.network(), o);
  const auto tasks = model.tasks(o.task);
  ExperimentData data = model.data(o.data);
  const auto& stop = watch_signals();
  json scores =
      score_tasks(model.network(), data, tasks, o.split, [&stop] { return stop.load(std::memory_order_relaxed) != 0; });
  if (scores.empty())
    raise<DataError>("no task has data for split '", o.split, "'; splits are train, validation and test");
  const json trained = model.epochs();
  for (const auto& [name, epochs] : trained.items())
    if (scores.contains(name)) scores[name]["epochs"] = epochs;
  if (c.verbose) c.say(data.details());
  c.detail(model.network());
  std::string text;
  for (const auto& [name, values] : scores.items()) {
    text += name + ":";
    for (const auto& [key, value] : values.items()) text += fmt::format("  {}={:.6g}", key, value.get<double>());
    text += "\n";
  }
  c.print(scores, text);
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Context& context) {
  auto o = std::make_shared<EvalOptions>();
  CLI::App* command =
      add_command(app, context, "eval", "scores of a model per task", [o, &context] { return eval(*o, context); });
  command->add_option("model", o->model, "model file")->required();
  command->add_option("--data", o->data, "folder of the data sets")->capture_default_str();
  command->add_option("--split", o->split, "train, validation or test")
      ->check(CLI::IsMember({"train", "validation", "test"}))
      ->capture_default_str();
  command->add_option("--task", o->task, "only this task");
  command
      ->add_option("--ablate", o->ablate,
                   "with learned masks: none, zero_ablate, random_ablate, randomly_sampled or complement_sampled")
      ->check(CLI::IsMember({"none", "zero_ablate", "random_ablate", "randomly_sampled", "complement_sampled"}));
  command->add_flag("--no-masks", o->no_masks, "the whole network, without its learned masks");
}

}  // namespace squall::cli
