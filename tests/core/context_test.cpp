// What recurrent layers carry from pass to pass: continued, read, set, kept apart, without allocating.
#include "squall/core/context_store.hpp"

#include "squall/testing/guards.hpp"
#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// y[t] = x[t - 2] + the number of t since the sequences began; keeps two rows in an internal.
class DelayLayer final : public LayerOf<DelayLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Delay", kDoc = "Two steps late.";
  void declare(Declare& d) override {
    x_ = d.input("default", "T B ...");
    y_ = d.output("default", d.like(x_));
    kept_ = d.internal("kept", d.like(x_), {.context = 2});
  }
  void forward(Forward& f) const override {
    const Index time = f.time(x_);
    f.handler().memory().copy(f[x_], f[kept_].slice(2, time));
    for (Index t = 0; t < time; ++t)
      f.handler().elementwise().affine(f[kept_].at(t), 1.0, static_cast<double>(f.first_step(x_) + t), f[y_].at(t));
  }
  void backward(Backward&) const override {}

 private:
  In x_;
  Out y_;
  Internal kept_;
};

const Catalog& with_delay() {
  static const Catalog catalog = [] {
    Catalog c = layer_catalog();
    c.of<Layer>().add<DelayLayer>();
    return c;
  }();
  return catalog;
}

Architecture leaky() {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("L", "Leaky") >> a.add("D", "Delay");
  return a;
}

struct Carrying : Net {
  explicit Carrying(const NetworkOptions& options = inspectable()) : Net(leaky(), with_delay(), options) {}
};

HostArray steps(const HostArray& x, Index first, Index count) {
  return HostArray::copy_of(ConstTensor(x.view()).slice(first, count));
}

// Outputs of D for some steps of x.
HostArray run(Network& net, const HostArray& x, Start start, Mode mode = Mode::Eval) {
  net.provide({{{"default", x}}});
  net.forward(mode, start);
  return net.get("D.outputs.default");
}

void expect_steps(const HostArray& whole, Index first, const HostArray& part) {
  CHECK(steps(whole, first, part.shape()[0]) == part);
}

}  // namespace

TEST_CASE("a sequence in pieces gives what it gives in one piece") {
  const HostArray x = random_array({7, 2, 3}, 4);
  Carrying whole;
  const HostArray y = run(whole, x, Start::Fresh);
  Carrying net;
  expect_steps(y, 0, run(net, steps(x, 0, 3), Start::Fresh));
  expect_steps(y, 3, run(net, steps(x, 3, 1), Start::Continue));  // fewer steps than rows are carried
  expect_steps(y, 4, run(net, steps(x, 4, 1), Start::Continue));
  expect_steps(y, 5, run(net, steps(x, 5, 2), Start::Continue));
  expect_steps(y, 0, run(net, steps(x, 0, 3), Start::Fresh));  // begins anew
}

TEST_CASE("the first pass that continues starts from zeros") {
  const HostArray x = random_array({3, 2, 3}, 4);
  Carrying net, fresh;
  CHECK(run(net, x, Start::Continue) == run(fresh, x, Start::Fresh));
}

TEST_CASE("a context can be read and kept and put into another network") {
  const HostArray x = random_array({6, 2, 3}, 4);
  Carrying whole;
  const HostArray y = run(whole, x, Start::Fresh);
  Carrying first;
  run(first, steps(x, 0, 4), Start::Fresh);
  const Context context = first.get_context();
  REQUIRE(context.rows.size() == 2);
  CHECK(context.rows[0].path == "L.outputs.default");
  CHECK(context.rows[0].values.shape() == Shape{1, 2, 3});
  CHECK(context.rows[0].values == steps(first.get("L.outputs.default"), 3, 1));
  CHECK(context.rows[1].path == "D.internals.kept");
  CHECK(context.rows[1].values.shape() == Shape{2, 2, 3});
  REQUIRE(context.steps.size() == 1);
  CHECK(context.steps[0] == std::pair<std::string, Index>{"T", 4});
  Carrying second;
  second.set_context(Mode::Eval, context);
  expect_steps(y, 4, run(second, steps(x, 4, 2), Start::Continue));
  CHECK(second.get_context().steps[0].second == 6);
  // The network that gave it can go back to it, too.
  run(first, x, Start::Fresh);
  first.set_context(Mode::Eval, context);
  expect_steps(y, 4, run(first, steps(x, 4, 2), Start::Continue));
}

