#include <cmath>
#include <limits>

#include "training_support.hpp"

using namespace training_test;

TEST_CASE("Logs are found without regard to case in the last part") {
  Logs logs;
  logs.add("validation.total_loss", 1);
  logs.add("validation.digits.mean_squared_error", 2);
  logs.add("validation.digits.mean_squared_error", 3);
  REQUIRE(logs.find("validation.Total_Loss") != nullptr);
  REQUIRE(logs.find("validation.digits.MeanSquaredError") != nullptr);
  CHECK(logs.find("validation.digits.MeanSquaredError")->back() == 3);
  CHECK(logs.find("Validation.total_loss") == nullptr);
  CHECK(logs.find("validation") == nullptr);
}

TEST_CASE("Logs survive JSON to the last bit, also what JSON has no numbers for") {
  Logs logs;
  logs.add("a.b", 0.1 + 0.2);
  logs.add("a.b", -std::numeric_limits<double>::infinity());
  logs.add("a.b", std::nan(""));
  logs.add("a.b", 5e-324);
  logs.add("a", 1.0 / 3);
  logs.add("a.b.c", 2);
  const Logs back = Logs::from_json(json::parse(logs.to_json().dump()));
  REQUIRE(back.all().size() == 3);
  const auto& ab = *back.find("a.b");
  CHECK(ab[0] == 0.1 + 0.2);
  CHECK(ab[1] == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(ab[2]));
  CHECK(ab[3] == 5e-324);
  CHECK(back.find("a")->front() == 1.0 / 3);
  CHECK(back.find("a.b.c")->front() == 2);
}

namespace {

// Two ways through a shared layer, and a decay of what it puts out.
Architecture two_tasks(bool decay) {
  Architecture a;
  a.input({{"digits", {"T_d", "B_d", 4}},
           {"digits_targets", {"T_d", "B_d", 1}},
           {"fashion", {"T_f", "B_f", 4}},
           {"fashion_targets", {"T_f", "B_f", 1}}});
  for (const std::string task : {"digits", "fashion"}) {
    a["Input." + task] >> a.add("Hid_" + task, "FullyConnected", {{"size", 5}, {"activation", "tanh"}}) >>
        a.add("Out_" + task, "FullyConnected", {{"size", 3}, {"activation", "linear"}}) >>
        a.add("CE_" + task, "SoftmaxCE");
    a["Input." + task + "_targets"] >> a["CE_" + task + ".targets"];
    a["CE_" + task + ".loss"] >> a.add("Loss_" + task, "Loss");
  }
  if (decay)
    a["Hid_digits"] >> a.add("Decay", "L2Decay") - std::string("loss") >> a.add("Side", "Loss", {{"importance", 0.1}});
  return a;
}
Task task_of(const std::string& name, bool scored = true) {
  Task t;
  t.name = t.input = name;
  t.targets = name + "_targets";
  if (scored) t.scorers.push_back(make<Scorer>({{"@type", "Accuracy"}}));
  return t;
}

}  // namespace

TEST_CASE("A task finds its loss and what is scored") {
  const Graph graph(two_tasks(true), catalog());
  Task digits = task_of("digits"), fashion = task_of("fashion");
  complete_task(digits, graph);
  complete_task(fashion, graph);
  CHECK(digits.loss == "Loss_digits");
  CHECK(digits.output == "CE_digits.predictions");
  CHECK(fashion.loss == "Loss_fashion");
  const std::vector<Task> both{digits, fashion}, one{fashion};
  CHECK(side_losses(both, graph) == std::vector<std::string>{"Side"});
  CHECK(side_losses(one, graph).empty());
  CHECK(task_heads(one, graph) == std::vector<std::string>{"Loss_fashion", "CE_fashion.predictions"});
  CHECK(needed_inputs(task_heads(one, graph), graph) == std::vector<std::string>{"fashion", "fashion_targets"});
  CHECK(task_heads({}, graph).empty());
}

TEST_CASE("A task that does not fit the network is refused with what there is") {
  const Graph graph(two_tasks(false), catalog());
  const auto refuse = [&](Task t) { return complaint([&] { complete_task(t, graph); }); };
  Task t = task_of("digits");
  t.input = "digit";
  CHECK(mentions(refuse(t), "did you mean 'digits'"));
  t = task_of("digits");
  t.loss = "Lost_digits";
  CHECK(mentions(refuse(t), "Loss_digits, Loss_fashion"));
  t = task_of("digits");
  t.output = "CE_digits.prediction";
  CHECK(mentions(refuse(t), "CE_digits has no output 'prediction'; did you mean 'predictions'"));
  t.output = "CE_digits";
  CHECK(mentions(refuse(t), "LAYER.OUTPUT"));
  t = task_of("digits");
  t.targets = "fashion_targets";
  CHECK(mentions(refuse(t), "no Loss layer depends on"));
  Architecture several = classifier(4, 5, 3);
  several["Criterion.loss"] >> several.add("Second", "Loss");
  Task plain;
  CHECK(mentions(complaint([&] { complete_task(plain, Graph(several, catalog())); }), "Loss, Second"));
}

TEST_CASE("Tasks of a joint step are logged each, and trained by data of their own sizes") {
  Net net(two_tasks(true));
  std::vector<std::unique_ptr<DataIterator>> parts;
  for (const std::string name : {"digits", "fashion"}) {
    auto data = blobs(name == "digits" ? 20 : 9, 4, 3, 5);
    data->fields[0].first = name;
    data->fields[1].first = name + "_targets";
    parts.push_back(std::make_unique<Minibatches>(data, MinibatchesOptions{.batch_size = name == "digits" ? 5 : 4}));
  }
  Zipped data(std::move(parts), Mix::Cycle);
  Trainer trainer(net.network, stepper({{"@type", "Momentum"}, {"momentum", 0.5}}),
                  {task_of("digits"), task_of("fashion")});
  CHECK(trainer.train(data, {}, 30) == Ended::Finished);
  const auto last = [&](const std::string& path) {
    const auto* log = trainer.logs().find("rolling_training." + path);
    REQUIRE(log != nullptr);
    REQUIRE(log->size() == 30);
    return log->back();
  };
  CHECK(last("total_loss") == Approx(last("digits.loss") + last("fashion.loss") + last("Side")));
  CHECK(last("digits.accuracy") > 0.9);
  CHECK(last("fashion.Accuracy") > 0.9);
  CHECK(trainer.logs().find("rolling_training.loss") == nullptr);
}
