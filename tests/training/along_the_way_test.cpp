// Updates that are made while gradients are found.
#include "training_support.hpp"

using namespace training_test;

namespace {

struct Case {
  Index inputs, hidden, batch;
};
// One example, few, more than fill a piece of the product's depth; a row of weights that is no whole number of
// vectors, one longer than a tile, one longer than a piece that may be taken.
const Case kCases[] = {{5, 7, 1},      {310, 70, 1},  {337, 70, 3}, {530, 33, 40},
                       {190, 96, 300}, {2100, 20, 8}, {17000, 9, 2}};

Batch all_of(Index examples, Index inputs) {
  Undivided data(blobs(examples, inputs, 3, 5));
  data.restart(0);
  Batch batch;
  data.next(batch);
  return batch;
}

std::vector<double> trained(const Case& c, const json& rule, bool keep, const std::string& handler, int threads) {
  Network net(classifier(c.inputs, c.hidden, 3), catalog(), test::make_under_test(handler, {.threads = threads}));
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.1}}}}, 7);
  const auto s = stepper(rule);
  s->start(net);
  s->keep_gradients(keep);
  net.provide(all_of(c.batch, c.inputs));
  const PassId pass = net.pass(Mode::Train);
  for (int i = 0; i < 4; ++i) s->step(pass, {0, i});
  return net.get("parameters").doubles();
}

}  // namespace

TEST_CASE("an update made while gradients are found is the one made after them") {
  for (const Case& c : kCases)
    for (const json& rule : every_rule())
      for (const int threads : {1, 3}) {
        // Rules that divide by the size of a gradient blow up rounding in single precision.
        for (const char* handler : {"cpu:f64", "cpu:f32"}) {
          if (rule["@type"] != "Momentum" && std::string_view(handler) == "cpu:f32") continue;
          INFO(handler << " " << c.inputs << " x " << c.hidden << ", " << c.batch << " examples, " << rule);
          const auto after = trained(c, rule, true, handler, 1);
          const auto along = trained(c, rule, false, handler, threads);
          // The product of a tile and of the whole matrix may add in another order.
          const double allowed = std::string_view(handler) == "cpu:f64" ? 1e-12 : 2e-5;
          REQUIRE(along.size() == after.size());
          double worst = 0;
          for (std::size_t i = 0; i < after.size(); ++i) worst = std::max(worst, std::abs(along[i] - after[i]));
          CHECK(worst < allowed);
        }
      }
}

TEST_CASE("gradients that became updates are told to be gone and kept ones are there") {
  Network net(classifier(600, 30, 3), catalog(), make_handler("cpu:f32"));
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.1}}}}, 7);
  const auto s = stepper({{"@type", "Sgd"}, {"learning_rate", 0.1}});
  s->start(net);
  net.provide(all_of(8, 600));
  const PassId pass = net.pass(Mode::Train);
  s->step(pass, {0, 0});
  CHECK_NOTHROW(net.get("Hid.gradients.W"));  // unless somebody says otherwise
  s->keep_gradients(false);
  s->step(pass, {0, 1});
  CHECK(mentions(complaint([&] { net.get("Hid.gradients.W"); }), "keep_gradients"));
  CHECK(mentions(complaint([&] { net.get("gradients"); }), "keep_gradients"));
  s->keep_gradients(true);
  s->step(pass, {0, 2});
  CHECK_NOTHROW(net.get("Hid.gradients.W"));
  s->keep_gradients(false);
  net.set_gradient_modifiers({{"default", {{"@type", "ClipValues"}, {"low", -1.0 / 1024}, {"high", 1.0 / 1024}}}});
  s->step(pass, {0, 3});
  for (const double g : net.get("Hid.gradients.W").doubles()) CHECK(std::abs(g) <= 1.0 / 1024);
}

// Two convolutions, whose plans are different ones, and a dense layer.
Architecture convolutions() {
  Architecture a;
  a.input({{"default", {"T", "B", 9, 8, 2}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("First", "Convolution2D", {{"num_filters", 16}, {"kernel_size", {3, 3}}}) >>
      a.add("Hid", "Convolution2D", {{"num_filters", 20}, {"kernel_size", {3, 3}}}) >>
      a.add("Out", "FullyConnected", {{"size", 3}, {"activation", "linear"}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

TEST_CASE("inference with prepared weights follows every change of the weights") {
  const bool images = GENERATE(false, true);
  const Architecture architecture = images ? convolutions() : classifier(144, 50, 3);
  Network net(architecture, catalog(), make_handler("cpu:f32"));
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.1}}}}, 7);
  const Batch batch = all_of(32, 144);
  const PassId test = net.pass(Mode::Eval);
  net.pin("Out.default");
  const auto predictions = [&](Network& n, PassId pass) {
    n.provide(batch);
    n.forward(pass);
    return n.get("Out.outputs.default").doubles();
  };
  const auto fresh = [&] {
    Network other(architecture, catalog(), make_handler("cpu:f32"));
    for (const auto& e : net.store().entries()) {
      const std::string layer = net.graph().node(e.node).name;
      other.set_parameter(concat(layer, ".", e.info->name), net.get(concat(layer, ".parameters.", e.info->name)));
    }
    other.pin("Out.default");
    return predictions(other, other.pass(Mode::Eval));
  };
  auto last = predictions(net, test);
  CHECK(predictions(net, test) == last);
  const auto changed = [&] {
    const auto now = predictions(net, test);
    CHECK(now != last);
    CHECK(now == fresh());
    last = now;
  };
  const HostArray weights = net.get("Hid.parameters.W");
  net.set_parameter("Hid.W", HostArray::of(weights.shape(), std::vector<double>(weights.doubles().size(), 0.01)));
  changed();
  for (const bool keep : {true, false}) {
    const auto s = stepper({{"@type", "Sgd"}, {"learning_rate", 0.1}});
    s->start(net);
    s->keep_gradients(keep);
    net.provide(batch);
    s->step(net.pass(Mode::Train), {0, 0});
    changed();
  }
  net.set_weight_modifiers({{"default", {{"@type", "ConstrainL2Norm"}, {"limit", 0.05}}}});
  net.forward(net.pass(Mode::Train));
  net.apply_weight_modifiers();
  changed();
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.2}}}}, 8);
  changed();
}
