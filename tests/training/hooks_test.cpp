#include <cmath>

#include "squall/hooks/save_best_network.hpp"
#include "training_support.hpp"

using namespace training_test;

namespace {

struct Small {
  explicit Small(const json& step = {{"@type", "Sgd"}})
      : net(classifier(4, 5, 3)),
        data(blobs(12, 4, 3, 1), {.batch_size = 6}),
        trainer(net.network, stepper(step), {Task()}) {}
  // Keeps the parameters after each epoch.
  void remember() {
    trainer.add_hook(std::make_unique<Call>("remember", [this](Trainer&, const Progress&) {
      history.push_back(parameters(net.network));
      return Verdict::Continue;
    }));
  }
  Net net;
  Minibatches data;
  Trainer trainer;
  std::vector<std::vector<double>> history;
};

// Learns whether training had failed when it was over.
struct Watch final : HookOf<Watch, CallOptions> {
  static constexpr std::string_view kType = "Watch";
  Verdict run(Trainer&, const Progress&) override { return Verdict::Continue; }
  void finish(Trainer& t) override { *failed = t.ended() == Ended::Failed; }
  bool* failed = nullptr;
};

}  // namespace

TEST_CASE("EarlyStopper stops after so many entries without improvement and puts the best back") {
  Small s;
  s.trainer.add_hook(
      make<Hook>({{"@type", "EarlyStopper"}, {"log", "watched.loss"}, {"patience", 2}}));  // before what it reads
  s.trainer.add_hook(logs("watched.loss", {5, 4, 3, 3, 3.5, 1}));                          // ties do not improve
  s.remember();
  CHECK(s.trainer.train(s.data, {}, 0) == Ended::StoppedByHook);
  CHECK(s.trainer.progress().epoch == 4);
  CHECK(s.history[2] != s.history[4]);
  CHECK(parameters(s.net.network) == s.history[2]);
  CHECK(s.trainer.train(s.data, {}, 3) == Ended::StoppedByHook);  // there is nothing left to do
  CHECK(s.trainer.progress().epoch == 4);
}

TEST_CASE("EarlyStopper takes scores to be better when larger, and small gains for none") {
  Small s;
  s.trainer.add_hook(
      make<Hook>({{"@type", "EarlyStopper"}, {"log_name", "v.accuracy"}, {"patience", 2}, {"min_delta", 0.1}}));
  s.trainer.add_hook(logs("v.Accuracy", {0.1, 0.5, 0.55, 0.59, 0.9}));
  s.remember();
  s.trainer.train(s.data, {}, 0);
  CHECK(s.trainer.progress().epoch == 3);
  CHECK(parameters(s.net.network) == s.history[1]);
  Small last;
  last.trainer.add_hook(
      make<Hook>({{"@type", "EarlyStopper"}, {"log_name", "v.loss"}, {"criterion", "max"}, {"restore_best", false}}));
  last.trainer.add_hook(logs("v.loss", {1, 2, 3, 2.5, 4}));
  last.remember();
  last.trainer.train(last.data, {}, 0);
  CHECK(last.trainer.progress().epoch == 3);
  CHECK(parameters(last.net.network) == last.history[3]);
}

TEST_CASE("A log that is not there yet stops nothing") {
  Small s;
  s.trainer.add_hook(
      make<Hook>({{"@type", "EarlyStopper"}, {"log_name", "rolling_training.total_loss"}, {"timescale", "update"}}));
  s.trainer.add_hook(make<Hook>(
      {{"@type", "StopAfterThresholdReached"}, {"log_name", "rolling_training.total_loss"}, {"threshold", -1}}));
  s.trainer.add_hook(make<Hook>({{"@type", "SaveBestNetwork"}, {"log_name", "late.loss"}}));
  s.trainer.add_hook(std::make_unique<Call>("late", [](Trainer& t, const Progress& p) {
    if (p.epoch == 1) t.log("late.loss", 1);  // in the last moment
    return Verdict::Continue;
  }));
  CHECK(s.trainer.train(s.data, {}, 2) == Ended::Finished);
}

TEST_CASE("A log that never comes is told after the first epoch with the nearest") {
  for (const json& hook : {json{{"@type", "EarlyStopper"}, {"log", "watched.los"}},
                           json{{"@type", "EarlyStopper"}, {"log", "watched.los"}, {"timescale", "update"}},
                           json{{"@type", "SaveBestNetwork"}, {"log_name", "watched.los"}},
                           json{{"@type", "ReduceOnPlateau"}, {"log_name", "watched.los"}},
                           json{{"@type", "StopAfterThresholdReached"}, {"log_name", "watched.los"}}}) {
    Small s;
    s.trainer.add_hook(make<Hook>(hook));
    s.trainer.add_hook(logs("watched.loss", {5, 4, 3, 3, 3.5, 1}));
    const std::string why = complaint([&] { s.trainer.train(s.data, {}, 4); });
    INFO(hook.dump() << why);
    CHECK(mentions(why, hook["@type"].get<std::string>()));
    CHECK(mentions(why, "did you mean 'watched.loss'"));
    CHECK(s.trainer.progress().epoch == 1);
  }
}

