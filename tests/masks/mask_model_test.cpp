// Masks of a whole network or of one task, and which weights belong to whom.
#include "squall/training/mask_model.hpp"

#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

Batch batch_of(const NetOptions& o, Index examples) {
  auto data = batches(o, examples, examples);
  Batch batch;
  data.restart(0);
  REQUIRE(data.next(batch));
  return batch;
}

std::vector<std::string> layers_of(const NetOptions& o) {
  std::vector<std::string> out;
  if (o.images || o.volumes) out.push_back("conv");
  out.push_back("hidden");
  if (!o.heads) out.push_back("out");
  return out;
}

// No weight of any layer, nor bias, is kept by two slices.
bool exclusive(Net& net) {
  for (const auto& layer : layers_of(net.options))
    for (const std::string name : {"W", "bias"})
      for (const int n : net.owners(layer, name))
        if (n > 1) return false;
  return true;
}

std::vector<NetOptions> kinds() {
  NetOptions dense, heads, images, volumes;
  heads.heads = true;
  images.images = true;
  volumes.volumes = true;
  return {dense, heads, images, volumes};
}

}  // namespace

TEST_CASE("By default two tasks never own one weight whatever the scores", "[mask_model]") {
  for (int tasks = 2; tasks <= 8; ++tasks)
    for (const double percentile : {10.0, 50.0, 90.0})
      for (const bool zeros : {false, true}) {
        NetOptions o;
        o.names = task_names(tasks);
        Net net(o);
        if (zeros) {  // dead units and untrained biases: whole stretches of scores are 0
          HostArray w = net.value("hidden");
          for (Index i = 0; i < w.elements(); i += 3) w.set_value(i, 0);
          net.network.store().set(net.entry("hidden"), w);
          net.network.store().set(net.entry("hidden", "bias"), HostArray(DType::F32, Shape{tasks, 12}));
        }
        const auto seed = static_cast<std::uint64_t>(tasks);
        MaskModelRun run;
        run.seed = seed;
        mask_model(net.network, net.tasks, mask_model_options(percentile, zeros ? "magnitude" : "random"), run);
        CHECK(exclusive(net));
        mask_model(net.network, net.tasks, mask_model_options(percentile / 2, "magnitude"), run);  // again, less
        CHECK(exclusive(net));
        Net pruned(o);
        prune_model(pruned.network, percentile);
        CHECK(exclusive(pruned));
      }
}

TEST_CASE("Weights with a score of 0 are never kept and what is missing is told", "[mask_model]") {
  Net net;
  HostArray w = net.value("hidden");
  for (Index i = 0; i < 100; ++i) w.set_value(i, 0);  // of 108
  net.network.store().set(net.entry("hidden"), w);
  const MaskReport report = mask_model(net.network, net.tasks, mask_model_options(60, "magnitude"));
  CHECK(count(net.mask("hidden", 0)) == 8);
  bool told = false;
  for (const auto& warning : report.warnings)
    told = told || warning == "hidden.W[a] keeps 8 weights, not 43: no more were free with a score above 0";
  CHECK(told);
  Net literal;
  literal.network.store().set(literal.entry("hidden"), w);
  Rsn2Options options = mask_model_options(60, "magnitude");
  options.compat = "beyondml";
  mask_model(literal.network, literal.tasks, options);
  CHECK(count(literal.mask("hidden", 0)) == 108);  // a threshold of 0 keeps everything
}

TEST_CASE("Who owns what follows from the graph before as after training", "[mask_model]") {
  for (const NetOptions& o : kinds()) {
    Net net(o);
    const auto before = task_parameters(net.network, net.tasks[1]);
    std::vector<TaskParameter> expected;
    for (const auto& layer : layers_of(o))
      for (const std::string name : {"W", "bias"}) expected.push_back({layer + "." + name, 1});
    if (o.heads)
      for (const std::string name : {"W", "bias"}) expected.push_back({"out_b." + name, -1});
    std::ranges::sort(expected);
    CHECK(before == expected);
    CHECK(probe_task_parameters(net.network, net.tasks[1], batch_of(o, 16)) == expected);
    Stepper stepper = make_stepper({{"@type", "Adam"}});
    stepper.start(net.network);
    train(net, stepper, 3);
    CHECK(task_parameters(net.network, net.tasks[1]) == before);
    prune_model(net.network, 60);
    CHECK(task_parameters(net.network, net.tasks[1]) == before);
  }
  NetOptions one;
  one.names = {"a"};
  Net net(one);
  CHECK(task_parameters(net.network, net.tasks[0]).size() == 4);
}

