// Steps that a handler records and repeats: the same bits as ordinary ones, whatever changes from run to run. The CUDA
// handler's recording is tested on the host, too.
#include "handlers/on_host/host_context.hpp"
#include "support/op_case.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// A step as training has them: noise with a counter, a product, a loss that the host may look at, an update whose rate
// changes.
class Step {
 public:
  Step(Handler& h, Index rows) : c_(h), rows_(rows) {
    HostArray start(DType::F64, {rows * 5});
    for (Index i = 0; i < start.elements(); ++i) start.set_value(i, 0.01 * static_cast<double>(i % 13) - 0.05);
    x_ = tensor({rows, 5}, start);
    w_ = tensor({5, 5}, start_of({5, 5}));
    y_ = tensor({rows, 5}, HostArray(DType::F64, {rows * 5}));
    noise_ = tensor({rows, 5}, HostArray(DType::F64, {rows * 5}));
    loss_ = tensor({1}, HostArray(DType::F64, {1}));
    gradient_ = tensor({5, 5}, HostArray(DType::F64, {25}));
  }
  double rate = 0.1;
  std::uint64_t count = 0;
  bool look = false, extra = false, fail = false;
  double seen = 0;

  void operator()() {
    ++count;
    c_.random().bernoulli({7, count}, 0.5, noise_);
    c_.elementwise().binary(Binary::Multiply, x_, noise_, Sink(noise_));
    c_.linalg().matmul(noise_, ConstMatrix(w_).T(), y_);
    c_.linalg().sum_all(y_, Sink(loss_));
    if (extra) c_.elementwise().affine(y_, 2.0, 0.0, Sink(y_));
    if (look) seen = c_.memory().to_host(loss_).doubles()[0];
    if (fail) raise<NumericError>("as it was told");
    c_.linalg().matmul(ConstMatrix(y_).T(), noise_, gradient_);
    c_.optim().sgd({w_.reshaped({25}), gradient_.reshaped({25}), {}, {}, {}, {}}, rate);
  }
  HostArray weights() const { return c_.memory().to_host(w_); }

 private:
  static HostArray start_of(const Shape& shape) {
    HostArray a(DType::F64, {shape.elements()});
    for (Index i = 0; i < a.elements(); ++i) a.set_value(i, 0.3 - 0.05 * static_cast<double>(i % 7));
    return a;
  }
  Tensor tensor(const Shape& shape, const HostArray& values) {
    blocks_.emplace_back(c_.memory(), static_cast<std::size_t>(shape.elements()) * size_of(c_.dtype()));
    const Tensor t(blocks_.back().data(), c_.dtype(), shape);
    c_.memory().upload(values.view().reshaped(shape), t);
    return t;
  }
  Handler& c_;
  Index rows_;
  std::vector<DeviceBlock> blocks_;
  Tensor x_, w_, y_, noise_, loss_, gradient_;
};

// Runs the same steps with and without recording; change(step, number of the run) comes before each.
void same_bits(const std::function<void(Step&, int)>& change, int runs = 7) {
  for (const HandlerUnderTest& one : handlers_under_test()) {
    INFO("handler " << one.name);
    const auto plain = make_under_test(one.name), recording = make_under_test(one.name);
    Step expected(*plain, 17), step(*recording, 17);
    const auto recorded = recording->capture([&] { step(); });
    for (int i = 0; i < runs; ++i) {
      change(expected, i);
      change(step, i);
      expected();
      recorded->run();
      CHECK(step.seen == expected.seen);
      REQUIRE(step.weights() == expected.weights());
    }
  }
}

}  // namespace

TEST_CASE("A recorded step has the bits of an ordinary one while rates and random numbers change", "[gpu]") {
  same_bits([](Step& s, int run) { s.rate = 0.1 / (1 + run); });
}

TEST_CASE("A recorded step may wait for a number in its middle", "[gpu]") {
  same_bits([](Step& s, int) { s.look = true; });
}

TEST_CASE("A recorded step that becomes another one goes on and is recorded anew", "[gpu]") {
  same_bits([](Step& s, int run) { s.extra = run == 4 || run > 6; }, 12);
  same_bits([](Step& s, int run) { s.look = run % 5 == 3; }, 12);
}

TEST_CASE("A recorded step that throws leaves what an ordinary one leaves", "[gpu]") {
  for (const HandlerUnderTest& one : handlers_under_test()) {
    INFO("handler " << one.name);
    const auto plain = make_under_test(one.name), recording = make_under_test(one.name);
    Step expected(*plain, 17), step(*recording, 17);
    const auto recorded = recording->capture([&] { step(); });
    for (int i = 0; i < 9; ++i) {
      step.fail = expected.fail = i == 1 || i == 5;
      if (step.fail) {
        CHECK_THROWS_AS(expected(), NumericError);
        CHECK_THROWS_AS(recorded->run(), NumericError);
      } else {
        expected();
        recorded->run();
      }
      REQUIRE(step.weights() == expected.weights());
    }
  }
}

TEST_CASE("Steps of several sizes are recorded beside each other", "[gpu]") {
  for (const HandlerUnderTest& one : handlers_under_test()) {
    INFO("handler " << one.name);
    const auto plain = make_under_test(one.name), recording = make_under_test(one.name);
    Step large(*plain, 17), small(*plain, 3), l(*recording, 17), s(*recording, 3);
    bool last = false;
    const auto recorded = recording->capture([&] { last ? s() : l(); });
    for (int i = 0; i < 12; ++i) {
      last = i % 4 == 3;
      last ? small() : large();
      recorded->run();
      REQUIRE(l.weights() == large.weights());
      REQUIRE(s.weights() == small.weights());
    }
  }
}

TEST_CASE("Wrong class numbers in a recorded step are told when the host next waits", "[gpu]") {
  for (const HandlerUnderTest& one : handlers_under_test()) {
    INFO("handler " << one.name);
    OpCase c(one);
    const Tensor x = c.constant({3, 4}, 0.5), p = c.nans({3, 4}), loss = c.nans({3});
    const Tensor targets = c.i32({3}, {0, 3, 1});
    const auto plan = c.h().loss().plan(SoftmaxCeSpec{3, 4});
    const auto step = c.h().capture([&] { plan->forward(x, targets, p, loss); });
    for (int i = 0; i < 4; ++i) step->run();
    CHECK(c.read(loss)[0] == Approx(std::log(4.0)));
    c.h().memory().upload(HostArray::of(Shape{3}, Values{0, 9, 1}).view(), targets);
    expect_error<DataError>(
        [&] {
          step->run();
          c.read(loss);
        },
        {"target", "9", "row 1", "0..3"});
    c.h().memory().upload(HostArray::of(Shape{3}, Values{0, 2, 1}).view(), targets);
    step->run();
    CHECK(c.read(loss)[1] == Approx(std::log(4.0)));
  }
}