TEST_CASE("A log of a hook that runs seldom is waited for") {
  Small s;
  s.trainer.add_hook(make<Hook>({{"@type", "SaveBestNetwork"}, {"log_name", "never"}}));
  s.trainer.add_hook(make<Hook>({{"@type", "MonitorLoss"}, {"iter_name", "validation"}, {"interval", 3}}));
  Minibatches validation(blobs(6, 4, 3, 2), {.batch_size = 6});
  CHECK(s.trainer.train(s.data, {{"validation", &validation}}, 2) == Ended::Finished);
  CHECK(mentions(complaint([&] { s.trainer.train(s.data, {{"validation", &validation}}, 1); }), "'never'"));
}

TEST_CASE("The best parameters survive being saved and read again") {
  const auto build = [](Small& s) {
    s.trainer.add_hook(make<Hook>({{"@type", "EarlyStopper"}, {"log_name", "w.loss"}, {"patience", 3}}));
    s.trainer.add_hook(logs("w.loss", {5, 1, 4, 3, 2, 0}));
    s.remember();
  };
  Small whole, half, rest;
  build(whole);
  build(half);
  build(rest);
  whole.trainer.train(whole.data, {}, 0);
  std::atomic<int> interrupt{0};
  half.trainer.set_interrupt(&interrupt);
  half.trainer.add_hook(std::make_unique<Call>(
      "interrupter",
      [&](Trainer&, const Progress& p) {
        if (p.update == 5) interrupt = 1;
        return Verdict::Continue;
      },
      Timescale::Update));
  CHECK(half.trainer.train(half.data, {}, 0) == Ended::Interrupted);
  CHECK(parameters(half.net.network) != parameters(whole.net.network));  // nothing is put back when interrupted
  rest.net.network.handler().memory().upload(half.net.network.get("parameters").view(), rest.net.network.parameters());
  rest.net.network.store().touch();
  rest.trainer.load_state(json::parse(half.trainer.save_state().dump()));
  rest.trainer.load_arrays(half.trainer.save_arrays());
  CHECK(rest.trainer.train(rest.data, {}, 0) == Ended::StoppedByHook);
  CHECK(parameters(rest.net.network) == parameters(whole.net.network));
  CHECK(parameters(whole.net.network) == whole.history[1]);
}

TEST_CASE("StopAfterEpoch and StopAfterThresholdReached stop where they should") {
  Small a;
  a.trainer.add_hook(make<Hook>({{"@type", "StopAfterEpoch"}, {"max_epochs", 3}}));
  CHECK(a.trainer.train(a.data, {}, 0) == Ended::StoppedByHook);
  CHECK(a.trainer.progress().epoch == 3);
  Small b;
  b.trainer.add_hook(make<Hook>({{"@type", "StopAfterThresholdReached"}, {"log_name", "v.loss"}, {"threshold", 2}}));
  b.trainer.add_hook(logs("v.loss", {5, 4, 2, 1}));
  b.trainer.train(b.data, {}, 0);
  CHECK(b.trainer.progress().epoch == 2);
  Small c;
  c.trainer.add_hook(
      make<Hook>({{"@type", "StopAfterThresholdReached"}, {"log_name", "v.accuracy"}, {"threshold", 0.5}}));
  c.trainer.add_hook(logs("v.accuracy", {0.1, 0.2, 0.3, 0.6}));
  c.trainer.train(c.data, {}, 0);
  CHECK(c.trainer.progress().epoch == 3);
}

TEST_CASE("SaveBestNetwork keeps the best in memory or writes it") {
  Small s;
  auto hook = make<Hook>({{"@type", "SaveBestNetwork"}, {"log_name", "v.loss"}});
  auto* best = dynamic_cast<SaveBestNetwork*>(hook.get());
  REQUIRE(best != nullptr);
  s.trainer.add_hook(std::move(hook));
  s.trainer.add_hook(logs("v.loss", {5, 2, 3, 2, 4}));
  std::vector<std::string> written;
  s.trainer.set_network_writer([&](const Network&, const std::string& file) { written.push_back(file); });
  s.trainer.add_hook(
      make<Hook>({{"@type", "SaveBestNetwork"}, {"name", "file"}, {"log_name", "v.loss"}, {"filename", "best.h5"}}));
  s.remember();
  s.trainer.train(s.data, {}, 4);
  CHECK(written == std::vector<std::string>{"best.h5", "best.h5"});
  CHECK(best->best_value() == 2.0);
  CHECK(best->best_at().epoch == 1);
  best->best().restore(s.net.network);
  CHECK(parameters(s.net.network) == s.history[1]);
  Small none;
  none.trainer.add_hook(make<Hook>({{"@type", "SaveBestNetwork"}, {"log_name", "v.loss"}, {"filename", "x"}}));
  CHECK(mentions(complaint([&] { none.trainer.train(none.data, {}, 1); }), "'x'"));
}

