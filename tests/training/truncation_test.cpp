// Training on pieces of sequences, with what recurrent layers carry from one to the next.
#include "squall/testing/guards.hpp"
#include "support/graph_layers.hpp"
#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace training_test;

namespace {

const Catalog& with_memory() {
  static const Catalog c = [] {
    Catalog made = make_catalog();
    made.of<Layer>().add<graph_test::LeakyLayer>();
    return made;
  }();
  return c;
}

// inputs -> y[t] = x[t] + y[t - 1] / 2 -> classes
Architecture reader(Index inputs, Index classes) {
  Architecture a;
  a.input({{"default", {"T", "B", inputs}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Memory", "Leaky") >>
      a.add("Out", "FullyConnected", {{"size", classes}, {"activation", "linear"}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

std::shared_ptr<DataSource> sequences(Index steps, Index examples, Index inputs, Index classes) {
  Rng rng(5, "sequences");
  std::vector<float> x;
  std::vector<std::int32_t> y;
  for (Index i = 0; i < steps * examples * inputs; ++i) x.push_back(static_cast<float>(rng.normal()));
  for (Index i = 0; i < steps * examples; ++i) y.push_back(static_cast<std::int32_t>(rng.below(classes)));
  return source({{"default", HostArray::of(Shape{steps, examples, inputs}, x)},
                 {"targets", HostArray::of(Shape{steps, examples, 1}, y)},
                 {"unused", HostArray(DType::F32, Shape{steps, examples, 1})}},
                true);
}

struct Reading {
  Reading(Index truncate, double rate, const std::string& handler = "cpu:f64", Index batch = 2)
      : network(reader(3, 4), with_memory(), squall::test::make_under_test(handler)),
        data(sequences(7, 6, 3, 4), {.batch_size = batch, .shuffle = false}),
        trainer(network, stepper({{"@type", "Momentum"}, {"learning_rate", rate}, {"momentum", 0.5}}), {scored()}) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.5}}}}, 7);
    trainer.set_truncation(truncate);
  }
  static Task scored() {
    Task t;
    t.scorers.push_back(make<Scorer>({{"@type", "Accuracy"}}));
    return t;
  }
  std::vector<double> log(const std::string& name) const { return *trainer.logs().find("rolling_training." + name); }
  Network network;
  Minibatches data;
  Trainer trainer;
};

HostArray piece_of(const HostArray& a, Index first, Index steps) {
  return HostArray::copy_of(ConstTensor(a.view()).slice(first, steps));
}

}  // namespace

TEST_CASE("Where nothing moves the pieces of sequences give the losses and scores of the whole") {
  Reading whole(0, 0.0);
  whole.trainer.train(whole.data, {}, 1);
  for (const Index steps : {1, 2, 3, 7, 9}) {
    INFO(steps);
    Reading cut(steps, 0.0);
    cut.trainer.train(cut.data, {}, 1);
    CHECK(cut.trainer.progress().update == 3 * ((7 + steps - 1) / steps));
    CHECK(cut.log("total_loss")[0] == Approx(whole.log("total_loss")[0]).epsilon(1e-12));
    CHECK(cut.log("accuracy")[0] == Approx(whole.log("accuracy")[0]).epsilon(1e-12));
  }
}

TEST_CASE("A piece as long as the sequences is no piece") {
  Reading whole(0, 0.1), cut(7, 0.1);
  whole.trainer.train(whole.data, {}, 2);
  cut.trainer.train(cut.data, {}, 2);
  CHECK(parameters(cut.network) == parameters(whole.network));
  CHECK(whole.trainer.logs().all() == cut.trainer.logs().all());
}

