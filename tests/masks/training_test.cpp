// What training moves: never a masked weight, never a weight of a task that rests.
#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

const std::vector<json>& rules() {
  static const std::vector<json> all{
      {{"@type", "Sgd"}, {"learning_rate", 0.05}},
      {{"@type", "Momentum"}, {"learning_rate", 0.02}, {"momentum", 0.9}},
      {{"@type", "Nesterov"}, {"learning_rate", 0.02}, {"momentum", 0.9}},
      {{"@type", "Adam"}, {"learning_rate", 0.01}},
      {{"@type", "Sgd"}, {"learning_rate", 0.02}, {"momentum", 0.9}, {"weight_decay", 0.1}},
      {{"@type", "AdamW"}, {"weight_decay", 0.1}, {"amsgrad", true}},
      {{"@type", "AdaMax"}, {"weight_decay", 0.1}},
      {{"@type", "NAdam"}, {"weight_decay", 0.1}, {"decoupled", true}},
      {{"@type", "RAdam"}, {"weight_decay", 0.1}},
      {{"@type", "RmsProp"}, {"momentum", 0.5}, {"centered", true}, {"weight_decay", 0.1}},
      {{"@type", "AdaGrad"}, {"weight_decay", 0.1}},
      {{"@type", "AdaDelta"}, {"weight_decay", 0.1}},
      {{"@type", "RProp"}},
      {{"@type", "Asgd"}, {"weight_decay", 0.1}}};
  return all;
}

const json kDecay{{"*", {{"W", {{"@type", "L2Decay"}, {"factor", 0.01}}}}}};
const json kConstrain{{"*", {{"W", {{"@type", "ConstrainL2Norm"}, {"limit", 2.0}}}}}};

// Bits of the storage where nobody may write: free or masked weights.
void check_zero_bits(Net& net, const std::string& layer) {
  const ParameterEntry& e = net.entry(layer);
  const HostArray values = net.network.handler().memory().to_host(net.network.store().storage(e));
  const std::uint8_t closed = e.form == ParameterForm::Packed ? kFreeWeight : 0;
  const HostArray zeros(values.dtype(), Shape{});
  Index outside = 0;
  for (Index i = 0; i < values.elements(); ++i) {
    if (e.mask.span<std::uint8_t>()[static_cast<std::size_t>(i)] != closed) continue;
    ++outside;
    const auto* at = static_cast<const char*>(values.data()) + static_cast<std::size_t>(i) * size_of(values.dtype());
    REQUIRE(std::memcmp(at, zeros.data(), size_of(values.dtype())) == 0);
  }
  CHECK(outside > 0);
}

void modify(Net& net) {
  net.network.set_gradient_modifiers(kDecay);
  net.network.set_weight_modifiers(kConstrain);
}

}  // namespace

TEST_CASE("Masked weights never move, with any stepper and decay", "[training]") {
  for (const auto& rule : rules())
    for (const bool exclusive : {true, false}) {
      CAPTURE(rule.dump(), exclusive);
      Net net;
      Rsn2 masks = rsn2(80);
      masks.options.exclusive = exclusive;
      masks.apply(net.network, net.tasks, nullptr, 1);
      CHECK(net.entry("hidden").form == (exclusive ? ParameterForm::Packed : ParameterForm::Masked));
      modify(net);
      const std::vector<Bytes> before{net.mask("hidden", 0), net.mask("hidden", 1), net.mask("out", 0)};
      const HostArray start = net.value("hidden");
      Stepper stepper = make_stepper(rule);
      stepper.start(net.network);
      train(net, stepper, 100);
      CHECK(before == std::vector<Bytes>{net.mask("hidden", 0), net.mask("hidden", 1), net.mask("out", 0)});
      check_zero_bits(net, "hidden");
      check_zero_bits(net, "out");
      const Index moved = changed(start, net.value("hidden"));
      CHECK(moved <= count(before[0]) + count(before[1]));
      CHECK(moved > (count(before[0]) + count(before[1])) / 2);
    }
}

TEST_CASE("Momentum gathered before the masks moves nothing afterwards", "[training]") {
  for (const auto& rule : rules()) {
    Net net;
    Stepper stepper = make_stepper(rule);
    stepper.start(net.network);
    train(net, stepper, 20);
    Rsn2 masks = rsn2(80);
    masks.options.rescale = masks.options.exclusive = false;  // masked form: the layout and the state stay
    masks.apply(net.network, net.tasks, nullptr, 1);
    REQUIRE(stepper.fits(net.network));
    train(net, stepper, 20);
    check_zero_bits(net, "hidden");
  }
}

TEST_CASE("Training one task leaves the weights of the others alone, bit for bit", "[training]") {
  for (const auto& rule : rules())
    for (const bool exclusive : {true, false}) {
      CAPTURE(rule.dump(), exclusive);
      Net net;
      Rsn2 masks = rsn2(80);
      masks.options.exclusive = exclusive;
      masks.apply(net.network, net.tasks, nullptr, 1);
      modify(net);
      Stepper stepper = make_stepper(rule);
      stepper.start(net.network);
      train(net, stepper, 10);  // both, so that both have momentum
      for (const std::string layer : {"hidden", "out"}) {
        const HostArray w = net.value(layer), bias = net.value(layer, "bias");
        const HostArray says = output_of(net, "b");
        train(net, stepper, 20, {"a"});
        CHECK(changed(slice(w, 1), slice(net.value(layer), 1)) == 0);
        CHECK(changed(slice(bias, 1), slice(net.value(layer, "bias"), 1)) == 0);
        CHECK(changed(slice(w, 0), slice(net.value(layer), 0)) > 0);
        CHECK(output_of(net, "b") == says);
      }
    }
}

