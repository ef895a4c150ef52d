// Tasks one after another: ladders with roll-back, capacity, and earlier tasks that stay as they are, bit for bit.
#include "squall/training/train_iteratively.hpp"

#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

struct Iterative {
  Net net;
  std::vector<std::unique_ptr<Minibatches>> data;
  std::vector<IterativeTask> tasks;
  explicit Iterative(const NetOptions& o, Index examples = 96) : net(o) {
    MinibatchesOptions m;
    m.batch_size = 16;
    m.shuffle = false;
    for (const auto& task : net.tasks) {
      data.push_back(std::make_unique<Minibatches>(make_data(o, examples), m));
      data.push_back(std::make_unique<Minibatches>(make_data(o, 32, 11), m));
      tasks.push_back({task, data[data.size() - 2].get(), data.back().get()});
    }
  }
};

IterativeOptions quick() {
  IterativeOptions o;
  o.stepper = {{"@type", "Adam"}, {"learning_rate", 0.01}};
  o.max_epochs = {4};
  o.patience = 2;
  o.delta = 0.2;
  o.pruning_rate = {10};
  return o;
}

}  // namespace

TEST_CASE("Five tasks one after another leave the earlier ones bit for bit alone", "[iteratively]") {
  for (const bool images : {false, true})
    for (const json& stepper : {json{{"@type", "Adam"}, {"learning_rate", 0.01}, {"weight_decay", 0.01}},
                                json{{"@type", "Momentum"}, {"learning_rate", 0.02}, {"momentum", 0.9}}}) {
      NetOptions o;
      o.names = task_names(5);
      o.images = images;
      o.heads = images;
      o.norm = !images;  // statistics of its own for each task
      Iterative it(o, 48);
      IterativeOptions options = quick();
      options.stepper = stepper;
      options.max_epochs = {2};
      std::map<std::string, HostArray> outputs;
      std::size_t current = 0;
      options.observer = [&](const json& event) {
        const auto t = event["task"].get<std::size_t>();
        for (; current < t; ++current) outputs[o.names[current]] = output_of(it.net, o.names[current]);
        for (const auto& [name, before] : outputs) REQUIRE(changed(output_of(it.net, name), before) == 0);
      };
      const IterativeReport report = train_model_iteratively(it.net.network, it.tasks, options);
      for (const auto& [name, before] : outputs) CHECK(changed(output_of(it.net, name), before) == 0);
      CHECK(outputs.size() == 4);
      CHECK(report.masks.overlap() == 0);
      CHECK(it.net.entry("hidden").form == ParameterForm::Packed);
      for (std::size_t t = 0; t < 5; ++t) CHECK(count(it.net.mask("hidden", static_cast<int>(t))) > 0);
    }
}

TEST_CASE("A rung that costs too much is rolled back", "[iteratively]") {
  NetOptions o;
  o.names = {"a"};
  Iterative it(o);
  IterativeOptions options = quick();
  options.pruning_rate = {15};
  options.delta = 0.05;
  std::vector<double> percentiles;
  options.observer = [&](const json& event) {
    if (event["event"] == "mask") percentiles.push_back(event["percentile"].get<double>());
  };
  const IterativeReport report = train_model_iteratively(it.net.network, it.tasks, options);
  const TaskReport& task = report.tasks.at(0);
  REQUIRE(!task.rungs.empty());
  for (std::size_t i = 0; i + 1 < task.rungs.size(); ++i) CHECK(task.rungs[i].accepted);
  CHECK_FALSE(task.rungs.back().accepted);  // 99 % of so few weights is too much
  CHECK(percentiles.size() == task.rungs.size());
  CHECK(task.percentile == (task.rungs.size() > 1 ? task.rungs[task.rungs.size() - 2].percentile : 0));
  const double density = task.rungs.size() > 1 ? 1 - task.percentile / 100 : 1;
  CHECK(task.density == Approx(density).margin(0.06));
  CHECK(task.sparse_loss <= task.dense_loss + options.delta + 1e-9);
  CHECK(task.epochs > 0);
  CHECK(report.to_json()["tasks"][0]["rungs"].size() == task.rungs.size());
  CHECK(report.text().find("a ") != std::string::npos);
}