TEST_CASE("Each piece is an update that begins where the last one ended") {
  Reading cut(3, 0.1, "cpu:f64", 6), hand(0, 0.1, "cpu:f64", 6);
  cut.trainer.train(cut.data, {}, 2);
  const auto data = sequences(7, 6, 3, 4);
  const auto s = stepper({{"@type", "Momentum"}, {"learning_rate", 0.1}, {"momentum", 0.5}});
  s->start(hand.network);
  for (int epoch = 0; epoch < 2; ++epoch)
    for (const Index first : {0, 3, 6}) {
      const Index steps = std::min<Index>(3, 7 - first);
      hand.network.provide({{{"default", piece_of(data->fields[0].second, first, steps)},
                             {"targets", piece_of(data->fields[1].second, first, steps)}}});
      s->step(hand.network.pass(Mode::Train), {}, first == 0 ? Start::Fresh : Start::Continue);
    }
  CHECK(s->steps() == 6);
  CHECK(parameters(cut.network) == parameters(hand.network));
}

TEST_CASE("Updates on pieces allocate nothing after those of the first batch") {
  struct Watch : TrainingObserver {
    std::uint64_t last = 0;
    std::vector<std::uint64_t> taken;
    void update_done(const Progress&, Index, Index, double) override {
      const std::uint64_t now = squall::testing::allocation_count();
      taken.push_back(now - last);
      last = squall::testing::allocation_count();
    }
  } watch;
  watch.taken.reserve(100);
  Reading cut(3, 0.1, "cpu:f32");
  cut.trainer.set_observer(&watch);
  cut.trainer.train(cut.data, {}, 1);
  const auto on_device = cut.network.handler().memory().allocations();
  REQUIRE(watch.taken.size() == 9);
  // On a device the first piece and the next begin alike: they take turns in being recorded anew.
  for (std::size_t i = 3; i < 9 && test::device_under_test().empty(); ++i) CHECK(watch.taken[i] == 0);
  cut.trainer.train(cut.data, {}, 1);
  CHECK(cut.network.handler().memory().allocations() == on_device);
}

TEST_CASE("An interrupt waits for the end of a batch of pieces") {
  Reading cut(3, 0.1);
  std::atomic<int> stop{0};
  cut.trainer.set_interrupt(&stop);
  cut.trainer.add_hook(std::make_unique<Call>(
      "interrupter",
      [&](Trainer&, const Progress& p) {
        if (p.update == 4) stop = 1;
        return Verdict::Continue;
      },
      Timescale::Update));
  CHECK(cut.trainer.train(cut.data, {}, 2) == Ended::Interrupted);
  CHECK(cut.trainer.progress().update == 6);
  CHECK(cut.trainer.batch_in_epoch() == 2);
}

TEST_CASE("Data without time cannot be cut") {
  Architecture a;
  a.input({{"default", {"B", 3}}, {"targets", {"B", 1}}});
  a["Input.default"] >> a.add("Out", "FullyConnected", {{"size", 1}}) >> a.add("Criterion", "SquaredError");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  Network network(a, catalog(), squall::test::make_under_test("cpu:f64"));
  Trainer trainer(network, stepper({{"@type", "Sgd"}}), {Task()});
  CHECK(mentions(complaint([&] { trainer.set_truncation(-1); }), "-1 steps"));
  trainer.set_truncation(2);
  struct Flat : DataIterator {
    std::vector<DataField> known{{"default", DType::F64, Shape{3}}, {"targets", DType::F64, Shape{1}}};
    bool given = false;
    const std::vector<DataField>& fields() const override { return known; }
    Index batches() const override { return 1; }
    Index examples() const override { return 4; }
    void restart(Index, Index) override { given = false; }
    bool next(Batch& into) override {
      into.fields = {{"default", HostArray(DType::F64, Shape{4, 3})}, {"targets", HostArray(DType::F64, Shape{4, 1})}};
      return !std::exchange(given, true);
    }
  } flat;
  network.initialize(0.5, 1);
  CHECK(mentions(complaint([&] { trainer.train(flat, {}, 1); }), "no data of the network has a time axis"));
}
