#include <fmt/format.h>

#include <cmath>

#include "cli/context.hpp"
#include "squall/tools/run.hpp"
#include "squall/tools/saved_model.hpp"
#include "squall/training/mask_model.hpp"

namespace squall::cli {

namespace {

struct SparsifyOptions {
  std::filesystem::path model, data = "data", out;
  std::string method = "magnitude", task, quota = "unit", share = "uniform", eligible = "free", compat;
  double sparsity = 90;
  Index examples = Rsn2Options().examples;
  bool again = false, biases = false;
};

constexpr std::string_view kMethods[] = {"magnitude",         "random",          "gradients",      "absolute_gradients",
                                         "squared_gradients", "weight_gradient", "activation_norm"};

std::string method(const std::string& text) {
  std::string known;
  for (const auto name : kMethods) {
    if (text == name) return "";
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return concat("should be one of ", known, ", not '", text, "'");
}

std::string percentage(const std::string& text) {
  char* end = nullptr;
  const double v = std::strtod(text.c_str(), &end);
  const bool number = end != text.c_str() && *end == 0;
  return number && v >= 0 && v <= 100 ? "" : concat("should be a percentage, 0 to 100, not '", text, "'");
}

Rsn2Options selection_of(const SparsifyOptions& o) {
  Rsn2Options r;
  r.sparsity = o.sparsity;
  r.score = o.method;
  r.examples = o.examples;
  r.eligible = o.eligible;
  read_value(json(o.quota), r.quota);
  r.share = o.share;
  r.biases = o.biases;
  r.rescale = false;  // these weights are trained
  r.compat = o.compat;
  return r;
}

int sparsify(const SparsifyOptions& o, const Context& c) {
  SavedModel model(o.model, c.catalog, c.make_handler());
  const auto tasks = model.tasks(o.task);
  if (tasks.empty()) raise<ConfigError>(o.model.string(), ": the model names no task to sparsify");
  Rsn2 rsn2;
  rsn2.options = selection_of(o);
  std::unique_ptr<ExperimentData> sets;
  std::unique_ptr<DataIterator> data;
  if (needs_data(rsn2.options, c.catalog)) {
    std::vector<std::string> names;
    for (const auto& t : tasks) names.push_back(t.name);
    sets = std::make_unique<ExperimentData>(model.data(o.data));
    data = sets->training(names, 500, false, Mix::Cycle);
  }
  MaskModelRun run;
  run.data = data.get();
  run.seed = c.seed.value_or(1);
  const MaskReport report = o.again ? mask_model(model.network(), tasks, rsn2.options, run)
                                    : rsn2.apply(model.network(), tasks, run.data, run.seed);
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
  command->add_option("--data", o->data, "folder of the data sets, for scores that need them")->capture_default_str();
  command
      ->add_option("--method", o->method,
                   "what ranks weights: magnitude, random, gradients, absolute_gradients, squared_gradients, "
                   "weight_gradient or activation_norm")
      ->check(method)
      ->capture_default_str();
  command->add_option("--sparsity", o->sparsity, "percent of the weights pruned, per task")
      ->check(percentage)
      ->capture_default_str();
  command->add_option("--task", o->task, "only this task");
  command->add_option("--quota", o->quota, "share counted per unit, tensor, layer or global")
      ->check(CLI::IsMember({"unit", "tensor", "layer", "global"}))
      ->capture_default_str();
  command->add_option("--share", o->share, "how sparse each tensor becomes: uniform, er or erk")
      ->check(CLI::IsMember({"uniform", "er", "erk"}))
      ->capture_default_str();
  command->add_option("--eligible", o->eligible, "what a task may take: free, fair, any or shared_reading")
      ->check(CLI::IsMember({"free", "fair", "any", "shared_reading"}))
      ->capture_default_str();
  command->add_option("--examples", o->examples, "training examples for scores that need them")->capture_default_str();
  command->add_flag("--biases", o->biases, "prune biases, too");
  command->add_flag("--again", o->again, "choose anew also what has masks");
  command->add_option("--compat", o->compat, "beyondml: the original's literal selection")
      ->check(CLI::IsMember({"beyondml"}));
  command->add_option("--out", o->out, "model file to write")->required();
}

}  // namespace squall::cli
