// Hooks that change masks while training goes on, and train_model.
#include "masks/mask_nets.hpp"
#include "squall/hooks/hooks.hpp"
#include "squall/hooks/train_model.hpp"
#include "squall/training/trainer.hpp"
#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace squall;
using namespace squall::test;

namespace {

struct Run {
  NetOptions options;
  Network network;
  Minibatches data, validation;
  explicit Run(const NetOptions& o = {})
      : options(o),
        network(make_architecture(o), training_test::catalog(), squall::test::make_under_test("cpu:f32")),
        data(batches(o, 128, 16)),
        validation(make_data(o, 64, 5), {.batch_size = 64, .shuffle = false}) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.4}}}}, 7);
  }
  std::vector<Task> scored() const {
    auto tasks = tasks_of(options.names);
    for (auto& t : tasks)
      t.scorers.push_back(
          training_test::catalog().of<Scorer>().make({{"@type", "Accuracy"}}, "scorer", training_test::catalog()));
    return tasks;
  }
  std::unique_ptr<Trainer> trainer(const std::vector<json>& hooks) {
    const json rule = {{"@type", "Adam"}, {"learning_rate", 0.01}};
    auto made = std::make_unique<Trainer>(network,
                                          std::make_unique<Stepper>(training_test::catalog().of<UpdateRule>().make(
                                              rule, "stepper", training_test::catalog())),
                                          scored());
    for (const auto& hook : hooks)
      made->add_hook(training_test::catalog().of<Hook>().make(hook, "hook", training_test::catalog()));
    return made;
  }
  double density(const std::string& layer, int slice) {
    const ParameterEntry& e = *network.store().find(layer, "W");
    const auto keep = network.store().mask(e);
    if (!keep) return 1;
    const auto size = static_cast<std::size_t>(e.slice_shape().elements());
    const auto part = keep->span<std::uint8_t>().subspan(static_cast<std::size_t>(slice) * size, size);
    return static_cast<double>(std::count(part.begin(), part.end(), 1)) / static_cast<double>(size);
  }
};

struct SaverOptions : HookOptions {
  static constexpr auto fields = hook_fields<SaverOptions>();
};
// Takes what a checkpoint would hold after three epochs, while training goes on.
struct Saver final : HookOf<Saver, SaverOptions> {
  static constexpr std::string_view kType = "Saver";
  std::function<void(Trainer&)> save;
  HookStage stage() const override { return HookStage::Save; }
  Verdict run(Trainer& trainer, const Progress& p) override {
    if (p.epoch != 3) return Verdict::Continue;
    save(trainer);
    return Verdict::Stop;
  }
};

json gradual(json schedule, bool reversible = true) {
  return {{"@type", "GradualSparsification"},
          {"schedule", std::move(schedule)},
          {"reversible", reversible},
          {"quota", "tensor"}};
}

}  // namespace

TEST_CASE("Sparsity follows its schedules to one element", "[sparsify]") {
  const auto value = [](const json& j, Index count) {
    return training_test::catalog().of<Schedule>().make(j, "s", training_test::catalog())->value(count, 1);
  };
  const json cubic = {
      {"@type", "GradualSparsity"}, {"initial_value", 10}, {"final_value", 90}, {"begin", 2}, {"end", 10}};
  CHECK(value(cubic, 1) == 0);
  CHECK(value(cubic, 2) == 10);
  CHECK(value(cubic, 6) == Approx(90 - 80 * 0.125));
  CHECK(value(cubic, 10) == 90);
  CHECK(value(cubic, 50) == 90);
  json linear = cubic;
  linear["power"] = 1;
  CHECK(value(linear, 6) == Approx(50));
  CHECK(value({{"@type", "OneShotSparsity"}, {"final_value", 80}, {"at", 3}}, 2) == 0);
  CHECK(value({{"@type", "OneShotSparsity"}, {"final_value", 80}, {"at", 3}}, 3) == 80);
  const json rounds = {{"@type", "IterativeSparsity"}, {"final_value", 75}, {"rounds", 2}, {"begin", 1}, {"every", 4}};
  CHECK(value(rounds, 0) == 0);
  CHECK(value(rounds, 4) == Approx(50));  // half of the weights, twice
  CHECK(value(rounds, 5) == 75);
  CHECK_THROWS_AS(value({{"@type", "GradualSparsity"}, {"begin", 5}, {"end", 5}}, 0), ConfigError);
}

