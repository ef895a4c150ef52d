// Layers that training leaves as they are.
#include "training_support.hpp"

using namespace training_test;

namespace {

// inputs -> hidden -> BatchNorm -> classes
Architecture normed() {
  Architecture a;
  a.input({{"default", {"T", "B", 4}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Hid", "FullyConnected", {{"size", 6}, {"activation", "tanh"}}) >>
      a.add("Norm", "BatchNorm") >> a.add("Drop", "Dropout", {{"drop_prob", 0.5}}) >>
      a.add("Out", "FullyConnected", {{"size", 3}, {"activation", "linear"}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

struct Run {
  explicit Run(const json& rule, std::vector<std::string> frozen)
      : data(blobs(24, 4, 3, 5), {.batch_size = 8}), trainer(net.network, stepper(rule), {Task()}) {
    net.network.set_weight_modifiers({{"default", {{"@type", "ConstrainL2Norm"}, {"limit", 0.1}}}});
    trainer.set_frozen(std::move(frozen));
    trainer.keep_gradients();
  }
  std::vector<double> get(const std::string& path) const { return net.network.get(path).doubles(); }
  Net net{normed()};
  Minibatches data;
  Trainer trainer;
};

const char* const kAll[] = {"Hid.parameters.W", "Hid.parameters.bias", "Norm.parameters.gamma", "Norm.parameters.beta",
                            "Norm.state.mu",    "Norm.state.sigma",    "Out.parameters.W",      "Out.parameters.bias"};

}  // namespace

TEST_CASE("frozen layers keep every bit under every rule and all others learn") {
  for (const json& rule : every_rule()) {
    Run run(rule, {"H*", "Norm"});
    std::map<std::string, std::vector<double>> before;
    for (const char* path : kAll) before[path] = run.get(path);
    run.trainer.train(run.data, {}, 2);
    for (const char* path : kAll) {
      INFO(rule << " " << path);
      CHECK((run.get(path) == before[path]) == (path[0] != 'O'));
    }
    for (const double g : run.get("Hid.gradients.W")) CHECK(g == 0);
    const Index own = run.net.network.store().find("Out", "W")->offset;
    for (const HostArray& vector : run.trainer.stepper().save_state())
      for (Index i = 0; i < own; ++i)
        CHECK((vector.value(i) == 0 || rule["@type"] == "AdaGrad" || rule["@type"] == "RProp"));
  }
}

TEST_CASE("a frozen BatchNorm uses its statistics and dropout goes on") {
  Run run({{"@type", "Sgd"}, {"learning_rate", 0}}, {"Norm"});
  run.net.network.set_parameter("Norm.mu", HostArray::of(Shape{6}, std::vector<double>(6, -3)));
  run.net.network.pin("Norm.default");
  run.net.network.pin("Hid.default");
  run.net.network.pin("Drop.default");
  run.trainer.train(run.data, {}, 1);
  const auto x = run.get("Hid.outputs.default"), y = run.get("Norm.outputs.default"),
             z = run.get("Drop.outputs.default");
  const auto gamma = run.get("Norm.parameters.gamma"), beta = run.get("Norm.parameters.beta");
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(y[i] == Approx((x[i] - 3) * gamma[i % 6] + beta[i % 6]));
  CHECK(std::ranges::count(z, 0.0) > 0);
}

TEST_CASE("the gradients before a frozen layer are those of a network that trains all but its statistics") {
  Run all({{"@type", "Sgd"}}, {}), some({{"@type", "Sgd"}}, {"Out"});
  all.trainer.train(all.data, {}, 1);
  some.trainer.train(some.data, {}, 1);
  CHECK(some.get("Out.parameters.W") != all.get("Out.parameters.W"));
  // The first update has the same gradients for what is trained in both.
  Run one({{"@type", "Sgd"}}, {}), other({{"@type", "Sgd"}}, {"Out"});
  const auto stop = [](Trainer&, const Progress& p) { return p.update == 1 ? Verdict::Stop : Verdict::Continue; };
  for (Run* r : {&one, &other}) {
    r->trainer.add_hook(std::make_unique<Call>("stop", stop, Timescale::Update));
    r->trainer.train(r->data, {}, 1);
  }
  CHECK(one.get("Hid.gradients.W") == other.get("Hid.gradients.W"));
  CHECK(one.get("Hid.parameters.W") == other.get("Hid.parameters.W"));
}

TEST_CASE("what cannot be frozen is told") {
  CHECK(complaint([] {
          Run run({{"@type", "Sgd"}}, {"Nrom"});
          run.trainer.train(run.data, {}, 1);
        }) == "frozen: 'Nrom' matches no layer; did you mean 'Norm'?");
  CHECK(mentions(complaint([] {
                   Run run({{"@type", "Sgd"}}, {"Drop"});
                   run.trainer.train(run.data, {}, 1);
                 }),
                 "nothing to learn"));
  CHECK(mentions(complaint([] {
                   Run run({{"@type", "Sgd"}}, {"*"});
                   run.trainer.train(run.data, {}, 1);
                 }),
                 "leave nothing that could be trained"));
}

TEST_CASE("parameters that are not finite after an epoch end training before anything is judged or saved") {
  Run run({{"@type", "Sgd"}, {"learning_rate", 1e308}, {"weight_decay", 100}}, {"Norm", "Hid"});
  run.net.network.set_weight_modifiers(json());
  Minibatches whole(blobs(24, 4, 3, 5), {.batch_size = 24});  // one update, so that no loss tells it first
  bool judged = false;
  run.trainer.add_hook(std::make_unique<Call>("judge", [&](Trainer&, const Progress& p) {
    judged = judged || p.epoch > 0;
    return Verdict::Continue;
  }));
  const std::string what = complaint([&] { run.trainer.train(whole, {}, 3); });
  CHECK(mentions(what, "after epoch 1, update 1, parameters of layer 'Out' are not finite"));
  CHECK_FALSE(judged);
}
