// Recurrent plans, fast and reference: formulas in double forward, finite differences of them backward.
#include "handlers/recurrent_problem.hpp"

using namespace squall;
using namespace squall::test;
using namespace squall::test::recurrent;

namespace {

struct Want {
  std::string name;
  Values values;
  std::function<Sink(const OnDevice&)> got;
};

std::vector<Want> wanted(const Problem& q) {
  std::vector<Want> all;
  const auto add = [&](const std::string& name, const std::function<Values&(Problem&)>& part,
                       const std::function<Sink(const OnDevice&)>& got) {
    all.push_back({name, slope(q, part), got});
  };
  const RecurrentSpec& s = q.s;
  add(
      "dx", [](Problem& v) -> Values& { return v.x; }, [](const OnDevice& o) { return o.d.dx; });
  add(
      "dh_first", [](Problem& v) -> Values& { return v.h0; }, [](const OnDevice& o) { return o.d.dh_first; });
  for (std::size_t k = 0; k < at(gate_count(s.cell)); ++k) {
    const std::string n = std::to_string(k);
    add(
        "dW" + n, [k](Problem& v) -> Values& { return v.W[k]; }, [k](const OnDevice& o) { return o.g.input[k]; });
    add(
        "dR" + n, [k](Problem& v) -> Values& { return v.R[k]; }, [k](const OnDevice& o) { return o.g.recurrent[k]; });
    if (s.bias)
      add(
          "db" + n, [k](Problem& v) -> Values& { return v.b[k]; }, [k](const OnDevice& o) { return o.g.bias[k]; });
    if (s.recurrent_bias)
      add(
          "drb" + n, [k](Problem& v) -> Values& { return v.rb[k]; },
          [k](const OnDevice& o) { return o.g.recurrent_bias[k]; });
  }
  for (std::size_t k = 0; k < 3 && s.peepholes; ++k)
    add(
        "dp" + std::to_string(k), [k](Problem& v) -> Values& { return v.p[k]; },
        [k](const OnDevice& o) { return o.g.peephole[k]; });
  if (s.projection > 0)
    add(
        "dprojection", [](Problem& v) -> Values& { return v.projection; },
        [](const OnDevice& o) { return o.g.projection; });
  if (s.cell == Cell::Lstm)
    add(
        "dc_first", [](Problem& v) -> Values& { return v.c0; }, [](const OnDevice& o) { return o.d.dc_first; });
  return all;
}

std::unique_ptr<RecurrentPlan> make_plan(OpCase& c, const RecurrentSpec& s, bool fast) {
  auto plan = fast ? c.h().recurrent().plan(s) : c.h().recurrent().reference(s);
  give_memory(c, *plan);
  return plan;
}

void check_forward(OpCase& c, const Problem& q, const Outcome& want, const RecurrentRun& run) {
  const double tolerance = 10 * c.tolerance();
  const Index time = q.s.time;
  c.expect(c.read(run.h.slice(1, time)), want.h, tolerance);
  c.expect_exact(run.h.at(0), q.h0);
  c.expect(c.read(run.h_last), want.h_last, tolerance);
  if (!run.c) return;
  c.expect(c.read(run.c.slice(1, time)), want.c, tolerance);
  c.expect_exact(run.c.at(0), q.c0);
  c.expect(c.read(run.c_last), want.c_last, tolerance);
}

void check(OpCase& c, const Problem& q, const Outcome& want, const std::vector<Want>& gradients) {
  for (const bool fast : {true, false}) {
    const auto plan = make_plan(c, q.s, fast);
    INFO(plan->kind());
    for (const Write mode : {Write::Overwrite, Write::Add}) {
      OnDevice o(c, q, mode);
      without_allocation(c, [&] { plan->forward(o.run, o.w); });
      check_forward(c, q, want, o.run);
      for (int again = 0; again < 2; ++again) {  // the second time it must find everything as before
        const OnDevice next(c, q, mode);
        without_allocation(c, [&] { plan->backward(o.run, o.w, next.d, next.g); });
        for (const Want& w : gradients) {
          INFO(w.name << (mode == Write::Add ? ", added" : ""));
          Values values = w.values;
          for (double& v : values) v += mode == Write::Add ? 2 : 0;
          c.expect(c.read(w.got(next).to), values, std::max(20 * c.tolerance(), 1e-8));
        }
        check_forward(c, q, want, o.run);
      }
    }
    RecurrentSpec inference = q.s;
    inference.training = false;
    const auto other = make_plan(c, inference, fast);
    for (const bool keep : {true, false}) {
      const OnDevice o(c, q, Write::Overwrite, keep);
      without_allocation(c, [&] { other->forward(o.run, o.w); });
      check_forward(c, q, want, o.run);
    }
  }
}

RecurrentSpec spec_of(Cell cell, Index time, Index batch, Index in, Index size) {
  RecurrentSpec s;
  s.cell = cell;
  s.time = time;
  s.batch = batch;
  s.in = in;
  s.size = size;
  s.training = true;
  return s;
}

using Change = std::function<void(RecurrentSpec&)>;

void check_all(Cell cell, const std::vector<std::pair<std::string, Change>>& changes, Index first_step = 0) {
  for (const auto& [name, change] : changes)
    for (const auto& size : std::vector<std::array<Index, 4>>{{4, 3, 2, 5}, {1, 1, 1, 1}, {1, 4, 3, 2}, {6, 1, 2, 3}}) {
      RecurrentSpec s = spec_of(cell, size[0], size[1], size[2], size[3]);
      change(s);
      const Problem q = draw(s, first_step);
      const Outcome want = solve(q);
      const auto gradients = wanted(q);
      INFO(name << ": T=" << s.time << " B=" << s.batch << " in=" << s.in << " size=" << s.size);
      on_all_handlers([&](OpCase& c) { check(c, q, want, gradients); });
    }
}

const std::vector<std::pair<std::string, Change>> kWays{
    {"plain", [](RecurrentSpec&) {}},
    {"no bias", [](RecurrentSpec& s) { s.bias = false; }},
    {"two biases", [](RecurrentSpec& s) { s.recurrent_bias = true; }},
    {"only the recurrent bias", [](RecurrentSpec& s) { s.bias = false, s.recurrent_bias = true; }},
    {"reverse", [](RecurrentSpec& s) { s.reverse = true; }},
    {"lengths", [](RecurrentSpec& s) { s.lengths = true; }},
    {"lengths in reverse", [](RecurrentSpec& s) { s.lengths = s.reverse = s.recurrent_bias = true; }},
    {"sigmoid", [](RecurrentSpec& s) { s.activation = Activation::Sigmoid; }},
    {"el", [](RecurrentSpec& s) { s.activation = Activation::El; }},
    {"linear", [](RecurrentSpec& s) { s.activation = Activation::Linear; }},
};

}  // namespace

