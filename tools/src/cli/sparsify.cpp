#include <fmt/format.h>

#include "cli/context.hpp"
#include "squall/tools/run.hpp"
#include "squall/tools/saved_model.hpp"
#include "squall/training/rsn2.hpp"

namespace squall::cli {

namespace {

struct SparsifyOptions {
  std::filesystem::path model, data = "data", out;
  std::string method = "magnitude", task;
  double sparsity = 90;
};

std::string method(const std::string& text) {
  Score score{};
  const Expectation expected = read_value(json(text), score);
  return expected ? concat("should be ", *expected, ", not '", text, "'") : std::string();
}

int sparsify(const SparsifyOptions& o, const Context& c) {
  SavedModel model(o.model, c.catalog, c.make_handler());
  const auto tasks = model.tasks(o.task);
  if (tasks.empty()) raise<ConfigError>(o.model.string(), ": the model names no task to sparsify");
  Rsn2 rsn2;
  rsn2.options.sparsity = o.sparsity;
  rsn2.options.rescale = false;  // these weights are trained
  read_value(json(o.method), rsn2.options.score);
  std::unique_ptr<ExperimentData> sets;
  std::unique_ptr<DataIterator> data;
  if (rsn2.options.score == Score::Gradients || rsn2.options.score == Score::WeightGradient) {
    std::vector<std::string> names;
    for (const auto& t : tasks) names.push_back(t.name);
    sets = std::make_unique<ExperimentData>(model.data(o.data));
    data = sets->training(names, 500, false, Mix::Cycle);
  }
  const MaskReport report = rsn2.apply(model.network(), tasks, data.get(), c.seed.value_or(1));
  json description = model.description();
  description.erase("architecture");
  save_model(o.out, model.network(), description);
  c.print(report.to_json(), report.text());
  return 0;
}

}  // namespace

void add_sparsify(CLI::App& app, Context& context) {
  auto o = std::make_shared<SparsifyOptions>();
  CLI::App* command = add_command(app, context, "sparsify", "masks a trained model and says who owns what",
                                  [o, &context] { return sparsify(*o, context); });
  command->add_option("model", o->model, "model file")->required();
  command->add_option("--data", o->data, "folder of the data sets, for scores by gradients")->capture_default_str();
  command->add_option("--method", o->method, "magnitude, gradients, weight_gradient or random")
      ->check(method)
      ->capture_default_str();
  command->add_option("--sparsity", o->sparsity, "percent of the weights pruned, per task")->capture_default_str();
  command->add_option("--task", o->task, "only this task");
  command->add_option("--out", o->out, "model file to write")->required();
}

}  // namespace squall::cli
