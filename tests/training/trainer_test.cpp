#include <cmath>

#include "squall/testing/guards.hpp"
#include "training_support.hpp"

using namespace training_test;

namespace {

Task scored() {
  Task t;
  t.scorers.push_back(make<Scorer>({{"@type", "Accuracy"}}));
  return t;
}

// A run that can be stopped and gone on with: noise, moments, shuffles, monitors, early stopping.
struct Run {
  explicit Run(const std::string& handler = "cpu:f64")
      : net(classifier(4, 6, 3, 0.3), handler),
        data(blobs(22, 4, 3, 1), {.batch_size = 5, .seed = 9}),
        validation(blobs(10, 4, 3, 2), {.batch_size = 4, .shuffle = false}),
        trainer(net.network, stepper({{"@type", "Adam"}, {"learning_rate", 0.02}}), {scored()}) {
    trainer.add_hook(make<Hook>({{"@type", "MonitorScores"}}));
    trainer.add_hook(make<Hook>({{"@type", "EarlyStopper"}, {"log_name", "validation.total_loss"}, {"patience", 50}}));
    trainer.add_hook(make<Hook>({{"@type", "ModifyStepperAttribute"},
                                 {"timescale", "update"},
                                 {"interval", 2},
                                 {"schedule", {{"@type", "Exponential"}, {"initial_value", 0.02}, {"factor", 0.97}}}}));
    trainer.set_interrupt(&interrupt);
    trainer.add_hook(std::make_unique<Call>(
        "interrupter",
        [this](Trainer&, const Progress& p) {
          if (p.update == interrupt_at) interrupt = 1;
          return Verdict::Continue;
        },
        Timescale::Update));
  }
  Ended train(Index epochs) { return trainer.train(data, {{"validation", &validation}}, epochs); }
  // What a checkpoint holds, put into another run.
  void hand_over(Run& to) const {
    const std::string text = trainer.save_state().dump();
    to.net.network.handler().memory().upload(net.network.get("parameters").view(), to.net.network.parameters());
    to.net.network.store().touch();
    to.net.network.set_states(net.network.get_states());
    to.trainer.load_state(json::parse(text));
    to.trainer.load_arrays(trainer.save_arrays());
    to.trainer.stepper().load_state(trainer.stepper().save_state(), trainer.stepper().steps());
  }
  Net net;
  Minibatches data, validation;
  std::atomic<int> interrupt{0};
  Index interrupt_at = -1;
  Trainer trainer;
};

void same(Run& a, Run& b) {
  CHECK(parameters(a.net.network) == parameters(b.net.network));
  CHECK(a.trainer.logs().all() == b.trainer.logs().all());
  CHECK(a.trainer.progress().epoch == b.trainer.progress().epoch);
  CHECK(a.trainer.progress().update == b.trainer.progress().update);
}

}  // namespace

TEST_CASE("XOR is solved within 300 epochs") {
  for (const std::string handler : {"cpu:f32", "cpu:f64"}) {
    INFO(handler);
    const auto data = source({{"default", HostArray::of(Shape{4, 2}, std::vector<float>{0, 0, 0, 1, 1, 0, 1, 1})},
                              {"targets", HostArray::of(Shape{4, 1}, std::vector<std::int32_t>{0, 1, 1, 0})}});
    Net net(classifier(2, 6, 2), handler);
    Minibatches batches(data, {.batch_size = 4});
    Trainer trainer(net.network, stepper({{"@type", "Momentum"}, {"learning_rate", 2.0}, {"momentum", 0.9}}),
                    {scored()});
    trainer.train(batches, {}, 300);
    Undivided all(data);
    const std::vector<Task> tasks{scored()};
    const auto scores = evaluate(net.network, all, tasks);
    CHECK(scores[0].get("accuracy") == 1);
    CHECK(scores[0].get("loss") < 0.1);
    CHECK(std::isnan(scores[0].get("nonsense")));
  }
}