OP_CASE("RecurrentPlan::backward", "of simple units is the derivative in any order and with any ends") {
  check_all(Cell::Simple, kWays);
}

OP_CASE("RecurrentPlan::backward", "of an LSTM is the derivative in any order and with any ends") {
  check_all(Cell::Lstm, kWays);
}

OP_CASE("RecurrentPlan::backward", "of a GRU is the derivative in any order and with any ends") {
  check_all(Cell::Gru, kWays);
}

OP_CASE("RecurrentPlan::backward", "of an LSTM with peepholes and projection is the derivative") {
  check_all(Cell::Lstm,
            {{"peepholes", [](RecurrentSpec& s) { s.peepholes = true; }},
             {"peepholes in reverse", [](RecurrentSpec& s) { s.peepholes = s.reverse = true; }},
             {"peepholes and lengths in reverse", [](RecurrentSpec& s) { s.peepholes = s.reverse = s.lengths = true; }},
             {"projection", [](RecurrentSpec& s) { s.projection = 2; }},
             {"projection with all",
              [](RecurrentSpec& s) { s.projection = 3, s.peepholes = s.reverse = s.lengths = true; }}});
}

OP_CASE("RecurrentPlan::backward", "of clocked units is the derivative and clocks go on") {
  for (const Index first_step : {0, 1, 5}) {
    INFO("steps before: " << first_step);
    check_all(Cell::Simple, {{"clockwork", [](RecurrentSpec& s) { s.clockwork = true; }}}, first_step);
    check_all(Cell::Lstm,
              {{"clockwork", [](RecurrentSpec& s) { s.clockwork = true; }},
               {"clockwork with peepholes", [](RecurrentSpec& s) { s.clockwork = s.peepholes = true; }}},
              first_step);
  }
}

