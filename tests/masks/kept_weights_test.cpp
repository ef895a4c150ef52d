// Fixed masks: training of the kept weights alone gives what training of all weights with masks gives.
#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

NetOptions options(bool images) {
  NetOptions o;
  o.images = images;
  o.norm = true;
  o.handler = "cpu:f64";
  return o;
}

struct MaskedNet : Net {
  MaskedNet(const NetOptions& o, bool exclusive) : Net(o) {
    Rsn2 masks = rsn2(75);
    masks.options.exclusive = exclusive;
    masks.apply(network, tasks, nullptr, 1);
    network.set_gradient_modifiers({{"*", {{"W", {{"@type", "L2Decay"}, {"factor", 0.01}}}}}});
  }
};

double largest_difference(const HostArray& a, const HostArray& b) {
  REQUIRE(a.shape() == b.shape());
  double most = 0;
  for (Index i = 0; i < a.elements(); ++i) most = std::max(most, std::abs(a.value(i) - b.value(i)));
  return most;
}

}  // namespace

TEST_CASE("Kept weights alone train as masked weights do", "[training]") {
  for (const bool images : {false, true})
    for (const bool exclusive : {true, false})
      for (const char* rule : {"Sgd", "Momentum", "Adam", "AdamW"}) {
        CAPTURE(images, exclusive, rule);
        MaskedNet whole(options(images), exclusive);
        MaskedNet kept(options(images), exclusive);
        CHECK(kept.network.keep_only_masked(0.6) == (images ? 3 : 2));
        CHECK(kept.entry("hidden").form == ParameterForm::Kept);
        const auto stored = kept.entry("hidden").elements();
        CHECK(stored < whole.entry("hidden").elements() / (exclusive ? 1 : 2));
        for (Net* net : {&whole, &kept}) {
          Stepper stepper = make_stepper({{"@type", rule}, {"learning_rate", 0.01}});
          stepper.start(net->network);
          train(*net, stepper, 20);
        }
        for (const char* layer : {"hidden", "out"}) {
          CHECK(largest_difference(whole.value(layer), kept.value(layer)) < 1e-9);
          CHECK(whole.mask(layer, 0) == kept.mask(layer, 0));
          CHECK(whole.mask(layer, 1) == kept.mask(layer, 1));
        }
      }
}

TEST_CASE("Kept weights are spread again with their values and masks", "[training]") {
  for (const bool exclusive : {true, false}) {
    MaskedNet net(options(true), exclusive);
    const ParameterForm form = net.entry("hidden").form;
    const HostArray values = net.value("hidden");
    const HostArray owners = net.entry("hidden").mask;
    net.network.keep_only_masked(0.6);
    CHECK(net.value("hidden") == values);
    CHECK(net.network.store().spread_form(net.entry("hidden")) == form);
    net.network.store().spread_all();
    CHECK(net.entry("hidden").form == form);
    CHECK(net.value("hidden") == values);
    CHECK(net.entry("hidden").mask == owners);
  }
}

TEST_CASE("A resting task keeps the bits of its kept weights", "[training]") {
  MaskedNet net(options(false), true);
  net.network.keep_only_masked(0.6);
  const HostArray before = net.value("hidden");
  Stepper stepper = make_stepper({{"@type", "AdamW"}, {"weight_decay", 0.1}});
  stepper.start(net.network);
  train(net, stepper, 10, {"b"});
  const HostArray after = net.value("hidden");
  const Index slice = before.elements() / 2;
  Index moved = 0;
  for (Index i = 0; i < before.elements(); ++i) {
    if (i < slice) REQUIRE(after.value(i) == before.value(i));
    moved += after.value(i) != before.value(i) ? 1 : 0;
  }
  CHECK(moved > 0);
}

TEST_CASE("Weights that something else needs whole are not kept apart", "[training]") {
  MaskedNet net(options(false), true);
  net.network.set_weight_modifiers({{"hidden", {{"W", {{"@type", "ConstrainL2Norm"}, {"limit", 2.0}}}}}});
  CHECK(net.network.keep_only_masked(0.6) == 1);
  CHECK(net.entry("hidden").form == ParameterForm::Packed);
  CHECK(net.entry("out").form == ParameterForm::Kept);
  CHECK(net.network.keep_only_masked(0.0) == 0);
  Rsn2 again = rsn2(75);
  again.apply(net.network, net.tasks, nullptr, 1);  // needs all weights, and gets them
  CHECK(net.entry("out").form == ParameterForm::Packed);
}
