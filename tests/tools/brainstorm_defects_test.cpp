// Defects that brainstorm had and squall must not have, where no test of the part itself shows it already.
// docs/brainstorm_defects.md lists all of them.
#include "run_command.hpp"
#include "squall/core/flat_parameters.hpp"
#include "squall/core/json.hpp"
#include "squall/core/network_spec.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/tools/gradient_check.hpp"
#include "squall/tools/import_network.hpp"
#include "squall/training/iterators.hpp"
#include "squall/training/trainer.hpp"
#include "support/catch.hpp"
#include "tools/tool_catalog.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

std::unique_ptr<Network> network(const Architecture& a, const std::string& handler = "cpu:f64") {
  NetworkOptions options;
  options.memory = MemoryMode::Inspectable;
  auto made = std::make_unique<Network>(a, catalog(), make_handler(handler), options);
  made->initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.5}}}}, 5);
  return made;
}

HostArray noise(const Shape& shape) {
  HostArray a(DType::F64, shape);
  Rng rng(3, "noise");
  for (double& v : a.span<double>()) v = rng.normal();
  return a;
}

std::shared_ptr<DataSource> points(Index examples) {
  auto data = std::make_shared<DataSource>();
  data->fields = {{"default", noise(Shape{examples, 3})}, {"targets", HostArray(DType::I32, Shape{examples, 1})}};
  return data;
}

Architecture classifier(const std::string& spec) {
  return create_net_from_spec(spec, {.in_shape = {{3}}, .out_shape = {{2}}}).architecture;
}

}  // namespace

TEST_CASE("weights that penalties read get both gradients in dense and convolution layers") {
  Architecture a;
  a.input({{"default", {"T", "B", 4, 4, 2}}});
  a["Input"] >> a.add("C", "Convolution2D", {{"num_filters", 3}, {"kernel_size", {2, 2}}, {"activation", "tanh"}}) >>
      a.add("F", "FullyConnected", {{"size", 2}, {"activation", "tanh"}}) >> a.add("Loss", "Loss");
  a["C...parameters.W"] >> a.add("Small", "L2Decay") - "loss" >> a.add("Loss2", "Loss", {{"importance", 0.3}});
  a["F...parameters.W"] >> a.add("Sparse", "L1Decay") - "loss" >> a.add("Loss3", "Loss", {{"importance", 0.2}});
  const auto net = network(a);
  net->provide({{{"default", noise(Shape{2, 3, 4, 4, 2})}}});
  CHECK(check_gradients(*net, 10, 1).passed);
}

TEST_CASE("data that share a reader with a recurrent layer are left alone") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("R", "Lstm", {{"size", 2}}) >> a.add("F", "FullyConnected", {{"size", 1}}) >>
      a.add("Loss", "Loss");
  a["Input"] >> a["F"];
  const auto net = network(a);
  const HostArray x = noise(Shape{4, 2, 3});
  net->provide({{{"default", x}}});
  for (int pass = 0; pass < 2; ++pass) {
    net->forward(Mode::Train);
    net->backward();
    CHECK(net->get("Input.outputs.default") == x);
  }
  CHECK(net->get("R.outputs.default").shape() == Shape{4, 2, 2});  // without rows of context
  CHECK(check_gradients(*net, 10, 1).passed);
}

TEST_CASE("images of several sources are joined by channels and convolved and pooled") {
  Architecture a;
  a.input({{"a", {"T", "B", 4, 4, 1}}, {"b", {"T", "B", 4, 4, 2}}});
  const json conv = {{"num_filters", 2}, {"kernel_size", {3, 3}}, {"padding", 1}, {"activation", "tanh"}};
  a["Input.a"] >> a.add("A", "Convolution2D", conv) >> a.add("C", "Convolution2D", conv) >>
      a.add("P", "Pooling2D", {{"kernel_size", {2, 2}}, {"type", "avg"}}) >> a.add("Loss", "Loss");
  a["Input.b"] >> a.add("B", "Convolution2D", conv) >> a["C"];
  a["A"] >> a["P"];
  const auto net = network(a);
  CHECK(net->get("C.parameters.W").shape() == Shape{2, 3, 3, 4});
  net->provide({{{"a", noise(Shape{1, 2, 4, 4, 1})}, {"b", noise(Shape{1, 2, 4, 4, 2})}}});
  net->forward(Mode::Train);
  const auto joined = net->get("C.inputs.default");
  const auto left = net->get("A.outputs.default");
  const auto right = net->get("B.outputs.default");
  for (Index pixel = 0; pixel < 32; ++pixel)
    for (Index channel = 0; channel < 4; ++channel)
      CHECK(joined.value(4 * pixel + channel) ==
            (channel < 2 ? left.value(2 * pixel + channel) : right.value(2 * pixel + channel - 2)));
  CHECK(check_gradients(*net, 10, 1).passed);
}