OP_CASE("RecurrentPlan::forward", "agrees between fast and reference plan on larger sizes") {
  struct Size {
    Index time, batch, in, size;
  };
  on_all_handlers([](OpCase& c) {
    for (const Cell cell : {Cell::Simple, Cell::Lstm, Cell::Gru})
      for (const auto& [time, batch, in, size] :
           std::vector<Size>{{7, 17, 33, 65}, {3, 1, 5, 130}, {2, 65, 1, 17}, {19, 3, 17, 48}, {5, 100, 40, 96}}) {
        RecurrentSpec s = spec_of(cell, time, batch, in, size);
        s.peepholes = cell == Cell::Lstm;
        s.recurrent_bias = batch == 3;
        s.reverse = batch == 17;
        const Problem q = draw(s);
        INFO("cell " << static_cast<int>(cell) << ": T=" << time << " B=" << batch << " in=" << in << " H=" << size);
        std::vector<Values> results[2];
        for (const std::size_t fast : {std::size_t{0}, std::size_t{1}}) {
          const auto plan = make_plan(c, s, fast == 1);
          const OnDevice o(c, q, Write::Overwrite);
          plan->forward(o.run, o.w);
          for (const Tensor& one : {o.run.h, o.run.c, o.run.h_last, o.run.c_last})
            if (one) results[fast].push_back(c.read(one));
          for (const Tensor& one : o.run.gates)
            if (one && cell != Cell::Simple) results[fast].push_back(c.read(one));
          without_allocation(c, [&] { plan->backward(o.run, o.w, o.d, o.g); });
          for (const auto* four : {&o.g.input, &o.g.recurrent, &o.g.bias, &o.g.recurrent_bias})
            for (const Sink& one : *four)
              if (one) results[fast].push_back(c.read(one.to));
          for (const Sink& one : o.g.peephole)
            if (one) results[fast].push_back(c.read(one.to));
          for (const Sink& one : {o.d.dx, o.d.dh_first, o.d.dc_first})
            if (one) results[fast].push_back(c.read(one.to));
        }
        REQUIRE(results[0].size() == results[1].size());
        for (std::size_t i = 0; i < results[0].size(); ++i) {
          INFO("result " << i);
          c.expect(results[1][i], results[0][i], 2 * c.tolerance());
        }
      }
  });
}

OP_CASE("RecurrentPlan::backward", "computes only what somebody wants") {
  on_all_handlers([](OpCase& c) {
    for (const Cell cell : {Cell::Simple, Cell::Lstm, Cell::Gru})
      for (const bool fast : {true, false}) {
        RecurrentSpec s = spec_of(cell, 3, 2, 3, 4);
        s.peepholes = cell == Cell::Lstm;
        const Problem q = draw(s);
        const auto plan = make_plan(c, s, fast);
        const OnDevice o(c, q, Write::Overwrite);
        plan->forward(o.run, o.w);
        plan->backward(o.run, o.w, o.d, o.g);
        const auto alone = [&](const std::function<Sink&(RecurrentDeltas&, RecurrentGradients&)>& pick) {
          const OnDevice fresh(c, q, Write::Overwrite);
          RecurrentDeltas d, all_d = fresh.d;
          RecurrentGradients g, all_g = fresh.g;
          d.dh = fresh.d.dh;
          d.dh_last = fresh.d.dh_last;
          d.dc_last = fresh.d.dc_last;
          pick(d, g) = pick(all_d, all_g);
          plan->backward(o.run, o.w, d, g);
          RecurrentDeltas whole_d = o.d;
          RecurrentGradients whole_g = o.g;
          c.expect_exact(pick(all_d, all_g).to, c.read(pick(whole_d, whole_g).to));
        };
        alone([](RecurrentDeltas& d, RecurrentGradients&) -> Sink& { return d.dx; });
        alone([](RecurrentDeltas& d, RecurrentGradients&) -> Sink& { return d.dh_first; });
        for (std::size_t k = 0; k < at(gate_count(cell)); ++k) {
          alone([k](RecurrentDeltas&, RecurrentGradients& g) -> Sink& { return g.input[k]; });
          alone([k](RecurrentDeltas&, RecurrentGradients& g) -> Sink& { return g.recurrent[k]; });
          alone([k](RecurrentDeltas&, RecurrentGradients& g) -> Sink& { return g.bias[k]; });
        }
      }
  });
}