TEST_CASE("passes of other kinds leave a context alone") {
  const HostArray x = random_array({6, 2, 3}, 4);
  const HostArray other = random_array({2, 5, 3}, 9);
  Carrying whole;
  const HostArray y = run(whole, x, Start::Fresh);
  Carrying net({.memory = MemoryMode::Compact});
  net.pin("D.*");
  expect_steps(y, 0, run(net, steps(x, 0, 3), Start::Fresh));
  run(net, other, Start::Fresh, Mode::Train);
  run(net, other, Start::Continue, Mode::Train);
  expect_steps(y, 3, run(net, steps(x, 3, 3), Start::Continue));
  // The other kind has a context of its own.
  CHECK(net.get_context().rows[0].values.shape() == Shape{1, 2, 3});
  run(net, other, Start::Continue, Mode::Train);
  CHECK(net.get_context().rows[0].values.shape() == Shape{1, 5, 3});
  CHECK(net.get_context().steps[0].second == 6);
}

TEST_CASE("a context of another batch size is refused with both shapes") {
  Carrying net;
  run(net, random_array({3, 2, 3}, 4), Start::Fresh);
  const HostArray wider = random_array({3, 4, 3}, 5);
  CHECK(message_of([&] { run(net, wider, Start::Continue); }) ==
        "the context of L.outputs.default is (1, 2, 3), but this batch needs (1, 4, 3); sequences can go on only in "
        "batches of one size");
  CHECK(message_of([&] { run(net, wider, Start::Fresh); }) == "no error");
}

TEST_CASE("contexts that do not fit the network are told by path") {
  Carrying net;
  run(net, random_array({3, 2, 3}, 4), Start::Fresh);
  const Context good = net.get_context();
  const auto refused = [&](const std::function<void(Context&)>& change) {
    Context context = good;
    change(context);
    return message_of([&] { net.set_context(Mode::Eval, context); });
  };
  CHECK(refused([](Context&) {}) == "no error");
  CHECK(refused([](Context& c) { c.rows[0].path = "L.outputs.defalt"; }) ==
        "the network carries no context 'L.outputs.defalt'; did you mean 'L.outputs.default'?");
  CHECK(refused([](Context& c) { c.rows.pop_back(); }) == "the context lacks D.internals.kept");
  CHECK(refused([](Context& c) {
          c.rows[1].values = HostArray(DType::F64, Shape{1, 2, 3});
        }) == "the context for D.internals.kept is (1, 2, 3), but it should be (2, batch size, (3))");
  CHECK(refused([](Context& c) {
          c.rows[0].values = HostArray(DType::F64, Shape{1, 2, 4});
        }) == "the context for L.outputs.default is (1, 2, 4), but it should be (1, batch size, (3))");
}

TEST_CASE("continued passes allocate nothing once their sizes are known") {
  Carrying net({.memory = MemoryMode::Compact});
  const Batch batch{{{"default", random_array({3, 2, 3}, 4)}}};
  const PassId pass = net.pass(Mode::Eval);
  const auto step = [&](Start start) {
    net.provide(batch);
    net.forward(pass, start);
  };
  step(Start::Fresh);
  step(Start::Continue);
  const auto host = squall::testing::allocation_count();
  const auto device = net.handler().memory().allocations();
  for (int i = 0; i < 3; ++i) {
    step(Start::Continue);
    step(Start::Fresh);
  }
  CHECK(squall::testing::allocation_count() == host);
  CHECK(net.handler().memory().allocations() == device);
}