TEST_CASE("a convolution has one default activation however it is made") {
  Architecture a;
  a.input({{"default", {"T", "B", 3, 3, 1}}});
  a["Input"] >> a.add("C", "Convolution2D", {{"num_filters", 1}, {"kernel_size", {3, 3}}});
  const auto net = network(Architecture::from_json(a.to_json()));
  net->provide({{{"default", noise(Shape{1, 1, 3, 3, 1})}}});
  net->set_parameter("C.bias", HostArray::of<double>(Shape{1}, {-5}));
  net->set_parameter("C.W", HostArray(DType::F64, Shape{1, 3, 3, 1}));
  net->forward(Mode::Eval);
  CHECK(net->get("C.outputs.default").value(0) == Approx(std::tanh(-5.0)));
}

TEST_CASE("networks with any initializer and any modifier are saved and come back") {
  const Folder folder;
  const auto of = [](const char* type, const json& options = json::object()) {
    json j = {{"@type", type}};
    j.update(options);
    return j;
  };
  const json initializers = {of("DenseSqrtFanIn", {{"scale", "tanh"}}),
                             of("DenseSqrtFanInOut"),
                             of("EchoState", {{"spectral_radius", 0.9}}),
                             of("Gaussian", {{"std", 0.3}, {"mean", 1.0}}),
                             of("Identity", {{"scale", 0.5}}),
                             of("LstmOptInit", {{"input_block", of("Uniform")}, {"forget_gate", 1.0}}),
                             of("Orthogonal"),
                             of("RandomWalk"),
                             of("SparseInputs", {{"sub_initializer", of("Gaussian")}, {"connections", 2}}),
                             of("SparseOutputs", {{"sub_initializer", of("Gaussian")}, {"connections", 2}}),
                             of("Uniform", {{"low", -0.5}, {"high", 0.25}}),
                             json::array({{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}}),
                             0.125};
  const json modifiers = {of("ConstrainL2Norm", {{"limit", 0.5}}),
                          of("ClipValues", {{"low", -0.1}}),
                          of("MaskValues", {{"mask", {{1, 0, 1, 0}, {1, 0, 1, 0}, {1, 0, 1, 0}, {1, 0, 1, 0}}}}),
                          of("FreezeValues"),
                          of("L1Decay", {{"factor", 0.5}}),
                          of("L2Decay", {{"factor", 0.5}})};
  Architecture a;
  a.input({{"default", {"T", "B", 4}}});
  a["Input"] >> a.add("F", "FullyConnected", {{"size", 4}}) >> a.add("Loss", "Loss");
  for (std::size_t i = 0; i < initializers.size(); ++i) {
    INFO(initializers[i].dump());
    Network net(a, catalog(), make_handler("cpu:f64"));
    net.initialize({{"F", {{"W", initializers[i]}, {"bias", 0}}}}, 11);
    const json& modifier = modifiers[i % modifiers.size()];
    const bool decay = modifier["@type"] == "L1Decay" || modifier["@type"] == "L2Decay";
    (decay ? net.set_gradient_modifiers({{"F", {{"W", modifier}}}})
           : net.set_weight_modifiers({{"F", {{"W", modifier}}}}));
    save_as_hdf5(net, folder / "n.hdf5");
    const ImportedNetwork back = import_network(folder / "n.hdf5", catalog(), nullptr);
    for (const auto& note : back.notes) CHECK(note.find("left out") == std::string::npos);
    CHECK(back.network->get("parameters") == net.get("parameters"));
    for (const char* key : {"initializers", "weight_modifiers", "gradient_modifiers"})
      CHECK(back.network->describe()[key] == net.describe()[key]);
    const auto again = network_from(net.describe(), catalog(), make_handler("cpu:f64"));
    CHECK(again->get("parameters") == net.get("parameters"));
    for (Network* one : {&net, again.get(), back.network.get()}) {  // it works, too
      one->provide({{{"default", noise(Shape{1, 2, 4})}}});
      one->forward(Mode::Train);
      one->backward();
      one->apply_weight_modifiers();
    }
    CHECK(again->get("parameters") == net.get("parameters"));
    CHECK(back.network->get("gradients") == net.get("gradients"));
  }
}

TEST_CASE("gains and statistics of BatchNorm keep their own first values in a net of a spec") {
  const SpecNetwork spec = create_net_from_spec("F4 B", {.in_shape = {{3}}, .out_shape = {{2}}});
  Network net(spec.architecture, catalog(), make_handler("cpu:f64"));
  net.initialize(spec.initialize, 1);
  const auto values = [&](const char* path) { return net.get(path).doubles(); };
  CHECK(values("BatchNorm.parameters.gamma") == std::vector<double>(4, 1));
  CHECK(values("BatchNorm.parameters.beta") == std::vector<double>(4, 0));
  CHECK(values("BatchNorm.state.mu") == std::vector<double>(4, 0));
  CHECK(values("BatchNorm.state.sigma") == std::vector<double>(4, 1));
}