TEST_CASE("Hooks fire once before training, then after updates and epochs, by stage and as added") {
  Net net(classifier(4, 5, 3));
  Minibatches data(blobs(6, 4, 3, 1), {.batch_size = 3});
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}}), {scored()});
  std::vector<std::string> events;
  const auto note = [&](const std::string& name, Timescale scale, Index interval, HookStage stage) {
    trainer.add_hook(std::make_unique<Call>(
        name,
        [&events, name](Trainer& t, const Progress& p) {
          const bool rolled = t.logs().find("rolling_training.total_loss") != nullptr;
          events.push_back(concat(name, p.epoch, "/", p.update, rolled ? "r" : ""));
          return Verdict::Continue;
        },
        scale, interval, stage));
  };
  note("save", Timescale::Epoch, 1, HookStage::Save);
  note("a", Timescale::Epoch, 1, HookStage::Measure);
  note("b", Timescale::Epoch, 2, HookStage::Measure);
  note("u", Timescale::Update, 1, HookStage::Measure);
  note("judge", Timescale::Epoch, 1, HookStage::Judge);
  trainer.train(data, {}, 2);
  CHECK(events == std::vector<std::string>{"u0/0", "a0/0", "b0/0", "judge0/0", "save0/0", "u0/1", "u0/2", "a1/2r",
                                           "judge1/2r", "save1/2r", "u1/3r", "u1/4r", "a2/4r", "b2/4r", "judge2/4r",
                                           "save2/4r"});
  events.clear();
  trainer.train(data, {}, 1);
  CHECK(events == std::vector<std::string>{"u2/5r", "u2/6r", "a3/6r", "judge3/6r", "save3/6r"});
  CHECK(mentions(complaint([&] { note("a", Timescale::Epoch, 1, HookStage::Measure); }), "'a'"));
  CHECK(mentions(complaint([&] { note("c", Timescale::Epoch, 0, HookStage::Measure); }), "interval"));
}

TEST_CASE("A stop by an update hook ends the epoch there, with its logs and epoch hooks") {
  Net net(classifier(4, 5, 3));
  Minibatches data(blobs(12, 4, 3, 1), {.batch_size = 3});
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}}), {scored()});
  Index epochs_seen = -1;
  trainer.add_hook(std::make_unique<Call>(
      "stop", [](Trainer&, const Progress& p) { return p.update == 6 ? Verdict::Stop : Verdict::Continue; },
      Timescale::Update));
  trainer.add_hook(std::make_unique<Call>("epochs", [&](Trainer&, const Progress& p) {
    epochs_seen = p.epoch;
    return Verdict::Continue;
  }));
  CHECK(trainer.train(data, {}, 10) == Ended::StoppedByHook);
  CHECK(trainer.progress().update == 6);
  CHECK(epochs_seen == 2);
  CHECK(trainer.logs().find("rolling_training.total_loss")->size() == 2);
}

TEST_CASE("A stop before training means no training") {
  Net net(classifier(4, 5, 3));
  const auto before = parameters(net.network);
  Minibatches data(blobs(12, 4, 3, 1), {.batch_size = 3});
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}}), {scored()});
  trainer.add_hook(make<Hook>({{"@type", "StopAfterEpoch"}, {"max_epochs", 0}}));
  CHECK(trainer.train(data, {}, 5) == Ended::StoppedByHook);
  CHECK(parameters(net.network) == before);
}

TEST_CASE("Rolling training and monitors agree where nothing moves") {
  Net net(classifier(4, 5, 3));
  const auto examples = blobs(11, 4, 3, 1);  // 4, 4 and 3 of them
  Minibatches data(examples, {.batch_size = 4}), validation(examples, {.batch_size = 5});
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}, {"learning_rate", 0.0}}), {scored()});
  trainer.add_hook(make<Hook>({{"@type", "MonitorScores"}}));
  trainer.add_hook(make<Hook>({{"@type", "MonitorLoss"}, {"name", "again"}}));
  trainer.train(data, {{"validation", &validation}}, 2);
  const auto log = [&](const std::string& path) {
    REQUIRE(trainer.logs().find(path) != nullptr);
    return *trainer.logs().find(path);
  };
  CHECK(log("validation.total_loss").size() == 3);
  CHECK(log("rolling_training.total_loss").size() == 2);
  CHECK(log("rolling_training.total_loss")[1] == Approx(log("validation.total_loss")[0]).epsilon(1e-12));
  CHECK(log("rolling_training.Accuracy")[1] == Approx(log("validation.Accuracy")[2]).epsilon(1e-12));
  CHECK(log("validation.default.accuracy") == log("validation.accuracy"));
  CHECK(log("validation.loss") == log("validation.total_loss"));
  CHECK(log("again.total_loss") == log("validation.total_loss"));
  CHECK(trainer.logs().find("again.accuracy") == nullptr);
  // By hand: the mean over all examples.
  Undivided all(examples);
  Batch batch;
  all.next(batch);
  net.network.provide(batch);
  net.network.forward(Mode::Eval);
  CHECK(log("validation.total_loss")[0] == Approx(net.network.total_loss()).epsilon(1e-12));
}