TEST_CASE("A packed and a masked network train to the same bits", "[training]") {
  for (const bool images : {false, true})
    for (const auto& rule : rules()) {
      CAPTURE(rule.dump(), images);
      NetOptions o;
      o.images = images;
      std::vector<HostArray> hidden, conv, says;
      for (const bool packed : {true, false}) {
        Net net(o);
        rsn2(80).apply(net.network, net.tasks, nullptr, 1);
        std::vector<ParameterEntry*> all{&net.entry("hidden"), &net.entry("out")};
        if (images) all.push_back(&net.entry("conv"));
        if (!packed) net.network.store().unpack(all);
        CHECK(net.entry("hidden").form == (packed ? ParameterForm::Packed : ParameterForm::Masked));
        modify(net);
        Stepper stepper = make_stepper(rule);
        stepper.start(net.network);
        train(net, stepper, 15);
        train(net, stepper, 15, {"b"});
        hidden.push_back(net.value("hidden"));
        if (images) conv.push_back(net.value("conv"));
        says.push_back(output_of(net, "a"));
      }
      CHECK(changed(hidden[0], hidden[1]) == 0);
      CHECK(says[0] == says[1]);
      if (images) CHECK(changed(conv[0], conv[1]) == 0);
    }
}

TEST_CASE("Packing and unpacking change no output", "[training]") {
  for (const std::string handler : {"cpu:f32", "cpu:f64"}) {
    NetOptions o;
    o.images = true;
    o.handler = handler;
    Net net(o);
    rsn2(75).apply(net.network, net.tasks, nullptr, 1);
    const std::vector<ParameterEntry*> all{&net.entry("conv"), &net.entry("hidden"), &net.entry("out")};
    const HostArray w = net.value("conv"), a = output_of(net, "a"), b = output_of(net, "b");
    const Index packed = net.network.parameters().elements();
    net.network.store().unpack(all);
    CHECK(net.entry("conv").form == ParameterForm::Masked);
    CHECK(net.network.parameters().elements() > packed);
    CHECK(net.value("conv") == w);
    CHECK(output_of(net, "a") == a);
    CHECK(output_of(net, "b") == b);
    net.network.store().pack(all);
    CHECK(net.network.parameters().elements() == packed);
    CHECK(net.value("conv") == w);
    CHECK(output_of(net, "a") == a);
    CHECK(output_of(net, "b") == b);
  }
}

TEST_CASE("Task after task: earlier outputs stay the same, bit for bit", "[training]") {
  for (const bool images : {false, true})
    for (const auto& rule : rules()) {
      CAPTURE(rule.dump(), images);
      NetOptions o;
      o.names = task_names(3);
      o.images = images;
      Net net(o);
      modify(net);
      Rsn2 masks = rsn2(70);
      masks.options.mode = Rsn2Mode::Sequential;
      std::vector<HostArray> says;
      for (std::size_t t = 0; t < 3; ++t) {
        const HostArray before = output_of(net, o.names[t]);
        masks.apply(net.network, std::span(&net.tasks[t], 1), nullptr, 1);
        CHECK(net.entry("hidden").form == (t < 2 ? ParameterForm::Masked : ParameterForm::Packed));
        Stepper stepper = make_stepper(rule);
        stepper.start(net.network);
        train(net, stepper, 30, {o.names[t]});
        says.push_back(output_of(net, o.names[t]));
        CHECK_FALSE(says[t] == before);
        for (std::size_t earlier = 0; earlier < t; ++earlier) {
          CAPTURE(t, earlier);
          CHECK(output_of(net, o.names[earlier]) == says[earlier]);
        }
      }
      for (const std::string layer : {"hidden", "out"})
        for (const int n : net.owners(layer)) REQUIRE(n <= 1);
    }
}

TEST_CASE("The last of the tasks is refused when the others left too little", "[training]") {
  NetOptions o;
  o.names = task_names(3);
  Net net(o);
  Rsn2 masks = rsn2(60);
  masks.options.mode = Rsn2Mode::Sequential;
  masks.apply(net.network, std::span(&net.tasks[0], 1), nullptr, 1);
  masks.apply(net.network, std::span(&net.tasks[1], 1), nullptr, 1);
  CHECK_THROWS_WITH(masks.apply(net.network, std::span(&net.tasks[2], 1), nullptr, 1),
                    Catch::Contains("hidden.W has 9 weights per unit, of which earlier tasks own 8, but 1 task at 60 % "
                                    "wants 4; raise sparsity to at least 87.6 or use fewer tasks"));
}

TEST_CASE("A first task may not take everything", "[training]") {
  Net net;
  Rsn2 masks = rsn2(0);
  masks.options.mode = Rsn2Mode::Sequential;
  CHECK_THROWS_WITH(masks.apply(net.network, std::span(&net.tasks[0], 1), nullptr, 1),
                    Catch::Contains("hidden.W has 9 weights per unit, all of which one task at 0 % wants"));
}

TEST_CASE("Sparse training learns", "[training]") {
  Net net;
  rsn2(50).apply(net.network, std::span(&net.tasks[0], 1), nullptr, 1);
  Stepper stepper = make_stepper({{"@type", "Adam"}, {"learning_rate", 0.01}});
  stepper.start(net.network);
  train(net, stepper, 1);
  const double first = net.network.total_loss();
  train(net, stepper, 200);
  CHECK(net.network.total_loss() < first / 3);
}
