#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/signals.hpp"
#include "squall/tools/run.hpp"
#include "squall/tools/saved_model.hpp"

namespace squall::cli {

namespace {

struct EvalOptions {
  std::filesystem::path model, data = "data";
  std::string split = "test", task;
};

int eval(const EvalOptions& o, const Context& c) {
  SavedModel model(o.model, c.catalog, c.make_handler());
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
}

}  // namespace squall::cli
