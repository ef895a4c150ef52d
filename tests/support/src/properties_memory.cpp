// L3, L4, L5, L6, L10: what may be read, written and allocated.
#include "properties.hpp"
#include "squall/testing/guards.hpp"

namespace squall::testing {

namespace {

Results parameters_of(Rig& rig) {
  Results all;
  for (const auto& p : rig.layer().parameters)
    all.emplace_back("parameter " + p.name, rig.network().get("Layer.parameters." + p.name));
  return all;
}
Results inputs_of(Rig& rig) {
  Results all;
  for (const auto& input : rig.layer().inputs)
    all.emplace_back("input " + input.name, rig.network().get("Input.outputs." + input.name));
  return all;
}
Results provided(Rig& rig) {
  Results all;
  const DType real = rig.setup().handler->dtype();
  for (const auto& input : rig.layer().inputs)
    all.emplace_back("input " + input.name, rig.data(input.name)->cast(is_real(input.dtype) ? real : input.dtype));
  return all;
}

struct Counts {
  std::uint64_t host = 0;
  std::size_t device = 0;
};
Counts count(const Handler& handler) { return {allocation_count(), handler.memory().allocations()}; }

}  // namespace

void check_poison(const Bench& bench) {
  bench.for_each_setup([&](Setup setup) {
    if (setup.handler->debug()) return;  // it would refuse the NaN
    for (const bool chain : {false, true}) {
      setup.chain = chain;
      setup.poison = false;
      Rig clean = bench.rig(setup);
      setup.poison = true;
      Rig poisoned = bench.rig(setup);
      bench.report.expect_none("training", difference(clean.train(), poisoned.train(), 0));
      bench.report.expect_none("evaluation", difference(clean.eval(), poisoned.eval(), 0));
    }
  });
}

void check_constness(const Bench& bench) {
  bench.for_each_setup([&](const Setup& setup) {
    Rig rig = bench.rig(setup);
    const Results inputs = provided(rig);
    const Results parameters = parameters_of(rig);
    const auto unchanged = [&](std::string_view when) {
      bench.report.expect_none(when, difference(inputs_of(rig), inputs, 0));
      bench.report.expect_none(when, difference(parameters_of(rig), parameters, 0));
    };
    rig.forward(Mode::Eval);
    unchanged("evaluation");
    rig.forward(Mode::Train);
    unchanged("forward");
    const Results outputs = rig.outputs();
    rig.network().backward();
    unchanged("backward");
    bench.report.expect_none("backward", difference(rig.outputs(), outputs, 0));
  });
}

void check_bounds(const Bench& bench) {
  bench.for_each_setup([&](Setup setup) {
    setup.sentinels = true;
    for (const auto memory : {MemoryMode::Inspectable, MemoryMode::Compact}) {
      setup.memory = memory;
      Rig rig = bench.rig(setup);
      rig.eval();
      if (!rig.network().check_sentinels()) bench.report.fail("evaluation writes beside a buffer");
      rig.train();
      if (!rig.network().check_sentinels()) bench.report.fail("training writes beside a buffer");
    }
  });
}

void check_memory_modes(const Bench& bench) {
  bench.for_each_setup([&](Setup setup) {
    setup.chain = true;
    Rig inspectable = bench.rig(setup);
    const Results expected = inspectable.train();
    const Results evaluated = inspectable.eval();
    setup.memory = MemoryMode::Compact;
    Rig pinned = bench.rig(setup);
    bench.report.expect_none("training", difference(pinned.train(), expected, 0));
    bench.report.expect_none("evaluation", difference(pinned.eval(), evaluated, 0));
    setup.pin = false;  // shares more, but outputs cannot be read
    Rig compact = bench.rig(setup);
    const Results rest = compact.train();
    bench.report.expect_none(
        "unpinned training",
        difference(rest, Results(expected.end() - static_cast<std::ptrdiff_t>(rest.size()), expected.end()), 0));
  });
}

void check_allocations(const Bench& bench) {
  bench.for_each_setup([&](Setup setup) {
    setup.memory = MemoryMode::Compact;
    Rig rig = bench.rig(setup);
    Network& net = rig.network();
    const PassId train = net.pass(Mode::Train);
    const PassId eval = net.pass(Mode::Eval);
    for (auto& [name, array] : rig.batch().fields)  // so that nothing has to be converted
      if (is_real(array.dtype())) array = array.cast(setup.handler->dtype());
    const auto step = [&] {
      net.provide(rig.batch());
      net.forward(train);
      net.backward();
      net.total_loss();
      net.forward(eval);
    };
    step();
    step();
    const Counts before = count(*setup.handler);
    for (int i = 0; i < 3; ++i) step();
    const Counts after = count(*setup.handler);
    if (after.host != before.host) bench.report.fail(after.host - before.host, " calls of operator new in three steps");
    if (after.device != before.device)
      bench.report.fail(after.device - before.device, " allocations of the handler in three steps");
  });
}

}  // namespace squall::testing
