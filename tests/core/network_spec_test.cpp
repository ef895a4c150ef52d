// Networks from a line of text, and the ends of a network wired for a task.
#include "squall/core/network_spec.hpp"

#include <algorithm>

#include "squall/core/network.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/layers/layers.hpp"
#include "support/catch.hpp"
#include "support/graph_checks.hpp"

using namespace squall;
using graph_test::contains;
using graph_test::message_of;

namespace {

const InOutOptions kFlat{.in_shape = {{6}}, .out_shape = {{3}}};
const InOutOptions kImages{.in_shape = {{12, 12, 3}}, .out_shape = {{4}}};

// The layers between Input and the projection, in order, without their connections.
json hidden_layers(std::string_view spec, const InOutOptions& options = kFlat) {
  const SpecNetwork made = create_net_from_spec(spec, options);
  json out = json::array();
  const auto after = [&](const std::string& name) {
    const auto& all = made.architecture.connections();
    return std::ranges::find_if(all, [&](const Connection& c) { return c.from == name && c.output == "default"; })->to;
  };
  for (std::string at = after("Input"); at != "Output_projection"; at = after(at)) {
    const LayerSpec& layer = *made.architecture.find(at);
    json one;
    one["name"] = layer.name;
    one["type"] = layer.type;
    for (const auto& [key, value] : layer.options.items()) one[key] = value;
    out.push_back(one);
  }
  return out;
}

std::string error_of(std::string_view spec) {
  return message_of([&] { create_net_from_spec(spec, kFlat); });
}

json parsed(const char* text) { return json::parse(text); }

}  // namespace

TEST_CASE("every letter of a network spec makes its layer") {
  CHECK(hidden_layers("F7") == parsed(R"([{"name": "FullyConnected", "type": "FullyConnected", "size": 7,
                                           "activation": "rel"}])"));
  CHECK(hidden_layers("R7")[0]["type"] == "Recurrent");
  CHECK(hidden_layers("R7")[0]["activation"] == "tanh");
  CHECK(hidden_layers("L7") == parsed(R"([{"name": "Lstm", "type": "Lstm", "size": 7, "activation": "tanh"}])"));
  CHECK(hidden_layers("B") == parsed(R"([{"name": "BatchNorm", "type": "BatchNorm"}])"));
  CHECK(hidden_layers("D") == parsed(R"([{"name": "Dropout", "type": "Dropout"}])"));
  CHECK(hidden_layers("D.2") == parsed(R"([{"name": "Dropout", "type": "Dropout", "drop_prob": 0.2}])"));
  CHECK(hidden_layers("C32:5p2", kImages) ==
        parsed(R"([{"name": "Convolution2D", "type": "Convolution2D", "num_filters": 32, "kernel_size": [5, 5],
                    "stride": [1, 1], "padding": 2, "activation": "rel"}])"));
  CHECK(hidden_layers("Pa2s2", kImages) ==
        parsed(R"([{"name": "Pooling2D", "type": "Pooling2D", "type": "avg", "kernel_size": [2, 2], "stride": [2, 2],
                    "padding": 0}])"));
  CHECK(hidden_layers("P3", kImages)[0]["type"] == "max");
  CHECK(hidden_layers("Pm3s2p1", kImages)[0]["padding"] == 1);
}

TEST_CASE("activations of a network spec are letters") {
  CHECK(hidden_layers("Fs3")[0]["activation"] == "sigmoid");
  CHECK(hidden_layers("Ft3")[0]["activation"] == "tanh");
  CHECK(hidden_layers("Lr3")[0]["activation"] == "rel");
  CHECK(hidden_layers("Rl3")[0]["activation"] == "linear");
  CHECK(hidden_layers("Cs32:3", kImages)[0]["activation"] == "sigmoid");
}

TEST_CASE("a network spec may have blanks and separators anywhere between its parts") {
  const json plain = hidden_layers("D.2 F1200 D F1200 D");
  CHECK(plain.size() == 5);
  CHECK(plain[0]["name"] == "Dropout_1");
  CHECK(plain[1]["name"] == "FullyConnected_1");
  CHECK(plain[4]["name"] == "Dropout_3");
  CHECK(hidden_layers("  D.2F1200 D\nF 1200\tD ") == plain);
  CHECK(hidden_layers("D 0.2 F 1200 D F1200 D") == plain);
  CHECK(error_of("F:1200") == "network spec 'F:1200', position 2: ':' is neither a layer nor a letter nor a number");
  const json window = hidden_layers("C32:5p2", kImages);
  for (const char* other : {"C32/5p2", "C32|5p2", "C 32 5 p 2", "C32 : 5 | p2", "C+32:5p2"})
    CHECK(hidden_layers(other, kImages) == window);
  CHECK(hidden_layers("").empty());
}