TEST_CASE("A shared trunk belongs to every task", "[mask_model]") {
  Architecture a;
  a.input({{"x", {"T", "B", 5}}, {"y1", {"T", "B", 1}}, {"y2", {"T", "B", 1}}});
  a["Input.x"] >> a.add("trunk", "MaskedDense", {{"units", 6}, {"activation", "rel"}});
  for (const std::string t : {"1", "2"}) {
    a["trunk"] >> a.add("head" + t, "MaskedDense", {{"units", 3}}) >> a.add("ce" + t, "SoftmaxCE");
    a["Input.y" + t] >> a["ce" + t + ".targets"];
    a["ce" + t + ".loss"] >> a.add("Loss" + t, "Loss");
  }
  Network network(a, catalog(), make_handler("cpu:f64"));
  Task task;
  task.name = "first";
  task.input = "x";
  task.targets = "y1";
  task.loss = "Loss1";
  const auto found = task_parameters(network, task);
  CHECK(found == std::vector<TaskParameter>{{"head1.W", -1}, {"head1.bias", -1}, {"trunk.W", -1}, {"trunk.bias", -1}});
}

TEST_CASE("Masking one task changes its slice only and in any order", "[mask_model]") {
  for (const NetOptions& kind : kinds()) {
    for (const auto& order : std::vector<std::vector<std::size_t>>{{0, 1, 2}, {2, 0, 1}}) {
      NetOptions o = kind;
      o.names = task_names(3);
      Net net(o);
      std::map<std::size_t, Bytes> chosen;
      for (const std::size_t t : order) {
        MaskTaskOptions options;
        options.percentile = 70;
        mask_task_weights(net.network, net.tasks[t], options);
        for (const auto& [other, mask] : chosen) CHECK(net.mask("hidden", static_cast<int>(other)) == mask);
        chosen[t] = net.mask("hidden", static_cast<int>(t));
        const auto size = static_cast<Index>(chosen[t].size());
        CHECK(count(chosen[t]) == kept_of(size, 70));
      }
      CHECK(exclusive(net));
    }
  }
}

TEST_CASE("Masking one task again leaves the weights of the others alone", "[mask_model]") {
  NetOptions o;
  o.names = task_names(3);
  Net net(o);
  MaskTaskOptions options;
  for (const auto& task : net.tasks) mask_task_weights(net.network, task, options);
  REQUIRE(net.entry("hidden").form == ParameterForm::Packed);
  const HostArray before = net.value("hidden");
  options.percentile = 95;
  mask_task_weights(net.network, net.tasks[1], options);
  CHECK(changed(slice(net.value("hidden"), 0), slice(before, 0)) == 0);
  CHECK(changed(slice(net.value("hidden"), 2), slice(before, 2)) == 0);
  CHECK(count(net.mask("hidden", 1)) == kept_of(108, 95));
  options.respect_previous = false;
  options.percentile = 90;
  Net alone(o);
  mask_task_weights(alone.network, alone.tasks[0], options);
  mask_task_weights(alone.network, alone.tasks[1], options);
  CHECK(count(alone.mask("hidden", 1)) == kept_of(108, 90));
}

TEST_CASE("Pruning a model reaches every layer and training goes on with the same optimizer", "[mask_model]") {
  NetOptions o;
  o.images = true;
  Net net(o);
  Stepper stepper = make_stepper({{"@type", "Adam"}});
  stepper.start(net.network);
  train(net, stepper, 3);
  MaskModelRun run;
  run.pack = false;
  Rsn2Options options = mask_model_options(60, "magnitude");
  mask_model(net.network, net.tasks, options, run);
  REQUIRE(stepper.fits(net.network));
  train(net, stepper, 3);
  for (const auto& layer : layers_of(o))
    for (int t = 0; t < 2; ++t) {
      const Bytes mask = net.mask(layer, t);
      CHECK(count(mask) == kept_of(static_cast<Index>(mask.size()), 60));
      const HostArray w = slice(net.value(layer), t);
      for (std::size_t i = 0; i < mask.size(); ++i)
        if (mask[i] == 0) CHECK(w.value(static_cast<Index>(i)) == 0);
    }
  Net dense(o);
  const MaskReport report = prune_model(dense.network, 80);
  CHECK(report.tensors.size() == 6);
  CHECK(report.density("a") == Approx(0.2).margin(0.03));
}

TEST_CASE("Networks without anything to mask are refused", "[mask_model]") {
  NetOptions o;
  o.sparsify = false;
  Net net(o);
  CHECK_THROWS_WITH(prune_model(net.network, 50), Catch::Contains("no weights that can be masked; use MaskedDense"));
  Net good;
  CHECK_THROWS_WITH(prune_model(good.network, 150), Catch::Contains("0 to 100, not 150"));
  CHECK_THROWS_WITH(prune_model(good.network, 50, "beyond"), Catch::Contains("\"beyondml\" or left out"));
}