TEST_CASE("Continued training is the same as one longer run") {
  Run a, b;
  a.train(4);
  b.train(1);
  // Early stopping puts the best parameters back after each call; here the last ones are the best.
  REQUIRE(b.trainer.progress().epoch == 1);
  b.train(3);
  same(a, b);
}

TEST_CASE("A run taken up again in the middle of an epoch is the same as one that was never broken off") {
  for (const std::string handler : {"cpu:f64", "cpu:f32"})
    for (const Index at : {1, 7, 10, 13}) {  // 5 batches an epoch: 10 is the end of one
      INFO(handler << " broken off after update " << at);
      Run straight(handler), broken(handler), resumed(handler);
      CHECK(straight.train(4) == Ended::Finished);
      broken.interrupt_at = at;
      CHECK(broken.train(4) == Ended::Interrupted);
      CHECK(broken.trainer.progress().update == at);
      broken.hand_over(resumed);
      CHECK(resumed.train(4 - resumed.trainer.progress().epoch) == Ended::Finished);
      same(straight, resumed);
      // Going on in the same process is the same, too.
      broken.interrupt = 0;
      broken.interrupt_at = -1;
      broken.train(4 - broken.trainer.progress().epoch);
      same(straight, broken);
    }
}

TEST_CASE("Steps after the first allocate nothing") {
  for (const json& rule : every_rule()) {
    INFO(rule.dump());
    Net net(classifier(6, 8, 3, 0.2), "cpu:f32");
    net.network.set_weight_modifiers({{"Out", {{"W", {{"@type", "ConstrainL2Norm"}, {"limit", 2}}}}}});
    net.network.set_gradient_modifiers({{"@type", "ClipGradientNorm"}, {"max_norm", 0.1}});
    const auto s = stepper(rule);
    s->start(net.network);
    const PassId pass = net.network.pass(Mode::Train);
    Minibatches data(blobs(24, 6, 3, 1), {.batch_size = 8});
    Batch batch;
    std::uint64_t before = 0;
    const auto& memory = net.network.handler().memory();
    std::size_t on_device = 0;
    data.restart(0);
    const int warm = test::device_under_test().empty() ? 1 : 2;  // a device records the second step
    for (int step = 0; data.next(batch); ++step) {
      net.network.provide(batch);
      if (step == warm) on_device = memory.allocations();
      if (step >= warm) before = squall::testing::allocation_count();
      s->step(pass, {0, step});
      if (step >= warm) CHECK(squall::testing::allocation_count() == before);
    }
    CHECK(memory.allocations() == on_device);
  }
}

TEST_CASE("Missing data is told before training") {
  Net net(classifier(4, 5, 3));
  Minibatches data(source({{"default", HostArray(DType::F32, {4, 4})}}), {});
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}}), {scored()});
  CHECK(mentions(complaint([&] { trainer.train(data, {}, 1); }), "Input.targets"));
  CHECK(trainer.ended() == Ended::Failed);
  Minibatches good(blobs(4, 4, 3, 1), {});
  trainer.add_hook(make<Hook>({{"@type", "MonitorScores"}, {"iter_name", "test"}}));
  CHECK(mentions(complaint([&] { trainer.train(good, {}, 1); }), "hook 'MonitorScores': there is no data 'test'"));
}

TEST_CASE("An observer sees epochs, updates and what was logged") {
  struct Seen : TrainingObserver {
    std::vector<std::string> events;
    void epoch_begins(Index epoch, Index batches) override {
      events.push_back(concat("begin ", epoch, " of ", batches));
    }
    void update_done(const Progress& p, Index batch, Index batches, double loss) override {
      events.push_back(concat("update ", p.update, " ", batch, "/", batches, loss > 0 ? "" : " no loss"));
    }
    void epoch_ends(const Progress& p, const std::vector<std::pair<std::string, double>>& logged,
                    double seconds) override {
      events.push_back(
          concat("end ", p.epoch, " ", logged.empty() ? "" : logged[0].first, seconds >= 0 ? "" : " no time"));
    }
  } seen;
  Net net(classifier(4, 5, 3));
  Minibatches data(blobs(6, 4, 3, 1), {.batch_size = 3}), validation(blobs(6, 4, 3, 1), {.batch_size = 3});
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}}), {scored()});
  trainer.add_hook(make<Hook>({{"@type", "MonitorLoss"}}));
  trainer.set_observer(&seen);
  trainer.train(data, {{"validation", &validation}}, 1);
  CHECK(seen.events == std::vector<std::string>{"end 0 validation.total_loss", "begin 1 of 2", "update 1 1/2",
                                                "update 2 2/2", "end 1 rolling_training.total_loss"});
}