TEST_CASE("Gradual pruning keeps exactly the share its schedule says and stays exclusive", "[sparsify]") {
  Run run;
  const json schedule = {{"@type", "GradualSparsity"}, {"final_value", 80}, {"begin", 1}, {"end", 4}};
  auto trainer = run.trainer({gradual(schedule)});
  for (Index epoch = 0; epoch < 5; ++epoch) {
    trainer->train(run.data, {}, 1);
    const double sparsity = trainer->logs().find("GradualSparsification.sparsity")->back();
    const double fair = std::max(sparsity, 50.0);  // two tasks: never more than half
    for (int t = 0; t < 2 && sparsity > 0; ++t)
      CHECK(run.density("hidden", t) * 108 == Approx(static_cast<double>(kept_of(108, fair))));
    const auto keep = run.network.store().mask(*run.network.store().find("hidden", "W"));
    for (Index i = 0; i < 108 && keep; ++i) CHECK(keep->value(i) + keep->value(108 + i) <= 1);
  }
  CHECK(trainer->logs().find("GradualSparsification.sparsity")->back() == 80);
}

TEST_CASE("Reversible masks let weights come back and others do not", "[sparsify]") {
  const auto returned = [](bool reversible) {
    Run run;
    const json schedule = {
        {"@type", "GradualSparsity"}, {"initial_value", 60}, {"final_value", 90}, {"end", 6}, {"power", 1}};
    json hook = gradual(schedule, reversible);
    hook["score"] = "random";
    auto trainer = run.trainer({hook});
    std::vector<double> before;
    Index back = 0;
    for (Index epoch = 0; epoch < 5; ++epoch) {
      trainer->train(run.data, {}, 1);
      const auto keep = run.network.store().mask(*run.network.store().find("hidden", "W"))->doubles();
      for (std::size_t i = 0; i < before.size(); ++i) back += keep[i] > before[i] ? 1 : 0;
      before = keep;
    }
    return back;
  };
  CHECK(returned(false) == 0);
  CHECK(returned(true) > 0);
}

TEST_CASE("Active sparsification ends as sparse as the measurement allows", "[sparsify]") {
  Run run;
  auto trainer = run.trainer({{{"@type", "MonitorScores"}},
                              {{"@type", "ActiveSparsification"},
                               {"performance_cutoff", 0.5},
                               {"sparsification_rate", 20},
                               {"sparsification_patience", 3},
                               {"stopping_patience", 3},
                               {"quota", "tensor"}}});
  const Ended ended = trainer->train(run.data, {{"validation", &run.validation}}, 60);
  CHECK(ended == Ended::StoppedByHook);
  const auto* sparsity = trainer->logs().find("ActiveSparsification.sparsity");
  REQUIRE(sparsity != nullptr);
  CHECK(sparsity->back() >= 20);
  CHECK(sparsity->back() <= *std::ranges::max_element(*sparsity));
  const double wanted = std::max(sparsity->back(), 50.0);
  for (int t = 0; t < 2; ++t) CHECK(run.density("hidden", t) <= 1 - wanted / 100 + 0.02);
  // What was put back reaches the cutoff again.
  const auto scores = evaluate(run.network, run.validation, run.scored());
  CHECK(std::min(scores[0].get("accuracy"), scores[1].get("accuracy")) >= 0.5);
}

