#include <fmt/format.h>

#include "cli/context.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/idx.hpp"
#include "squall/io/npy.hpp"
#include "squall/tools/saved_model.hpp"

namespace squall::cli {

namespace {

struct PredictOptions {
  std::filesystem::path model, input, output;
  std::string task;
};

bool ends_with(const std::filesystem::path& path, std::string_view end) { return path.string().ends_with(end); }

HostArray read_input(const std::filesystem::path& path) {
  if (ends_with(path, ".npy")) return read_npy(path);
  if (ends_with(path, ".h5") || ends_with(path, ".hdf5")) {
    const H5Reader file(path);
    for (const char* name : {"/default", "/input"})
      if (file.exists(name)) return file.read(name);
    const char* test = "/normalized_split/test/default";
    if (file.exists(test)) {  // brainstorm's layout, time in front
      const HostArray a = file.read(test);
      return a.shape()[0] == 1 ? a.reshaped(a.shape().from(1)) : a;
    }
    raise<DataError>(path.string(),
                     ": should hold a dataset 'default' or 'input', or a split 'test' in brainstorm's layout");
  }
  return read_idx(path);
}

// What the training data went through before it reached the network.
HostArray prepared(const SavedModel& model, const std::string& task, HostArray input, const Catalog& catalog) {
  const json e = model.description().value("experiment", json::object());
  for (const auto& [name, options] : model.task_list()) {
    if (name != task || !e.contains("data") || !e["data"].contains(options.data)) continue;
    const auto reader = catalog.of<Reader>().make(e["data"][options.data], "data." + options.data, catalog);
    CommonOptions common = reader->common();
    common.classes.clear();
    common.examples.reset();
    common.validation = 0;
    DataSet set;
    set.splits["test"]["default"] = std::move(input);
    set.splits["test"]["targets"] = HostArray(DType::I32, Shape{set.splits["test"]["default"].shape()[0], 1});
    return prepare(std::move(set), common, "--input").splits["test"]["default"];
  }
  return input;
}

HostArray predict_task(SavedModel& model, const Task& task, const HostArray& examples) {
  Network& net = model.network();
  const auto dot = task.output.find('.');
  const int n = net.graph().find(task.output.substr(0, dot));
  const int slot = net.graph().node(n).find_output(task.output.substr(dot + 1));
  const PassId pass = net.pass(Mode::Eval, {task.output});
  const Index total = examples.shape()[0];
  constexpr Index kBatch = 256;
  HostArray out;
  Index done = 0;
  Batch batch;
  while (done < total) {
    const Index count = std::min(kBatch, total - done);
    const ConstTensor part = examples.view().slice(done, count);
    batch.fields = {{task.input, HostArray::copy_of(part.reshaped(part.shape().with_front(1)))}};
    net.provide(batch);
    net.forward(pass);
    const ConstTensor y = net.output(n, slot);
    const Shape features = y.shape().from(2);
    if (out.empty()) out = HostArray(y.dtype(), features.with_front(total));
    net.handler().memory().download(y.reshaped(features.with_front(count)), out.view().slice(done, count));
    done += count;
  }
  return out;
}

int predict(const PredictOptions& o, const Context& c) {
  SavedModel model(o.model, c.catalog, c.make_handler());
  const auto tasks = model.tasks(o.task);
  const bool hdf5 = ends_with(o.output, ".h5") || ends_with(o.output, ".hdf5");
  if (tasks.empty()) raise<ConfigError>(o.model.string(), ": the model names no task to predict");
  if (tasks.size() > 1 && !hdf5)
    raise<ConfigError>("the model has several tasks (", join(model.task_names()),
                       "); give --task, or an --output that ends in .h5");
  const HostArray input = read_input(o.input);
  if (input.shape().rank() == 0 || input.shape()[0] == 0) raise<DataError>(o.input.string(), ": holds no examples");
  H5Writer file;
  json result = json::object();
  for (const auto& task : tasks) {
    const HostArray y = predict_task(model, task, prepared(model, task.name, input, c.catalog));
    result[task.name] = y.shape().text();
    if (hdf5)
      file.write(h5_path({task.name}), y);
    else
      write_npy(o.output, y);
  }
  if (hdf5) write_file_atomically(o.output, file.finish());
  c.print({{"output", o.output.string()}, {"shapes", result}}, fmt::format("{} written", o.output.string()));
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, Context& context) {
  auto o = std::make_shared<PredictOptions>();
  CLI::App* command = add_command(app, context, "predict", "predictions of a task for arrays",
                                  [o, &context] { return predict(*o, context); });
  command->add_option("model", o->model, "model file")->required();
  command->add_option("--input", o->input, "examples: .npy, .h5 (dataset 'default') or IDX")->required();
  command->add_option("--output", o->output, ".npy, or .h5 with one dataset per task")->required();
  command->add_option("--task", o->task, "whose predictions");
}

}  // namespace squall::cli
