#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cli/context.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"
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

bool is_hdf5(const std::filesystem::path& path) { return ends_with(path, ".h5") || ends_with(path, ".hdf5"); }

// An array as it was given, and whether its file says that time comes first.
struct Examples {
  HostArray array;
  bool has_time = false;
};

Examples read_input(const std::filesystem::path& path) {
  if (ends_with(path, ".npy")) return {read_npy(path)};
  if (!is_hdf5(path)) return {read_idx(path)};
  const H5Reader file = H5Reader::checked(path);
  for (const char* name : {"/default", "/input"})
    if (file.exists(name)) return {file.read(name)};
  const char* test = "/normalized_split/test/default";
  if (file.exists(test)) return {file.read(test), true};
  raise<DataError>(path.string(),
                   ": should hold a dataset 'default' or 'input', or a split 'test' in brainstorm's layout");
}

bool remembers(const Graph& graph) {
  const auto carried = [](const auto& buffer) { return buffer.context > 0; };
  return std::ranges::any_of(graph.nodes(), [&](const Node& n) {
    return std::ranges::any_of(n.outputs, carried) || std::ranges::any_of(n.internals, carried);
  });
}

// Whether the array is (T, N, ...) for this input of the network. Images may also come as rows of pixels:
// (N, 28, 28) for (784).
bool is_sequences(const Shape& shape, const BufferShape& input) {
  const int rank = input.features.rank();
  if (!input.scales_with_time() || shape.rank() != rank + 2) return false;
  return shape.from(2) == input.features || shape.from(1).elements() != input.features.elements();
}

// With or without time in front, as the network needs it.
Examples fitting(const Examples& given, const Graph& graph, const Task& task) {
  const Node& node = graph.node(0);
  const int slot = node.find_output(task.input);
  const BufferShape& input = node.outputs.at(static_cast<std::size_t>(slot)).shape;
  const Shape& shape = given.array.shape();
  const bool memory = remembers(graph);
  if (given.has_time && shape.rank() > 1 && shape[0] == 1 && !memory) return {given.array.reshaped(shape.from(1))};
  if (given.has_time || is_sequences(shape, input)) return {given.array, true};
  if (memory)
    raise<DataError>("--input: the network has recurrent layers, '", task.input, "' is ", input.text(),
                     " with time in front; the array is ", shape, "; give (T, N, ...), T = 1 for single steps");
  return {given.array};
}

// What the training data went through before it reached the network.
HostArray prepared(const SavedModel& model, const std::string& task, const Examples& input, const Catalog& catalog) {
  const json e = model.description().value("experiment", json::object());
  for (const auto& [name, options] : model.task_list()) {
    if (name != task || !e.contains("data") || !e["data"].contains(options.data)) continue;
    const auto reader = catalog.of<Reader>().make(e["data"][options.data], "data." + options.data, catalog);
    CommonOptions common = reader->common();
    common.classes.clear();
    common.examples.reset();
    common.validation = 0;
    const Shape& shape = input.array.shape();
    DataSet set;
    set.has_time = input.has_time;
    set.splits["test"]["default"] = input.array;
    set.splits["test"]["targets"] =
        HostArray(DType::I32, input.has_time ? Shape{shape[0], shape[1], 1} : Shape{shape[0], 1});
    return prepare(std::move(set), common, "--input").splits["test"]["default"];
  }
  return input.array;
}

// Of (T, N, ...): (T, N, ...).
HostArray predict_task(SavedModel& model, const Task& task, const HostArray& examples) {
  Network& net = model.network();
  const auto dot = task.output.find('.');
  const int n = net.graph().find(task.output.substr(0, dot));
  const int slot = net.graph().node(n).find_output(task.output.substr(dot + 1));
  const PassId pass = net.pass(Mode::Eval, {task.output});
  const Index total = examples.shape()[1];
  constexpr Index kBatch = 256;
  HostArray out;
  Batch batch;
  for (Index done = 0; done < total;) {
    const Index count = std::min(kBatch, total - done);
    std::vector<Index> chosen(static_cast<std::size_t>(count));
    std::iota(chosen.begin(), chosen.end(), done);
    batch.fields = {{task.input, take_entries(examples, 1, chosen)}};
    net.provide(batch);
    net.forward(pass);
    const ConstTensor y = net.output(n, slot);
    const Index steps = y.shape()[0];
    if (out.empty()) out = HostArray(y.dtype(), y.shape().from(2).with_front(total).with_front(steps));
    for (Index t = 0; t < steps; ++t) net.handler().memory().download(y.at(t), out.view().at(t).slice(done, count));
    done += count;
  }
  return out;
}

HostArray predict_task(SavedModel& model, const Task& task, const Examples& given, const Catalog& catalog) {
  const Examples input = fitting(given, model.network().graph(), task);
  const HostArray ready = prepared(model, task.name, input, catalog);
  if (input.has_time) return predict_task(model, task, ready);
  const HostArray y = predict_task(model, task, ready.reshaped(ready.shape().with_front(1)));
  return y.reshaped(y.shape().from(1));
}

int predict(const PredictOptions& o, const Context& c) {
  const bool hdf5 = is_hdf5(o.output);
  if (!hdf5 && !ends_with(o.output, ".npy"))
    raise<ConfigError>("--output ", o.output.string(), ": should end in .npy, or in .h5 for one dataset per task");
  SavedModel model(o.model, c.catalog, c.make_handler());
  const auto tasks = model.tasks(o.task);
  if (tasks.empty()) raise<ConfigError>(o.model.string(), ": the model names no task to predict");
  if (tasks.size() > 1 && !hdf5)
    raise<ConfigError>("the model has several tasks (", join(model.task_names()),
                       "); give --task, or an --output that ends in .h5");
  const Examples input = read_input(o.input);
  if (input.array.shape().rank() == 0 || input.array.elements() == 0)
    raise<DataError>(o.input.string(), ": holds no examples");
  H5Writer file;
  json result = json::object();
  for (const auto& task : tasks) {
    const HostArray y = predict_task(model, task, input, c.catalog);
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
  command
      ->add_option("--input", o->input,
                   "examples (N, ...), or (T, N, ...) with time: .npy, .h5 (dataset 'default') or IDX")
      ->required();
  command->add_option("--output", o->output, ".npy, or .h5 with one dataset per task")->required();
  command->add_option("--task", o->task, "whose predictions");
}

}  // namespace squall::cli
