#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cli/context.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/idx.hpp"
#include "squall/io/npy.hpp"
#include "squall/tools/predict.hpp"
#include "squall/tools/saved_model.hpp"

namespace squall::cli {

namespace {

struct PredictOptions {
  std::filesystem::path model, input, output, tasks;
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

// As the examples are: with time in front or without.
HostArray predict_task(SavedModel& model, const Task& task, const Examples& given, const Catalog& catalog) {
  const Examples input = fitting(given, model.network().graph(), task);
  const HostArray ready = prepared(model, task.name, input, catalog);
  if (input.has_time) return squall::predict(model.network(), task, ready);
  const HostArray y = squall::predict(model.network(), task, ready.reshaped(ready.shape().with_front(1)));
  return y.reshaped(y.shape().from(1));
}

Index number_of(const std::string& name, const std::vector<std::string>& names, std::string_view where) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    raise<DataError>(where, ": the model has no task '", name, "'", did_you_mean(name, names),
                     "; it has: ", join(names));
  return found - names.begin();
}

std::vector<Index> numbers(const HostArray& array) {
  std::vector<Index> out;
  for (Index i = 0; i < array.elements(); ++i) out.push_back(static_cast<Index>(array.value(i)));
  return out;
}

// Which task each row belongs to: numbers (.npy, .h5 dataset 'tasks') or names (.h5, a line each in other files).
std::vector<Index> read_tasks_of_rows(const std::filesystem::path& path, const std::vector<std::string>& names) {
  std::vector<std::string> of_rows;
  if (ends_with(path, ".npy")) {
    const HostArray array = read_npy(path);
    if (is_real(array.dtype()))
      raise<DataError>(path.string(), ": should hold whole numbers, a task for each row, not ", name_of(array.dtype()));
    return numbers(array);
  }
  if (is_hdf5(path)) {
    const H5Reader file = H5Reader::checked(path);
    if (!file.info("/tasks").is_text) return numbers(file.read("/tasks", DType::I32));
    of_rows = file.texts("/tasks");
  } else {
    std::istringstream lines(std::string(text_of(read_whole_file(path))));
    for (std::string line; std::getline(lines, line);)
      of_rows.push_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
  }
  std::vector<Index> out;
  for (std::size_t r = 0; r < of_rows.size(); ++r)
    out.push_back(number_of(of_rows[r], names, concat(path.string(), " row ", r)));
  return out;
}

// Rows of several tasks in one file: each is predicted by its own task, all of a task together.
MixedPredictions predict_rows(SavedModel& model, const std::vector<Task>& tasks, const Examples& input,
                              std::span<const Index> task_of_row, const Catalog& catalog) {
  const int axis = input.has_time ? 1 : 0;
  if (static_cast<Index>(task_of_row.size()) != input.array.shape()[axis])
    raise<DataError>("--tasks: names a task for ", task_of_row.size(), " rows, but --input has ",
                     input.array.shape()[axis]);
  MixedPredictions out;
  out.rows = rows_of_tasks(task_of_row, tasks.size());
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    out.outputs.emplace_back();
    if (out.rows[t].empty()) continue;
    const Examples part{take_entries(input.array, axis, out.rows[t]), input.has_time};
    const HostArray y = predict_task(model, tasks[t], part, catalog);
    out.outputs.back() = input.has_time ? y : y.reshaped(y.shape().with_front(1));
  }
  return out;
}

json write_rows(const PredictOptions& o, const std::vector<Task>& tasks, const MixedPredictions& p, bool has_time) {
  json shapes = json::object();
  if (!is_hdf5(o.output)) {
    const HostArray all = p.together();
    write_npy(o.output, has_time ? all : all.reshaped(all.shape().from(1)));
    return {{"rows", all.shape().from(1).text()}};
  }
  H5Writer file;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (p.rows[t].empty()) continue;
    HostArray rows(DType::I32, Shape{static_cast<Index>(p.rows[t].size())});
    for (std::size_t i = 0; i < p.rows[t].size(); ++i)
      rows.set_value(static_cast<Index>(i), static_cast<double>(p.rows[t][i]));
    const HostArray& y = p.outputs[t];
    const HostArray shown = has_time ? y : y.reshaped(y.shape().from(1));
    file.write(h5_path({tasks[t].name}), shown);
    file.write(h5_path({tasks[t].name + "_rows"}), rows);
    shapes[tasks[t].name] = shown.shape().text();
  }
  write_file_atomically(o.output, file.finish());
  return shapes;
}

json write_tasks(const PredictOptions& o, SavedModel& model, const std::vector<Task>& tasks, const Examples& input,
                 const Catalog& catalog) {
  const bool hdf5 = is_hdf5(o.output);
  H5Writer file;
  json shapes = json::object();
  for (const auto& task : tasks) {
    const HostArray y = predict_task(model, task, input, catalog);
    shapes[task.name] = y.shape().text();
    if (hdf5)
      file.write(h5_path({task.name}), y);
    else
      write_npy(o.output, y);
  }
  if (hdf5) write_file_atomically(o.output, file.finish());
  return shapes;
}

int predict(const PredictOptions& o, const Context& c) {
  const bool hdf5 = is_hdf5(o.output), mixed = !o.tasks.empty();
  if (!hdf5 && !ends_with(o.output, ".npy"))
    raise<ConfigError>("--output ", o.output.string(), ": should end in .npy, or in .h5 for one dataset per task");
  SavedModel model(o.model, c.catalog, c.make_handler());
  const auto tasks = model.tasks(o.task);
  if (tasks.empty()) raise<ConfigError>(o.model.string(), ": the model names no task to predict");
  if (tasks.size() > 1 && !hdf5 && !mixed)
    raise<ConfigError>("the model has several tasks (", join(model.task_names()),
                       "); give --task, or --tasks with the task of each row, or an --output that ends in .h5");
  const Examples input = read_input(o.input);
  if (input.array.shape().rank() == 0 || input.array.elements() == 0)
    raise<DataError>(o.input.string(), ": holds no examples");
  json shapes;
  if (mixed) {
    const auto task_of_row = read_tasks_of_rows(o.tasks, model.task_names());
    const Examples fitted = fitting(input, model.network().graph(), tasks.front());
    const auto predictions = predict_rows(model, tasks, fitted, task_of_row, c.catalog);
    shapes = write_rows(o, tasks, predictions, fitted.has_time);
  } else {
    shapes = write_tasks(o, model, tasks, input, c.catalog);
  }
  c.print({{"output", o.output.string()}, {"shapes", shapes}}, fmt::format("{} written", o.output.string()));
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
  CLI::Option* one = command->add_option("--task", o->task, "whose predictions");
  command
      ->add_option("--tasks", o->tasks,
                   "rows of several tasks: the task of each row, a name per line or an array of numbers (.npy; .h5: "
                   "dataset 'tasks')")
      ->excludes(one);
}

}  // namespace squall::cli
