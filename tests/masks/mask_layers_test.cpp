// Layers with masks in place of those without, and back, bit for bit.
#include "squall/training/mask_layers.hpp"

#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

HostArray output_of(Network& network, const NetOptions& o, const std::string& task) {
  auto data = batches(o, 16, 16);
  Batch batch;
  data.restart(0);
  REQUIRE(data.next(batch));
  network.provide(batch);
  const std::string layer = o.heads ? "out_" + task : "out";
  const std::string port = o.heads ? "default" : task;
  network.forward(network.pass(Mode::Eval, {layer + "." + port}));
  return network.get(layer + ".outputs." + port);
}

std::vector<std::string> types_of(const Network& network) {
  std::vector<std::string> out;
  for (const auto& node : network.graph().nodes()) out.emplace_back(node.layer->type());
  return out;
}

}  // namespace

TEST_CASE("Masks added and removed again leave the network as it was", "[mask_layers]") {
  for (const bool images : {false, true})
    for (const bool heads : {false, true}) {
      NetOptions o;
      o.images = images;
      o.heads = heads;
      o.norm = true;  // states come along, too
      Net masked(o);
      Stepper stepper = make_stepper({{"@type", "Sgd"}});
      stepper.start(masked.network);
      train(masked, stepper, 2);
      const auto plain = remove_masks(masked.network);
      for (const auto& type : types_of(*plain)) CHECK(type.find("Masked") == std::string::npos);
      const auto again = add_masks(*plain);
      CHECK(types_of(*again) == types_of(masked.network));
      const auto twice = remove_masks(*again);
      CHECK(twice->architecture().to_json() == plain->architecture().to_json());
      CHECK(twice->parameters().elements() == plain->parameters().elements());
      for (const auto& task : o.names) {
        CHECK(::output_of(*plain, o, task) == test::output_of(masked, task));
        CHECK(::output_of(*again, o, task) == test::output_of(masked, task));
        CHECK(::output_of(*twice, o, task) == test::output_of(masked, task));
      }
    }
}

TEST_CASE("Removing masks keeps the outputs of masked and packed networks bit for bit", "[mask_layers]") {
  for (const bool exclusive : {false, true}) {
    NetOptions o;
    o.images = true;
    Net net(o);
    Rsn2 rule = rsn2(70);
    rule.options.exclusive = exclusive;
    rule.apply(net.network, net.tasks, nullptr, 1);
    REQUIRE(net.entry("hidden").form == (exclusive ? ParameterForm::Packed : ParameterForm::Masked));
    const auto plain = remove_masks(net.network);
    CHECK_FALSE(plain->store().any_packed_or_masked());
    for (const auto& task : o.names) CHECK(::output_of(*plain, o, task) == test::output_of(net, task));
  }
}

TEST_CASE("Converting twice and options without a place are refused", "[mask_layers]") {
  Net net;
  CHECK_THROWS_WITH(add_masks(net.network), Catch::Contains("no layer that could get masks"));
  const auto plain = remove_masks(net.network);
  CHECK_THROWS_WITH(remove_masks(*plain), Catch::Contains("no masked layers"));
  Architecture a;
  a.input({{"default", {"T", "B", 4}}});
  a["Input.default"] >> a.add("d", "Dense", {{"units", 3}, {"colour", "blue"}});
  CHECK_THROWS_WITH(with_masked_layers(a, catalog()),
                    "layer 'd' cannot become a MaskedDense, which has no option 'colour'; leave it out or keep the "
                    "Dense");
}

TEST_CASE("Layers of which there is no masked kind stay", "[mask_layers]") {
  Architecture a;
  a.input({{"default", {"T", "B", 4}}});
  a["Input.default"] >> a.add("rnn", "Recurrent", {{"size", 3}}) >> a.add("d", "Dense", {{"units", 2}}) >>
      a.add("f", "FullyConnected", {{"size", 2}});
  const Architecture masked = with_masked_layers(a, catalog());
  CHECK(masked.find("rnn")->type == "Recurrent");
  CHECK(masked.find("d")->type == "MaskedDense");
  CHECK(masked.find("f")->type == "FullyConnected");
  CHECK(without_masked_layers(masked, catalog()).to_json() == a.to_json());
}