TEST_CASE("rows are constrained by their norm through operations of the handler") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("F", "FullyConnected", {{"size", 2}}) >> a.add("Loss", "Loss");
  const auto net = network(a, "debug:cpu:f64");
  net->set_parameter("F.W", HostArray::of<double>(Shape{2, 2}, {3, 4, 0.1, 0.1}));
  net->set_weight_modifiers({{"F", {{"W", {{"@type", "ConstrainL2Norm"}, {"limit", 2.5}}}}}});
  net->provide({{{"default", noise(Shape{1, 2, 2})}}});
  net->forward(Mode::Train);
  net->backward();
  net->apply_weight_modifiers();
  CHECK(net->get("F.parameters.W").doubles() == std::vector<double>{1.5, 2, 0.1, 0.1});
}

TEST_CASE("a trainer that has trained is described as before with finite numbers and without data") {
  const auto net = network(classifier("F4"));
  std::vector<json> hooks{{{"@type", "MonitorScores"}},
                          {{"@type", "SaveBestNetwork"}, {"log_name", "validation.total_loss"}, {"criterion", "min"}},
                          {{"@type", "ProgressBar"}},
                          {{"@type", "EarlyStopper"}, {"log_name", "validation.total_loss"}},
                          {{"@type", "StopOnNan"}}};
  Trainer trainer(*net, std::make_unique<Stepper>(catalog().of<UpdateRule>().make({{"@type", "Sgd"}}, "", catalog())),
                  {Task()});
  for (const auto& hook : hooks) trainer.add_hook(catalog().of<Hook>().make(hook, "", catalog()));
  const auto described = [&] {
    json all = json::array({trainer.stepper().rule().describe()});
    for (const auto& hook : trainer.hooks()) all.push_back(hook->describe());
    return all;
  };
  const json before = described();
  Minibatches data(points(8), {.batch_size = 4});
  Minibatches validation(points(4), {.batch_size = 4});
  trainer.train(data, {{"validation", &validation}}, 2);
  CHECK(described() == before);
  CHECK(before.size() == 6);
  CHECK(before.dump().find("inf") == std::string::npos);
  CHECK(before.dump().size() < 600);
}

TEST_CASE("hooks of updates may watch logs that come with the first epoch") {
  const auto net = network(classifier("F4"));
  Trainer trainer(*net, std::make_unique<Stepper>(catalog().of<UpdateRule>().make({{"@type", "Sgd"}}, "", catalog())),
                  {Task()});
  for (const json& hook : std::vector<json>{
           {{"@type", "EarlyStopper"}, {"log_name", "rolling_training.total_loss"}, {"timescale", "update"}},
           {{"@type", "SaveBestNetwork"}, {"log_name", "rolling_training.total_loss"}, {"timescale", "update"}},
           {{"@type", "StopAfterThresholdReached"},
            {"log_name", "rolling_training.total_loss"},
            {"threshold", -1.0},
            {"timescale", "update"}}})
    trainer.add_hook(catalog().of<Hook>().make(hook, "", catalog()));
  Minibatches data(points(8), {.batch_size = 2});
  CHECK(trainer.train(data, {}, 1) == Ended::Finished);
  CHECK(trainer.progress().update == 4);
}

TEST_CASE("sizes come from data that have them whichever is given first") {
  Architecture a;
  a.input({{"per_example", {"B", 2}}, {"default", {"T", "B", 2}}});
  a["Input.per_example"] >> a.add("F", "FullyConnected", {{"size", 1}}) >> a.add("Loss", "Loss");
  a["Input.default"] >> a.add("R", "Recurrent", {{"size", 2}}) >> a.add("Loss2", "Loss");
  const auto net = network(a);
  for (const bool swap : {false, true}) {
    Batch batch;
    batch.fields = {{"per_example", noise(Shape{3, 2})}, {"default", noise(Shape{5, 3, 2})}};
    if (swap) std::swap(batch.fields[0], batch.fields[1]);
    net->provide(batch);
    net->forward(Mode::Train);
    CHECK(net->get("R.outputs.default").shape() == Shape{5, 3, 2});
    CHECK(net->get("F.outputs.default").shape() == Shape{3, 1});
  }
}

TEST_CASE("twelve sources of one input in any order need no search") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a.add("End", "FullyConnected", {{"size", 1}}) >> a.add("Loss", "Loss");
  for (int i = 0; i < 12; ++i) {
    const std::string name = concat("F", 12 - i);
    a["Input"] >> a.add(name, "FullyConnected", {{"size", 1 + i % 3}, {"activation", "tanh"}}) >> a["End"];
    if (i > 1) a[concat("F", 13 - i)] >> a[name];  // chained, too: readers that overlap
  }
  const auto net = network(a);
  net->provide({{{"default", noise(Shape{1, 2, 2})}}});
  CHECK(check_gradients(*net, 5, 1).passed);
}
