// kind = train_iteratively of BeyondML's recordings: tasks one after another, event by event.
#include <cmath>

#include "conformance/beyondml_kinds.hpp"
#include "squall/training/train_iteratively.hpp"

namespace squall::conformance {

namespace {

template <class T>
std::vector<T> list_of(const json& j, T otherwise) {
  if (j.is_null()) return {otherwise};
  return j.is_array() ? j.get<std::vector<T>>() : std::vector<T>{j.get<T>()};
}

IterativeOptions options_of(const H5Reader& file) {
  const json a = json_attribute(file, "arguments");
  IterativeOptions o;
  o.compat = "beyondml";
  o.stepper = stepper_of(json_attribute(file, "optimizer"));
  o.starting_pruning = list_of<double>(a.value("starting_pruning", json()), 0);
  o.pruning_rate = list_of<double>(a.value("pruning_rate", json()), 10);
  o.max_epochs = list_of<Index>(a.value("max_epochs", json()), 100);
  o.delta = a.at("delta").get<double>();
  o.patience = a.value("patience", Index{5});
  return o;
}

void compare_series(const std::string& where, const json& got, const json& expected, Comparison& c) {
  if (got.size() != expected.size())
    return c.fail(concat(where, " has ", got.size(), " entries, expected ", expected.size()));
  for (std::size_t i = 0; i < got.size(); ++i)
    c.number(concat(where, "[", i, "]"), got[i].get<double>(), expected[i].get<double>());
}

void compare_event(const std::string& where, const json& got, const json& expected, Comparison& c) {
  for (const auto* key : {"event", "task", "percentile", "epochs_run", "max_epochs", "early_stopping"}) {
    if (!expected.contains(key)) continue;
    const json value = got.value(key, json());
    if (value.is_number() && expected[key].is_number())
      c.number(where + key, value.get<double>(), expected[key].get<double>());
    else
      c.text(where + key, value.dump(), expected[key].dump());
  }
  for (const auto* key : {"loss", "val_loss"})
    if (expected.contains(key)) compare_series(where + key, got.value(key, json::array()), expected[key], c);
}

// Iterators over the training part and the rest of one task's examples.
struct TaskData {
  std::unique_ptr<Minibatches> training, validation;
  TaskData(const RecordedNetwork& net, std::size_t task, double split, Index batch_size) {
    const std::string inputs = concat("/inputs/", task), targets = concat("/targets/", task);
    const Index all = net.data(inputs, targets)->examples();
    const auto first = static_cast<Index>(std::floor(static_cast<double>(all) * (1 - split)));
    MinibatchesOptions o;
    o.batch_size = batch_size;
    o.shuffle = false;
    training = std::make_unique<Minibatches>(net.data(inputs, targets, 0, first), o);
    validation = std::make_unique<Minibatches>(net.data(inputs, targets, first, all - first), o);
  }
};

}  // namespace

void replay_train_iteratively(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  RecordedNetwork net(file, handler);
  const json events = json_attribute(file, "events");
  const auto splits = list_of<double>(json_attribute(file, "arguments").at("validation_split"), 0.2);
  std::vector<TaskData> data;
  std::vector<IterativeTask> tasks;
  for (std::size_t t = 0; t < net.tasks().size(); ++t)
    data.emplace_back(net, t, splits.size() == 1 ? splits[0] : splits.at(t), file.attribute_int("/", "batch_size"));
  for (std::size_t t = 0; t < data.size(); ++t)
    tasks.push_back({net.tasks()[t], data[t].training.get(), data[t].validation.get()});
  IterativeOptions options = options_of(file);
  std::size_t next = 0;
  options.observer = [&](const json& event) {
    const std::string where = concat("event ", next, " ");
    if (next >= events.size()) return c.fail(where + "was not recorded");
    compare_event(where, event, events[next], c);
    net.compare_state("/after", static_cast<Index>(next), where, c);
    ++next;
  };
  train_model_iteratively(net.network(), tasks, options);
  c.number("events", static_cast<double>(next), static_cast<double>(events.size()));
  net.compare_state("/final", -1, "final/", c);
}

}  // namespace squall::conformance
