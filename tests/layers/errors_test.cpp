// The texts users meet most, word for word.
#include "squall/core/network.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/layers/layers.hpp"
#include "support/catch.hpp"

namespace {

using namespace squall;

// Problems of a network given as JSON, one per line, without the headline.
std::string problems(const std::string& text) {
  Catalog catalog;
  register_layers(catalog);
  try {
    const Graph graph(Architecture::from_json(parse_json(text, "net.json")), catalog);
  } catch (const ConfigError& e) {
    const std::string all = e.what();
    const auto headline = all.find('\n');
    return headline == std::string::npos ? all : all.substr(headline + 1);
  }
  return "accepted";
}

std::string network(const std::string& shape, const std::string& layer) {
  return R"({"Input": {"@type": "Input", "out_shapes": {"default": )" + shape +
         R"(, "targets": ["T", "B", 1]}, "@outgoing_connections": {"default": ["L.default"]}}, "L": )" + layer + "}";
}

TEST_CASE("messages of layers say what, where and what would be right") {
  struct Row {
    std::string shape, layer, says;
  };
  const std::vector<Row> rows{
      {R"(["T","B",4])", R"({"@type": "FullyConnected", "sise": 3})",
       "layer 'L': unknown option 'sise'; did you mean 'size'?; options are: activation, size"},
      {R"(["T","B",4])", R"({"@type": "FullyConnected", "size": "3"})",
       "layer 'L': option 'size' should be a positive whole number or a list of them, not \"3\""},
      {R"(["T","B",4,4])", R"({"@type": "Convolution2D", "num_filters": 2, "kernel_size": [3, 3]})",
       "Convolution2D 'L': input 'default' should have the features (height, width, channels), but is (T, B, 4, 4)"},
      {R"(["T","B",2,4,1])", R"({"@type": "Convolution2D", "num_filters": 2, "kernel_size": [3, 3]})",
       "Convolution2D 'L': input 'default' is (T, B, 2, 4, 1): with its padding it has 2 x 4 pixels, which is less "
       "than "
       "the window of 3 x 3"},
      {R"(["T","B",4])", R"({"@type": "SoftmaxCE"})",
       "SoftmaxCE 'L': input 'targets' is not connected; connected are: default"},
      {R"(["T","B",4])", R"({"@type": "Dropout", "drop_prob": 1.5})",
       "Dropout 'L': option 'drop_prob' should be in [0, 1), not 1.5"},
      {R"(["T","B",4])", R"({"@type": "SelectorLayer", "tasks": ["default"], "sel_index": 1})",
       "SelectorLayer 'L': option 'sel_index' is 1, but there are 1 tasks: -1 to 0"},
      {R"(["T","B",4])", R"({"@type": "MultiMaskedDense", "units": 3})",
       "MultiMaskedDense 'L': option 'tasks' should list the names of its tasks, like [\"digits\", \"fashion\"]"},
  };
  for (const auto& row : rows) {
    INFO(row.layer);
    CHECK_THAT(problems(network(row.shape, row.layer)), Catch::Contains(row.says));
  }
}

TEST_CASE("a Loss cannot be named total_loss, which stands for the sum of all") {
  CHECK_THAT(problems(R"({"Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 4]},
      "@outgoing_connections": {"default": ["total_loss"]}}, "total_loss": {"@type": "Loss"}})"),
             Catch::Contains("'total_loss' cannot be the name of a layer"));
}

TEST_CASE("a criterion says which shape its targets should have") {
  const std::string text =
      R"({"Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 4], "targets": ["T", "B", 4]},
      "@outgoing_connections": {"default": ["Crit.default"], "targets": ["Crit.targets"]}},
      "Crit": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["Loss"]}}, "Loss": {"@type": "Loss"}})";
  CHECK_THAT(problems(text),
             Catch::Contains("SoftmaxCE 'Crit': input 'targets' should be (T, B, 1) (one class number for "
                             "each row of 'default' (T, B, 4)), but is (T, B, 4)"));
}

}  // namespace