TEST_CASE("The worst task decides and logs that are not there are told", "[sparsify]") {
  Run run;
  auto trainer = run.trainer({{{"@type", "MonitorScores"}},
                              {{"@type", "ActiveSparsification"},
                               {"performance_cutoff", 0.9},
                               {"performance_measure", {"validation.a.accuracy", "validation.b.acuracy"}}}});
  CHECK_THROWS_WITH(trainer->train(run.data, {{"validation", &run.validation}}, 3),
                    Catch::Contains("nothing logs 'validation.b.acuracy'") && Catch::Contains("validation.b.accuracy"));
  const auto make = [](const json& hook) {
    return training_test::catalog().of<Hook>().make(hook, "hook", training_test::catalog());
  };
  CHECK_THROWS_WITH(make({{"@type", "ActiveSparsification"}, {"max_sparsification", 120}}),
                    Catch::Contains("percentages, 0 to 100"));
  CHECK_THROWS_WITH(make({{"@type", "ActiveSparsification"}, {"score", "best"}}), Catch::Contains("best"));
  CHECK_THROWS_WITH(make({{"@type", "ActiveSparsification"}, {"compat", "other"}}), Catch::Contains("beyondml"));
}

TEST_CASE("Hooks that change masks go on after a checkpoint as if nothing had happened", "[sparsify]") {
  const json active = {{"@type", "ActiveSparsification"},
                       {"performance_cutoff", 0.45},
                       {"sparsification_rate", 15},
                       {"starting_sparsification", 30},
                       {"sparsification_patience", 2}};
  const json schedule = {{"@type", "GradualSparsity"}, {"final_value", 80}, {"begin", 1}, {"end", 5}};
  for (const json& hook : {active, gradual(schedule)}) {
    Run whole, half, rest;
    auto through = whole.trainer({hook});
    through->train(whole.data, {}, 6);
    auto first = half.trainer({hook});
    json state;
    std::vector<std::pair<std::string, HostArray>> arrays;
    std::vector<HostArray> optimiser;
    Index steps = 0;
    auto saver = std::make_unique<Saver>();
    std::vector<HostArray> values, masks;
    saver->save = [&](Trainer& t) {
      state = t.save_state();
      arrays = t.save_arrays();
      optimiser = t.stepper().save_state();
      steps = t.stepper().steps();
      for (const auto& e : half.network.store().entries()) {
        values.push_back(half.network.store().get(e));
        const auto keep = half.network.store().mask(e);
        masks.push_back(keep ? *keep : HostArray());
      }
    };
    first->add_hook(std::move(saver));
    first->train(half.data, {}, 6);
    std::size_t i = 0;
    for (const auto& entry : rest.network.store().entries()) {
      ParameterEntry& e = *rest.network.store().find(rest.network.graph().node(entry.node).name, entry.info->name);
      if (!masks[i].empty()) rest.network.store().set_mask(e, masks[i]);
      rest.network.store().set(e, values[i++]);
    }
    auto second = rest.trainer({hook});
    second->stepper().load_state(optimiser, steps);
    second->load_arrays(arrays);
    second->load_state(state);
    second->train(rest.data, {}, 3);
    CHECK(second->logs().to_json() == through->logs().to_json());
    for (const auto& e : whole.network.store().entries()) {
      const auto& other =
          rest.network.store().entries()[static_cast<std::size_t>(&e - whole.network.store().entries().data())];
      CHECK(whole.network.store().get(e) == rest.network.store().get(other));
    }
  }
}

TEST_CASE("train_model prunes as far as the cutoff allows and says what came of it", "[sparsify]") {
  Run run;
  TrainModelOptions options;
  options.cutoff = 0.4;
  options.max_epochs = 60;
  options.sparsification_rate = 20;
  options.sparsification_patience = 10;
  options.stopping_patience = 3;
  options.stepper = {{"@type", "Adam"}, {"learning_rate", 0.01}};
  const TrainedModel trained = train_model(run.network, run.scored(), run.data, &run.validation, options);
  CHECK(trained.sparsity >= 20);
  CHECK(trained.epochs <= 60);
  CHECK(trained.masks.overlap() == 0);
  CHECK(trained.masks.density("a") < 0.81);
  CHECK(trained.logs.find("validation.a.accuracy") != nullptr);
  const auto scores = evaluate(run.network, run.validation, run.scored());
  CHECK(scores[0].get("accuracy") >= 0.4);
  TrainModelOptions without = options;
  without.max_epochs = 3;
  Run bare;
  const TrainedModel plain = train_model(bare.network, bare.scored(), bare.data, nullptr, without);
  CHECK(plain.epochs == 3);
  CHECK(plain.logs.find("rolling_training.a.accuracy") != nullptr);
}