TEST_CASE("Every task finds room whatever the first ones need", "[iteratively]") {
  NetOptions o;
  o.names = task_names(4);
  Iterative it(o, 48);
  IterativeOptions options = quick();
  options.delta = -10;  // no rung is ever good enough
  options.max_epochs = {1};
  const IterativeReport report = train_model_iteratively(it.net.network, it.tasks, options);
  CHECK(report.masks.overlap() == 0);
  for (const auto& task : report.tasks) {
    CHECK(task.percentile == Approx(75).margin(8));
    CHECK(task.rungs.size() == 1);
    CHECK(task.rungs[0].forced);
  }
  for (int t = 0; t < 4; ++t) CHECK(count(it.net.mask("hidden", t)) >= 108 / 4 - 12);
}

TEST_CASE("What tasks share is frozen after the first one", "[iteratively]") {
  Architecture a;
  a.input({{"x", {"T", "B", 9}}, {"y1", {"T", "B", 1}}, {"y2", {"T", "B", 1}}});
  a["Input.x"] >> a.add("trunk", "MaskedDense", {{"units", 8}, {"activation", "rel"}}) >> a.add("norm", "BatchNorm");
  for (const std::string t : {"1", "2"}) {
    a["norm"] >> a.add("head" + t, "MaskedDense", {{"units", 4}}) >> a.add("ce" + t, "SoftmaxCE");
    a["Input.y" + t] >> a["ce" + t + ".targets"];
    a["ce" + t + ".loss"] >> a.add("Loss" + t, "Loss");
  }
  Network network(a, catalog(), make_handler("cpu:f32"));
  network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.4}}}}, 7);
  const auto source = make_data({.names = {"x"}}, 48);
  auto both = std::make_shared<DataSource>();
  both->fields = {{"x", source->fields[0].second}, {"y1", source->fields[1].second}, {"y2", source->fields[1].second}};
  Minibatches training(both, {.batch_size = 16, .shuffle = false}), validation(both, {.batch_size = 48});
  std::vector<IterativeTask> tasks;
  for (const std::string t : {"1", "2"}) {
    Task task;
    task.name = t;
    task.input = "x";
    task.targets = "y" + t;
    task.loss = "Loss" + t;
    tasks.push_back({task, &training, &validation});
  }
  std::vector<std::string> paths{"trunk.parameters.W", "trunk.parameters.bias", "norm.state.mu", "head1.parameters.W"};
  std::vector<HostArray> after_first;
  IterativeOptions options = quick();
  options.observer = [&](const json& event) {
    if (event["task"] == 1 && after_first.empty())
      for (const auto& path : paths) after_first.push_back(network.get(path));
  };
  train_model_iteratively(network, tasks, options);
  REQUIRE(after_first.size() == paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) CHECK(network.get(paths[i]) == after_first[i]);
}

TEST_CASE("Tasks without data and options that make no sense are refused before anything happens", "[iteratively]") {
  const NetOptions o;
  Iterative it(o);
  const auto error = [&](const std::function<void(std::vector<IterativeTask>&, IterativeOptions&)>& change) {
    auto tasks = it.tasks;
    IterativeOptions options = quick();
    change(tasks, options);
    try {
      train_model_iteratively(it.net.network, tasks, options);
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  CHECK(error([](auto& t, auto&) { t[1].training = nullptr; }) ==
        "train_model_iteratively: task 'b' has no training data; give each task both");
  CHECK(error([](auto& t, auto&) { t[0].validation = nullptr; }).find("'a' has no validation data") !=
        std::string::npos);
  CHECK(error([](auto& t, auto&) { t.clear(); }).find("there are no tasks") != std::string::npos);
  CHECK(error([](auto&, auto& x) {
          x.pruning_rate = {1, 2, 3};
        }).find("one for each of 2 tasks, not 3") != std::string::npos);
  CHECK(error([](auto&, auto& x) { x.starting_pruning = {120}; }).find("0 to 100") != std::string::npos);
  CHECK(error([](auto&, auto& x) { x.pruning_rate = {0}; }).find("above 0") != std::string::npos);
  CHECK(error([](auto&, auto& x) { x.compat = "x"; }).find("\"beyondml\"") != std::string::npos);
  CHECK_FALSE(it.net.network.store().any_packed_or_masked());
}