TEST_CASE("what is no network spec is told with its position") {
  CHECK(error_of("F50 x3") == "network spec 'F50 x3', position 5: F takes no further 'x'");
  CHECK(error_of("F50 ?") == "network spec 'F50 ?', position 5: '?' is neither a layer nor a letter nor a number");
  CHECK(error_of("f50") ==
        "network spec 'f50', position 1: a layer begins with one of F, R, L, B, D, C, P, not with 'f'");
  CHECK(error_of("F5 X3") == "network spec 'F5 X3', position 4: there is no layer 'X'; layers are F, R, L, B, D, C, P");
  CHECK(contains(error_of("BF5"), "position 1: there is no layer 'BF'; put a blank"));
  CHECK(error_of("F5 F") == "network spec 'F5 F', position 4: F needs the size as a number");
  CHECK(contains(error_of("F5.5"), "position 2: the size of F should be a whole number, not '5.5'"));
  CHECK(contains(error_of("F-5"), "position 2: the size of F should be at least 1, not -5"));
  CHECK(contains(error_of("F99999999999999999999"), "position 2: the size of F should be at least 1"));
  CHECK(contains(error_of("Fq5"), "position 2: 'q' is no activation"));
  CHECK(contains(error_of("B3"), "position 2: B takes no '3'"));
  CHECK(contains(error_of("D5"), "position 2: the probability of D is written with a point"));
  CHECK(contains(error_of("D1.5"), "position 2: the probability of D should be from 0 to below 1"));
  CHECK(contains(error_of("C32"), "position 1: C needs the size of the window"));
  CHECK(contains(error_of("C32:5q2"), "position 6: 'q' is not p (padding) or s (stride)"));
  CHECK(contains(error_of("C32:5p2p3"), "position 8: 'p' is given twice"));
  CHECK(contains(error_of("P3s0"), "position 4: the stride of P should be at least 1"));
  CHECK(contains(error_of("Px3"), "position 2: 'x' is no kind of pooling"));
  CHECK(contains(error_of("F5."), "position 3: '.' is neither"));
}

TEST_CASE("the ends of a network are wired for each kind of task") {
  const auto criterion = [](TaskType task) {
    Architecture a;
    InOutOptions o = kFlat;
    o.task = task;
    const InOut ends = get_in_out_layers(a, o);
    ends.input >> ends.projection;
    return std::pair(a.find("Output")->type, a.find("Input")->options["out_shapes"]["targets"]);
  };
  CHECK(criterion(TaskType::Classification) == std::pair<std::string, json>("SoftmaxCE", {"T", "B", 1}));
  CHECK(criterion(TaskType::MultiLabel) == std::pair<std::string, json>("SigmoidCE", {"T", "B", 3}));
  CHECK(criterion(TaskType::Regression) == std::pair<std::string, json>("SquaredError", {"T", "B", 3}));
}

TEST_CASE("the ends of a network have the names and connections that were asked for") {
  Architecture a;
  const InOut ends = get_in_out_layers(a, {.in_shape = {{5}},
                                           .out_shape = {{2}},
                                           .data_name = "x",
                                           .targets_name = "y",
                                           .mask_name = "m",
                                           .outlayer_name = "Out"});
  ends.input >> ends.projection;
  CHECK(a.find("Input")->options["out_shapes"] ==
        json{{"x", {"T", "B", 5}}, {"y", {"T", "B", 1}}, {"m", {"T", "B", 1}}});
  auto found = a.connections();
  std::ranges::sort(found);
  CHECK(found == std::vector<Connection>{{"Input", "m", "Mask", "mask"},
                                         {"Input", "x", "Out_projection", "default"},
                                         {"Input", "y", "Out", "targets"},
                                         {"Mask", "default", "Loss", "default"},
                                         {"Out", "loss", "Mask", "default"},
                                         {"Out_projection", "default", "Out", "default"}});
  CHECK(a.find("Out_projection")->options == json{{"size", {2}}, {"activation", "linear"}});
}

