// The rules that are objects, against the same rules written out in double.
#include "handlers/update_rule_check.hpp"

using namespace squall;
using namespace squall::test;
using namespace update_test;

namespace {

void check(const UpdateFormula& formula, const std::string& who, int states, const Rule& rule, double low0 = -1) {
  const Update update = [&](OptimOps& ops, const UpdateRange& p) { ops.update(p, formula); };
  on_all_handlers([&](OpCase& c) {
    check_rule(c, update, rule, low0);
    check_refusals(c, who, update, true, states);
  });
}

}  // namespace

OP_CASE("OptimOps::update", "of Adam scales by the root of the second moment") {
  for (const double root_scale : {1.0, 1.7}) {
    formulas::Adam f{0.01, 0.9, 0.99, 1e-3, root_scale};
    f.decay = 0.1, f.shrink = 0.95, f.gradient_rate = 0.02;
    check(f, "adam", 2, [=](Weight& w) {
      w.value *= 0.95;
      const double g = w.gradient + 0.1 * w.value;
      w.state0 = 0.9 * w.state0 + 0.1 * g;
      w.state1 = 0.99 * w.state1 + 0.01 * g * g;
      w.value -= (0.01 * w.state0 + 0.02 * g) / (std::sqrt(w.state1) * root_scale + 1e-3);
    });
  }
  on_all_handlers([](OpCase& c) {
    const UpdateRange p{c.random({2}), c.random({2}), c.random({2}), c.random({2}, 0, 1), {}, {}};
    OptimOps& o = c.h().optim();
    expect_error([&] { o.update(p, formulas::Adam{0.1, 1.5, 0.9, 1e-8}); }, {"adam", "1.5"});
    expect_error([&] { o.update(p, formulas::Adam{0.1, 0.9, -0.5, 1e-8}); }, {"adam", "-0.5"});
    expect_error([&] { o.update(p, formulas::Adam{0.1, 0.9, 0.9, -1}); }, {"adam", "epsilon -1"});
    expect_error([&] { o.update(p, formulas::AdaDelta{0.1, 1.9, 0.9}); }, {"adadelta", "keep 1.9"});
  });
}

TEST_CASE("AmsGrad divides by the largest second moment") {
  formulas::AmsGrad f{0.01, 0.9, 0.8, 1e-3, 1.7, 0.1, 0.95};
  check(f, "amsgrad", 3, [](Weight& w) {
    w.value *= 0.95;
    const double g = w.gradient + 0.1 * w.value;
    w.state0 = 0.9 * w.state0 + 0.1 * g;
    w.state1 = 0.8 * w.state1 + 0.2 * g * g;
    w.state2 = std::max(w.state2, w.state1);
    w.value -= 0.01 * w.state0 / (std::sqrt(w.state2) * 1.7 + 1e-3);
  });
}

TEST_CASE("DecayedDescent steps against gradient and weight") {
  check(formulas::DecayedDescent{0.1, 0.2}, "decayed_descent", 0,
        [](Weight& w) { w.value -= 0.1 * (w.gradient + 0.2 * w.value); });
}

TEST_CASE("Descent sums gradients up before the rate") {
  for (const bool nesterov : {false, true})
    check(formulas::Descent{0.1, 0.9, 0.2, 0.7, nesterov ? 1.0 : 0.0, nesterov ? 0.9 : 1.0}, "descent", 1,
          [=](Weight& w) {
            const double g = w.gradient + 0.2 * w.value;
            w.state0 = 0.9 * w.state0 + 0.7 * g;
            w.value -= 0.1 * (nesterov ? g + 0.9 * w.state0 : w.state0);
          });
}

TEST_CASE("AdaMax divides by the largest gradient") {
  check(formulas::AdaMax{0.01, 0.9, 0.99, 1e-3, 0.1}, "adamax", 2, [](Weight& w) {
    const double g = w.gradient + 0.1 * w.value;
    w.state0 = 0.9 * w.state0 + 0.1 * g;
    w.state1 = std::max(0.99 * w.state1, std::abs(g) + 1e-3);
    w.value -= 0.01 * w.state0 / w.state1;
  });
}

TEST_CASE("RmsProp with and without momentum and centring") {
  const auto rule = [](bool momentum, bool centered) {
    return [=](Weight& w) {
      const double g = w.gradient + 0.1 * w.value;
      w.state0 = 0.9 * w.state0 + 0.1 * g * g;
      double square = w.state0;
      if (centered) {
        double& mean = momentum ? w.state2 : w.state1;
        mean = 0.9 * mean + 0.1 * g;
        square = std::max(0.0, square - mean * mean);
      }
      double step = g / (std::sqrt(square) + 0.1);
      if (momentum) step = w.state1 = 0.5 * w.state1 + step;
      w.value -= 0.01 * step;
    };
  };
  check(formulas::RmsProp<false, false>{0.01, 0.9, 0.1, 0.5, 0.1}, "rmsprop", 1, rule(false, false), 0);
  check(formulas::RmsProp<true, false>{0.01, 0.9, 0.1, 0.5, 0.1}, "rmsprop", 2, rule(true, false), 0);
  check(formulas::RmsProp<false, true>{0.01, 0.9, 0.1, 0.5, 0.1}, "rmsprop", 2, rule(false, true), 0);
  check(formulas::RmsProp<true, true>{0.01, 0.9, 0.1, 0.5, 0.1}, "rmsprop", 3, rule(true, true), 0.5);
}

TEST_CASE("AdaGrad divides by the root of the sum of squares") {
  check(
      formulas::AdaGrad{0.1, 1e-3, 0.1}, "adagrad", 1,
      [](Weight& w) {
        const double g = w.gradient + 0.1 * w.value;
        w.state0 += g * g;
        w.value -= 0.1 * g / (std::sqrt(w.state0) + 1e-3);
      },
      0);
}

TEST_CASE("AdaDelta takes steps in units of the weight") {
  check(
      formulas::AdaDelta{0.1, 0.9, 1e-3, 0.1}, "adadelta", 2,
      [](Weight& w) {
        const double g = w.gradient + 0.1 * w.value;
        w.state0 = 0.9 * w.state0 + 0.1 * g * g;
        const double step = std::sqrt(w.state1 + 1e-3) / std::sqrt(w.state0 + 1e-3) * g;
        w.state1 = 0.9 * w.state1 + 0.1 * step * step;
        w.value -= 0.1 * step;
      },
      0);
}

TEST_CASE("RProp goes by signs and rests after a change of sign") {
  check(formulas::RProp{0.5, 1.2, 0.1, 0.9}, "rprop", 2, [](Weight& w) {
    const double agree = w.gradient * w.state0;
    w.state1 = std::clamp(w.state1 * (agree > 0 ? 1.2 : agree < 0 ? 0.5 : 1), 0.1, 0.9);
    const double g = agree < 0 ? 0 : w.gradient;
    w.value -= (g > 0) - (g < 0) == 0 ? 0 : std::copysign(w.state1, g);
    w.state0 = g;
  });
}

TEST_CASE("AveragedDescent averages the weights") {
  check(formulas::AveragedDescent{0.1, 0.2, 0.95, 0.25}, "averaged_descent", 1, [](Weight& w) {
    const double g = w.gradient + 0.2 * w.value;
    w.value = w.value * 0.95 - 0.1 * g;
    w.state0 += 0.25 * (w.value - w.state0);
  });
}
