#include <fmt/format.h>

#include <algorithm>

#include "cli/context.hpp"
#include "squall/tools/extract_buffers.hpp"
#include "squall/tools/saved_model.hpp"

namespace squall::cli {

namespace {

struct ExtractOptions {
  std::filesystem::path model, data = "data", out;
  std::vector<std::string> buffers;
  std::string split = "test", task, reader;
  Index batch = 100;
};

// Once each, in the order in which they were named.
std::vector<std::string> unique(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& name : names)
    if (std::ranges::find(out, name) == out.end()) out.push_back(name);
  return out;
}

int extract(const ExtractOptions& o, const Context& c) {
  NetworkOptions options;
  options.memory = MemoryMode::Inspectable;
  SavedModel model(o.model, c.catalog, c.make_handler(), options);
  const auto tasks = model.tasks(o.task);
  if (tasks.size() != 1)
    raise<ConfigError>("name with --task whose data the model should see",
                       tasks.empty() ? "; the model has no tasks" : "; tasks are: " + join(model.task_names()));
  ExperimentData data = o.reader.empty() ? model.data(o.data) : model.data(o.data, parse_json(o.reader, "--reader"));
  const auto batches = data.scoring(tasks[0].name, o.split, o.batch);
  if (!batches) raise<DataError>("task '", tasks[0].name, "' has no data for split '", o.split, "'");
  const auto buffers = unique(o.buffers);
  const Index examples = extract_and_save(model.network(), *batches, buffers, o.out);
  c.print({{"file", o.out.string()}, {"examples", examples}, {"buffers", buffers}},
          fmt::format("{} written: {} of {} examples", o.out.string(), join(buffers), examples));
  return 0;
}

}  // namespace

void add_extract(CLI::App& app, Context& context) {
  auto o = std::make_shared<ExtractOptions>();
  CLI::App* command = add_command(app, context, "extract", "what a model computes on the way, for every example",
                                  [o, &context] { return extract(*o, context); });
  command->add_option("model", o->model, "model file")->required();
  command->add_option("--data", o->data, "folder of the data sets")->capture_default_str();
  command
      ->add_option("--buffers", o->buffers,
                   "LAYER.CATEGORY.NAME, several with a comma between; categories are outputs, inputs, internals, "
                   "parameters, state")
      ->delimiter(',')
      ->required();
  command->add_option("--split", o->split, "train, validation or test")
      ->check(CLI::IsMember({"train", "validation", "test"}))
      ->capture_default_str();
  command->add_option("--task", o->task, "whose data");
  command->add_option("--reader", o->reader, "JSON of a reader instead of the data the model remembers");
  command->add_option("--batch", o->batch, "examples at once")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--out", o->out, "HDF5 file to write: one dataset per buffer, (T, N, ...)")->required();
}

}  // namespace squall::cli
