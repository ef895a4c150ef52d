// Hooks of learned masks: their temperature, and logs of what they leave.
#include "masks/mask_nets.hpp"
#include "squall/core/masks.hpp"
#include "squall/hooks/hooks.hpp"
#include "squall/training/trainer.hpp"
#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace squall;
using namespace squall::test;

namespace {

struct Run {
  NetOptions options;
  Network network;
  Minibatches data;
  std::unique_ptr<Trainer> trainer;
  explicit Run(const std::vector<json>& hooks, const json& mask = {{"@type", "ContinuousSparsification"},
                                                                   {"mask_init_value", 0.1},
                                                                   {"l0_lambda", 0.001}})
      : network(mask.is_null() ? make_architecture(options)
                               : with_masks(make_architecture(options), {{"hidden", mask}}, training_test::catalog()),
                training_test::catalog(), squall::test::make_under_test("cpu:f32")),
        data(batches(options, 64, 16)) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.4}}}}, 7);
    const json rule = {{"@type", "Sgd"}, {"learning_rate", 0.01}};
    trainer = std::make_unique<Trainer>(network,
                                        std::make_unique<Stepper>(training_test::catalog().of<UpdateRule>().make(
                                            rule, "stepper", training_test::catalog())),
                                        tasks_of(options.names));
    for (const auto& hook : hooks)
      trainer->add_hook(training_test::catalog().of<Hook>().make(hook, "hook", training_test::catalog()));
  }
  Ended train(Index epochs) { return trainer->train(data, {}, epochs); }
  double temperature() { return masked_parameters(network).at(0).mask->temperature(); }
};

const json kTemperature = {{"@type", "MaskTemperature"}, {"final_temperature", 16}, {"epochs", 4}};

std::string error_of(const std::vector<json>& hooks, const json& mask) {
  try {
    Run(hooks, mask).train(1);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("The temperature of masks follows the epochs and a continued run") {
  Run run(std::vector<json>{kTemperature});
  run.train(2);
  CHECK(run.temperature() == Approx(4));
  const auto* log = run.trainer->logs().find("MaskTemperature");
  REQUIRE(log != nullptr);
  REQUIRE(log->size() == 3);
  for (std::size_t e = 0; e < 3; ++e) CHECK((*log)[e] == Approx(std::pow(16, static_cast<double>(e) / 4)));
  Run later(std::vector<json>{kTemperature});
  later.trainer->load_state(run.trainer->save_state());
  later.train(1);
  CHECK(later.temperature() == Approx(8));
  later.train(5);
  CHECK(later.temperature() == Approx(16));  // no further than it should go
}

TEST_CASE("Training logs what masks leave and what they cost") {
  Run run(std::vector<json>{json{{"@type", "MonitorMasks"}, {"layers", true}}});
  run.train(2);
  for (const char* path : {"masks.l0", "masks.density", "masks.hidden.density"}) {
    const auto* log = run.trainer->logs().find(path);
    INFO(path);
    REQUIRE(log != nullptr);
    CHECK(log->size() == 3);
  }
  CHECK(run.trainer->logs().find("masks.density")->front() == 1);
  const auto* penalty = run.trainer->logs().find("rolling_training.l0_penalty");
  REQUIRE(penalty != nullptr);
  const double weights = static_cast<double>(l0_statistics(run.network).max_l0);
  CHECK(penalty->front() == Approx(0.001 * weights / (1 + std::exp(-0.1))).epsilon(0.05));
}

TEST_CASE("Hooks of masks refuse networks without masks and numbers that make no sense") {
  CHECK(error_of(std::vector<json>{kTemperature}, nullptr).find("no mask of continuous sparsification") !=
        std::string::npos);
  CHECK(error_of(std::vector<json>{kTemperature}, {{"@type", "HardConcrete"}}).find("no mask of continuous") !=
        std::string::npos);
  CHECK(error_of(std::vector<json>{json{{"@type", "MonitorMasks"}}}, nullptr).find("has no learned masks") !=
        std::string::npos);
  const json mask = {{"@type", "ContinuousSparsification"}};
  CHECK(error_of(std::vector<json>{json{{"@type", "MaskTemperature"}, {"epochs", 3}, {"final_temperature", 0}}}, mask)
            .find("'final_temperature' should be positive, not 0") != std::string::npos);
  CHECK(error_of(std::vector<json>{json{{"@type", "MaskTemperature"}}}, mask).find("'epochs' should be at least 1") !=
        std::string::npos);
}
