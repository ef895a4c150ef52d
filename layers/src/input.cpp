// Input: where data enters a network; its outputs are filled by Network::provide().
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/json.hpp"

namespace squall {

struct InputLayerOptions {
  json out_shapes = json::object();
  static constexpr auto fields = std::tuple{
      field("out_shapes", &InputLayerOptions::out_shapes,
            "names of the data to their shapes: {\"default\": [\"T\", \"B\", 784], \"targets\": [\"T\", \"B\", 1]}")};
};

class Input final : public LayerOf<Input, InputLayerOptions> {
 public:
  static constexpr std::string_view kType = "Input";
  static constexpr std::string_view kDoc = "Where data enters the network; it must be named Input.";

  void declare(Declare& d) override {
    if (!options.out_shapes.is_object() || options.out_shapes.empty())
      d.fail("option 'out_shapes' should name the data and their shapes, like {\"default\": [\"T\", \"B\", 784]}, not ",
             options.out_shapes.dump());
    for (const auto& [name, extents] : options.out_shapes.items())
      d.output(name, d.shape_of(extents, concat("out_shapes.", name)));
  }
  void forward(Forward&) const override {}
  void backward(Backward&) const override {}
};

void register_input(Catalog& catalog) { catalog.of<Layer>().add<Input>(); }

}  // namespace squall