OP_CASE("RecurrentPlan::forward", "gives the same bits with any number of threads") {
  for (const std::string name : {"cpu:f32", "cpu:f64"})
    for (const Cell cell : {Cell::Simple, Cell::Lstm, Cell::Gru}) {
      RecurrentSpec s = spec_of(cell, 6, 70, 90, 100);
      s.peepholes = cell == Cell::Lstm;
      const Problem q = draw(s);
      std::vector<Values> results[2];
      for (const int threads : {1, 3}) {
        OpCase c({name, 1e-4}, {.threads = threads});
        const auto plan = make_plan(c, s, true);
        const OnDevice o(c, q, Write::Overwrite);
        plan->forward(o.run, o.w);
        plan->backward(o.run, o.w, o.d, o.g);
        auto& out = results[threads == 1 ? 0 : 1];
        for (const ConstTensor& one :
             {ConstTensor(o.run.h), ConstTensor(o.d.dx.to), ConstTensor(o.d.dh_first.to), ConstTensor(o.g.input[0].to),
              ConstTensor(o.g.recurrent[0].to), ConstTensor(o.g.bias[0].to)})
          out.push_back(c.read(one));
      }
      INFO(name << ", cell " << static_cast<int>(cell));
      CHECK(results[0] == results[1]);
    }
}

OP_CASE("RecurrentPlan::backward", "takes no steps and no sequences and no units and no inputs") {
  on_all_handlers([](OpCase& c) {
    for (const Cell cell : {Cell::Simple, Cell::Lstm, Cell::Gru})
      for (const auto& size :
           std::vector<std::array<Index, 4>>{{0, 2, 3, 4}, {2, 0, 3, 4}, {2, 3, 4, 0}, {2, 3, 0, 4}}) {
        const RecurrentSpec s = spec_of(cell, size[0], size[1], size[2], size[3]);
        const Problem q = draw(s);
        const auto plan = make_plan(c, s, true);
        const OnDevice o(c, q, Write::Overwrite);
        plan->forward(o.run, o.w);
        if (s.time == 0) c.expect_exact(o.run.h_last, q.h0);
        plan->backward(o.run, o.w, o.d, o.g);
        if (s.time == 0) c.expect_exact(o.d.dh_first.to, q.dh_last);
        for (const double v : c.read(o.d.dx.to)) CHECK(v == 0);
        const bool zero = s.time == 0 || s.batch == 0;
        for (const double v : c.read(o.g.recurrent[0].to)) CHECK((zero ? v == 0 : !std::isnan(v)));
      }
  });
}

OP_CASE("RecurrentPlan::forward", "refuses what does not fit the plan") {
  OpCase c({"cpu:f64", 1e-12});
  auto& ops = c.h().recurrent();
  const RecurrentSpec simple = spec_of(Cell::Simple, 2, 3, 4, 5);
  const auto with = [&](const Change& change) {
    RecurrentSpec s = simple;
    change(s);
    return s;
  };
  expect_error([&] { ops.plan(with([](RecurrentSpec& s) { s.time = -1; })); }, {"recurrent", "steps", "-1"});
  expect_error([&] { ops.plan(with([](RecurrentSpec& s) { s.activation = Activation::Softmax; })); }, {"softmax"});
  expect_error([&] { ops.plan(with([](RecurrentSpec& s) { s.peepholes = true; })); }, {"only an LSTM has peepholes"});
  expect_error([&] { ops.plan(with([](RecurrentSpec& s) { s.projection = 2; })); }, {"only an LSTM has a projection"});
  expect_error([&] { ops.plan(with([](RecurrentSpec& s) { s.clockwork = s.reverse = true; })); }, {"clocked units"});
  const Problem q = draw(simple);
  const auto plan = make_plan(c, simple, true);
  OnDevice o(c, q, Write::Overwrite);
  const Tensor odd = c.nans({7});
  RecurrentRun run = o.run;
  run.h = odd;
  expect_error([&] { plan->forward(run, o.w); }, {"recurrent forward", "h", "(7)", "(3, 3, 5)"});
  run = o.run;
  run.x = odd;
  expect_error([&] { plan->forward(run, o.w); }, {"recurrent forward", "x", "(7)", "(2, 3, 4)"});
  RecurrentWeights w = o.w;
  w.recurrent[0] = odd;
  expect_error([&] { plan->forward(o.run, w); }, {"recurrent weights", "(7)", "(5, 5)"});
  RecurrentDeltas d = o.d;
  d.dh = odd;
  expect_error([&] { plan->backward(o.run, o.w, d, o.g); }, {"recurrent backward", "dh", "(7)", "(2, 3, 5)"});
  const auto inference = make_plan(c, with([](RecurrentSpec& s) { s.training = false; }), true);
  expect_error([&] { inference->backward(o.run, o.w, o.d, o.g); }, {"made for inference"});
}