TEST_CASE("StopOnNan makes a run fail, naming layer, epoch and update") {
  Net net(regressor(2, 2));
  Minibatches data(source({{"default", HostArray::of(Shape{4, 2}, std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8})},
                           {"targets", HostArray(DType::F64, {4, 2})}}),
                   {.batch_size = 2});
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}, {"learning_rate", 1e200}}), {Task()});
  trainer.add_hook(make<Hook>({{"@type", "StopOnNan"}, {"timescale", "update"}}));
  bool failed = false;
  auto watch = std::make_unique<Watch>();
  watch->failed = &failed;
  trainer.add_hook(std::move(watch));
  std::string what;
  try {
    trainer.train(data, {}, 10);
  } catch (const NumericError& e) {
    what = e.what();
  }
  INFO(what);
  // Weights of 1e200 after the first update, a loss beyond all bounds in the second.
  CHECK(mentions(what, "in epoch 1, update 2"));
  CHECK((mentions(what, "'Out'") || mentions(what, "'Criterion'")));
  CHECK(failed);
  Small logged;
  logged.trainer.add_hook(logs("v.x", {1, std::nan("")}));
  logged.trainer.add_hook(make<Hook>({{"@type", "StopOnNan"}, {"logs_to_check", "v.x"}}));
  CHECK(mentions(complaint([&] { logged.trainer.train(logged.data, {}, 4); }), "'v.x'"));
  CHECK(logged.trainer.progress().epoch == 1);
}

TEST_CASE("ModifyStepperAttribute sets what a schedule says, from the first update on") {
  Small s;
  s.trainer.add_hook(make<Hook>(
      {{"@type", "ModifyStepperAttribute"},
       {"schedule", {{"@type", "MultiStep"}, {"initial_value", 0.5}, {"steps", {1, 2}}, {"values", {0.25, 0.125}}}}}));
  std::vector<double> rates;
  s.trainer.add_hook(std::make_unique<Call>(
      "rates",
      [&](Trainer& t, const Progress& p) {
        rates.push_back(t.stepper().rule().learning_rate(p));
        return Verdict::Continue;
      },
      Timescale::Update));
  s.trainer.train(s.data, {}, 3);
  CHECK(std::vector<double>(rates.begin() + 1, rates.end()) == std::vector<double>{0.5, 0.5, 0.25, 0.25, 0.125, 0.125});
  Small wrong;
  wrong.trainer.add_hook(make<Hook>({{"@type", "ModifyStepperAttribute"},
                                     {"attr_name", "momentum"},
                                     {"schedule", {{"@type", "Linear"}, {"final_value", 1}}}}));
  CHECK(mentions(complaint([&] { wrong.trainer.train(wrong.data, {}, 1); }), "Sgd has no option 'momentum'"));
}

TEST_CASE("ModifyStepperAttribute keeps its value when training is continued") {
  const auto hook = [] {
    return make<Hook>({{"@type", "ModifyStepperAttribute"},
                       {"timescale", "update"},
                       {"interval", 4},
                       {"schedule", {{"@type", "DecreaseAfterEpoch"}, {"initial_value", 0.5}, {"T", 1}}}});
  };
  Small s, t;  // two updates an epoch: it runs at updates 0 and 4, in epochs 0 and (just before its end) 1
  s.trainer.add_hook(hook());
  s.trainer.train(s.data, {}, 3);
  const double rate = s.trainer.stepper().rule().learning_rate({});
  CHECK(rate == 0.25);
  t.trainer.add_hook(hook());
  t.trainer.load_state(json::parse(s.trainer.save_state().dump()));
  Verdict seen = Verdict::Stop;
  t.trainer.add_hook(std::make_unique<Call>(
      "look",
      [&](Trainer& trainer, const Progress& p) {
        if (p.update == 7) CHECK(trainer.stepper().rule().learning_rate(p) == rate);
        seen = Verdict::Continue;
        return seen;
      },
      Timescale::Update));
  t.trainer.train(t.data, {}, 1);
  CHECK(seen == Verdict::Continue);
}

TEST_CASE("A monitor measures with scorers of its own, and only tasks it has data for") {
  Small s;
  Minibatches validation(blobs(9, 4, 3, 3), {.batch_size = 4});
  s.trainer.add_hook(
      make<Hook>({{"@type", "MonitorScores"}, {"scorers", {{{"@type", "Accuracy"}, {"name", "right"}}}}}));
  s.trainer.train(s.data, {{"validation", &validation}}, 1);
  REQUIRE(s.trainer.logs().find("validation.right") != nullptr);
  CHECK(s.trainer.logs().find("validation.right")->size() == 2);
  CHECK(mentions(complaint([] { make<Hook>({{"@type", "EarlyStopper"}}); }), "log_name"));
  Minibatches other(source({{"something", HostArray(DType::F32, {4, 4})}}), {});
  Small t;
  t.trainer.add_hook(make<Hook>({{"@type", "MonitorScores"}}));
  CHECK(mentions(complaint([&] { t.trainer.train(t.data, {{"validation", &other}}, 1); }), "fields"));
}
