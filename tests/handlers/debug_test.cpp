// Handlers whose name starts with "debug:" tell where a number stopped being finite; the others compute on.
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// On a debug handler the call throws NumericError naming the operation, elsewhere it passes.
void spoils(OpCase& c, const std::string& who, const std::function<void()>& call) {
  INFO(who);
  if (!c.debug()) return call();
  expect_error<NumericError>(call, {who, "NaN or infinity"});
}

}  // namespace

TEST_CASE("Debug handlers name the elementary operation whose result is not finite", "[ops]") {
  on_all_handlers([](OpCase& c) {
    auto& e = c.h().elementwise();
    const Tensor bad = c.nans({4}), good = c.random({4}, 0.5, 1), out = c.random({4});
    const Tensor yes = c.u8({4}, Values(4, 1));
    spoils(c, "log", [&] { e.unary(Unary::Log, c.constant({4}, 0), Sink(out)); });
    spoils(c, "reciprocal", [&] { e.unary(Unary::Reciprocal, c.constant({4}, 0), Sink(out)); });
    spoils(c, "divide", [&] { e.binary(Binary::Divide, good, c.constant({4}, 0), Sink(out)); });
    spoils(c, "affine", [&] { e.affine(bad, 1, 0, Sink(out)); });
    spoils(c, "fill", [&] { e.fill(out, kNaN); });
    spoils(c, "activate", [&] { e.activate(Activation::Rel, bad, out); });
    spoils(c, "activate_back", [&] { e.activate_back(Activation::Tanh, good, bad, Sink(out)); });
    spoils(c, "copy_if", [&] { e.copy_if(bad, yes, out); });
    spoils(c, "add_if", [&] { e.add_if(bad, yes, out); });
    spoils(c, "fill_if", [&] { e.fill_if(kNaN, yes, out); });
    spoils(c, "select_owner", [&] { e.select_owner(bad, yes, 1, Sink(out)); });
    spoils(c, "cast", [&] { e.cast(bad, out); });
    spoils(c, "add", [&] { e.binary(Binary::Add, good, good, Sink(c.nans({4}), Write::Add)); });
    auto& l = c.h().linalg();
    const Tensor m = c.random({2, 2}), spoilt = c.nans({2, 2}), to = c.random({2, 2}), v = c.random({2});
    const Tensor index = c.i32({2}, {0, 1});
    spoils(c, "matmul", [&] { l.matmul(m, spoilt, to); });
    spoils(c, "add", [&] { l.with_row(Binary::Add, m, c.nans({2}), to); });
    spoils(c, "multiply", [&] { l.with_column(Binary::Multiply, m, c.nans({2}), to); });
    spoils(c, "sum_rows", [&] { l.sum_rows(spoilt, Sink(v)); });
    spoils(c, "sum_columns", [&] { l.sum_columns(spoilt, Sink(v)); });
    spoils(c, "sum_all", [&] { l.sum_all(spoilt, Sink(c.random({1}))); });
    spoils(c, "softmax", [&] { l.softmax(spoilt, to); });
    spoils(c, "softmax_back", [&] { l.softmax_back(m, spoilt, to); });
    spoils(c, "pick", [&] { l.pick(spoilt, index, Sink(v)); });
    spoils(c, "gather_rows", [&] { l.gather_rows(spoilt, index, to); });
    spoils(c, "scatter_add_rows", [&] { l.scatter_add_rows(spoilt, index, to); });
    spoils(c, "copy_block", [&] { l.copy_block(spoilt, to); });
  });
}

TEST_CASE("Debug handlers name the update whose result is not finite", "[ops]") {
  on_all_handlers([](OpCase& c) {
    auto& o = c.h().optim();
    const auto range = [&] {
      return UpdateRange{c.random({3}), c.nans({3}), c.random({3}), c.random({3}, 0, 1), {}, {}};
    };
    spoils(c, "sgd", [&] { o.sgd(range(), 0.1); });
    spoils(c, "momentum", [&] { o.momentum(range(), 0.1, 0.9); });
    spoils(c, "nesterov_ahead", [&] { o.nesterov_ahead(range(), kNaN); });
    spoils(c, "nesterov_correct", [&] { o.nesterov_correct(range(), 0.1); });
    spoils(c, "adam", [&] { o.update(range(), formulas::Adam{0.1, 0.9, 0.9, 1e-8}); });
    spoils(c, "l2_decay", [&] { o.l2_decay(c.nans({3}), 1, c.random({3})); });
  });
}

TEST_CASE("Debug handlers name the plan whose result is not finite", "[ops]") {
  on_all_handlers([](OpCase& c) {
    const Tensor bad = c.nans({2, 2}), x = c.random({2, 2}), y = c.random({2, 2}), v = c.random({2}, 0.5, 1);
    const auto dense = c.h().dense().plan({2, 2, 2, Activation::Linear, true});
    give_memory(c, *dense);
    spoils(c, "", [&] { dense->forward(bad, {x, nullptr}, v, y); });
    spoils(c, "", [&] { dense->backward(x, {x, nullptr}, y, c.nans({2, 2}), Sink(c.random({2, 2})), {}, {}); });
    ConvSpec spec;
    spec.images = 2, spec.window = {2, 1, 1}, spec.filters = 1, spec.bias = false;
    const auto conv = c.h().conv().plan(spec);
    give_memory(c, *conv);
    const Tensor image = c.nans({2, 2, 1, 1}), map = c.random({2, 2, 1, 1});
    spoils(c, "", [&] { conv->forward(image, {c.random({1, 1, 1, 1}), nullptr}, {}, map); });
    const auto norm = c.h().norm().plan(BatchNormSpec{2, 2});
    give_memory(c, *norm);
    spoils(c, "", [&] { norm->forward(bad, v, v, v, v, true, y); });
    const auto loss = c.h().loss().plan({2, 2});
    give_memory(c, *loss);
    spoils(c, "softmax", [&] { loss->forward(bad, c.i32({2}, {0, 1}), y, {}); });
    spoils(c, "sigmoid_ce", [&] { c.h().loss().sigmoid_ce(bad, {}, y, {}); });
    spoils(c, "sigmoid_ce_back", [&] { c.h().loss().sigmoid_ce_back(x, x, bad, Sink(y)); });
  });
}