TEST_CASE("the projection is a convolution for images unless told otherwise") {
  const auto type = [](std::vector<Index> out, std::optional<bool> use_conv) {
    Architecture a;
    const InOut ends = get_in_out_layers(a, {.in_shape = {{4, 4, 3}}, .out_shape = {out}, .use_conv = use_conv});
    return ends.projection.name() + ":" + a.find("Output_projection")->type;
  };
  CHECK(type({3}, std::nullopt) == "Output_projection:FullyConnected");
  CHECK(type({3}, true) == "Output_projection:FullyConnected");
  CHECK(type({4, 4, 3}, std::nullopt) == "Output_projection:Convolution2D");
  CHECK(type({4, 4, 3}, true) == "Output_projection:Convolution2D");
  CHECK(type({4, 4, 3}, false) == "Output_projection:FullyConnected");
  CHECK(contains(message_of([&] { type({4, 3}, std::nullopt); }), "use_conv"));
}

TEST_CASE("a network spec comes with its initialisation") {
  const SpecNetwork made = create_net_from_spec("F8 B Ft6", kFlat);
  CHECK(made.output == "Output.predictions");
  CHECK(made.initialize == parsed(R"({"FullyConnected_1": {"@type": "DenseSqrtFanInOut", "scale": "rel"},
      "FullyConnected_2": {"@type": "DenseSqrtFanInOut", "scale": "tanh"},
      "Output_projection": {"@type": "DenseSqrtFanInOut", "scale": "linear"},
      "default": {"@type": "Gaussian", "std": 0.1}, "fallback": {"@type": "Gaussian", "std": 0.1}})"));
}

TEST_CASE("networks from specs run for every kind of task") {
  Catalog catalog;
  register_layers(catalog);
  const auto run = [&](const char* spec, const InOutOptions& o) {
    const SpecNetwork made = create_net_from_spec(spec, o);
    Network net(made.architecture, catalog, make_handler("cpu:f64"));
    Batch batch;
    const json& shapes = made.architecture.find("Input")->options["out_shapes"];
    for (const auto& [name, shape] : shapes.items()) {
      std::vector<Index> extents{2, 3};
      for (std::size_t i = 2; i < shape.size(); ++i) extents.push_back(shape[i].get<Index>());
      HostArray a(DType::F64, Shape(std::span<const Index>(extents)));
      for (Index i = 0; i < a.elements(); ++i) a.set_value(i, name == "default" ? 0.1 * static_cast<double>(i % 7) : 1);
      batch.fields.emplace_back(name, a);
    }
    net.provide(batch);
    net.forward(Mode::Train);
    net.backward();
    return net.total_loss();
  };
  for (const TaskType task : {TaskType::Classification, TaskType::MultiLabel, TaskType::Regression}) {
    InOutOptions o = kFlat;
    o.task = task;
    CHECK(run("D.2 F5 B Ft4", o) > 0);
    o.mask_name = "mask";
    CHECK(run("F5", o) > 0);
    InOutOptions images{.task = task, .in_shape = {{6, 6, 2}}, .out_shape = {{6, 6, 3}}};
    CHECK(run("C4:3p1", images) > 0);
  }
  CHECK(run("C4:3p1 P2s2 C6:3 P2 F10", kImages) > 0);
}

TEST_CASE("a network spec is read from JSON and all mistakes are told") {
  const json good =
      parsed(R"({"@spec": "F500 D F500", "task": "classification", "in_shape": [28, 28, 1], "out_shape": 10})");
  CHECK(is_network_spec(good));
  CHECK_FALSE(is_network_spec(parsed(R"({"Input": {"@type": "Input"}})")));
  CHECK(read_architecture(good).find("FullyConnected_2")->options["size"] == 500);
  const std::string text = message_of(
      [&] { network_from_spec(parsed(R"({"@spec": 5, "tusk": 1, "in_shape": "x", "@type": "Network"})"), "network"); });
  for (const char* part : {"'@spec' should be a text", "tusk", "in_shape", "@type"}) CHECK(contains(text, part));
  CHECK(message_of([&] { network_from_spec(parsed(R"({"@spec": "F5 Y", "in_shape": 3, "out_shape": 2})")); }) ==
        "network: network spec 'F5 Y', position 4: there is no layer 'Y'; layers are F, R, L, B, D, C, P");
  CHECK(contains(message_of([&] { network_from_spec(parsed(R"({"@spec": "F5", "in_shape": 3})")); }), "out_shape"));
}
