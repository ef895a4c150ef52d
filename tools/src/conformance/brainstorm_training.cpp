#include <cmath>

#include "conformance/kinds.hpp"
#include "squall/training/hook.hpp"
#include "squall/training/iterators.hpp"
#include "squall/training/trainer.hpp"

namespace squall::conformance {

namespace {

std::unique_ptr<DataIterator> iterator(const H5Reader& file, const std::string& split, Index batch_size) {
  auto source = std::make_shared<DataSource>();
  source->sequences = true;
  for (const auto& name : file.children("/data/" + split))
    source->fields.emplace_back(name, file.read("/data/" + split + "/" + name));
  MinibatchesOptions options;
  options.batch_size = batch_size;
  options.shuffle = false;
  options.cut_to = "";
  return std::make_unique<Minibatches>(source, options);
}

json attribute(const H5Reader& file, const char* name) {
  return file.has_attribute("/", name) ? parse_json(file.attribute_text("/", name), name) : json();
}

void compare_series(const std::string& where, const std::vector<double>* got, const json& expected, Comparison& c) {
  const std::vector<double> values = got != nullptr ? *got : std::vector<double>{};
  c.tensor(where, HostArray::of(Shape{static_cast<Index>(values.size())}, values),
           HostArray::of(Shape{static_cast<Index>(expected.size())}, expected.get<std::vector<double>>()));
}

std::unique_ptr<Trainer> make_trainer(const H5Reader& file, Network& network, const Catalog& catalog) {
  Task task;
  for (const auto& scorer : {"Accuracy"})
    task.scorers.push_back(catalog.of<Scorer>().make({{"@type", scorer}}, "scorer", catalog));
  complete_task(task, network.graph());
  network.pin(task.output);
  auto rule = catalog.of<UpdateRule>().make(attribute(file, "stepper"), "stepper", catalog);
  auto trainer =
      std::make_unique<Trainer>(network, std::make_unique<Stepper>(std::move(rule)), std::vector<Task>{task});
  trainer->add_hook(
      catalog.of<Hook>().make({{"@type", "MonitorScores"}, {"iter_name", "validation"}}, "monitor", catalog));
  if (const json schedule = attribute(file, "schedule"); !schedule.is_null())
    trainer->add_hook(catalog.of<Hook>().make(
        {{"@type", "ModifyStepperAttribute"}, {"schedule", schedule}, {"attr_name", "learning_rate"}}, "schedule",
        catalog));
  return trainer;
}

}  // namespace

void replay_training(const H5Reader& file, const Catalog& catalog, const std::shared_ptr<Handler>& handler,
                     Comparison& c) {
  auto network = recorded_network(file, catalog, handler);
  for (const auto& layer : file.children("/parameters_before"))
    for (const auto& name : file.children("/parameters_before/" + layer))
      network->set_parameter(layer + "." + name, file.read("/parameters_before/" + layer + "/" + name));
  const auto modifiers = [&](const char* name) {
    const json j = attribute(file, name);
    return j.is_object() && j.empty() ? json() : j;
  };
  network->set_weight_modifiers(modifiers("weight_modifiers"));
  network->set_gradient_modifiers(modifiers("gradient_modifiers"));
  const Index batch_size = file.attribute_int("/", "batch_size");
  auto training = iterator(file, "training", batch_size);
  auto validation = iterator(file, "validation", batch_size);
  auto trainer = make_trainer(file, *network, catalog);
  trainer->train(*training, {{"validation", validation.get()}}, file.attribute_int("/", "epochs"));
  for (const auto& layer : file.children("/parameters_after"))
    for (const auto& name : file.children("/parameters_after/" + layer))
      c.tensor(layer + "." + name, value_of(*network, layer, name),
               file.read("/parameters_after/" + layer + "/" + name));
  const json logs = attribute(file, "logs");
  for (const auto& [group, series] : logs.items())
    for (const auto& [name, values] : series.items())
      compare_series(group + "." + name, trainer->logs().find(group + "." + name), values, c);
}

}  // namespace squall::conformance
