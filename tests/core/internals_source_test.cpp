// Internals that other layers read.
#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// Input -> Dense W -> Square S; S's copy of its input is read by one more layer.
Architecture watched() {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("W", "Dense", {{"size", 2}}) >> a.add("S", "Square") >> a.add("Loss", "Loss");
  a["S...internals.kept"] >> a.add("Watch", "Tanh") >> a.add("Far", "Tanh") >> a.add("Loss2", "Loss");
  return a;
}

}  // namespace

TEST_CASE("an internal that another layer reads has what its layer put there") {
  for (const MemoryMode memory : {MemoryMode::Compact, MemoryMode::Inspectable}) {
    Net net(watched(), {.memory = memory, .poison = memory == MemoryMode::Compact});
    fill_parameters(net);
    for (const char* output : {"W.default", "Watch.default"}) net.pin(output);
    net.provide(random_batch(net.graph(), 3, 2, 4));
    for (const Mode mode : {Mode::Eval, Mode::Train}) {
      net.forward(mode);
      const HostArray source = net.get("W.outputs.default");
      const HostArray seen = net.get("Watch.outputs.default");
      for (Index i = 0; i < source.elements(); ++i) CHECK(seen.value(i) == Approx(std::tanh(source.value(i))));
    }
  }
}

TEST_CASE("nothing goes back through an internal that another layer reads") {
  Net net(watched(), inspectable());
  fill_parameters(net);
  const Batch batch = random_batch(net.graph(), 3, 2, 4);
  train_step(net, batch);
  const HostArray with = net.get("gradients");
  CHECK(all_zero(net.get("Watch.input_deltas.default")));
  Architecture alone = watched();
  Net other(alone, inspectable());
  fill_parameters(other);
  train_step(other, batch, {"Loss"});
  CHECK(largest_difference(with, other.get("gradients")) == 0);
  CHECK_FALSE(all_zero(with));
}

TEST_CASE("reading an internal makes its layer run and only what that needs") {
  Net net(watched());
  fill_parameters(net);
  net.pin("Watch.default");
  net.provide(random_batch(net.graph(), 3, 2, 4));
  net.forward(net.pass(Mode::Eval, {"Watch"}));
  CHECK_FALSE(all_zero(net.get("Watch.outputs.default")));
  CHECK_FALSE(net.binding().views(net.graph().find("Loss")).outputs[0]);
}

TEST_CASE("internals that cannot be read are told with those that can") {
  const auto error_of = [](const std::string& from) {
    Architecture a = watched();
    a[from] >> a.add("Again", "Tanh");
    try {
      Net net(a);
    } catch (const ConfigError& e) {
      return std::string(e.what());
    }
    return std::string("nothing");
  };
  CHECK(error_of("S...internals.kepd") ==
        "Square 'S': has no internal 'kepd'; did you mean 'kept'?; internals are: kept, scratch, flags");
  CHECK(error_of("S...internals.back") == "Square 'S': has no internal 'back'; internals are: kept, scratch, flags");
  CHECK(error_of("W...internals.H") == "Dense 'W': has no internal 'H'; internals are: none");
  CHECK(error_of("W...states.W") ==
        "Dense 'W': cannot be left from '..states.W'; only outputs, ..parameters.NAME and ..internals.NAME can");
}
