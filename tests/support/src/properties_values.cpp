// L2, L7, L8, L9: what the numbers must be.
#include <algorithm>
#include <limits>

#include "properties.hpp"

namespace squall::testing {

namespace {

void fill_with_nan(const Tensor& t, Handler& handler) {
  if (t.elements() == 0) return;
  HostArray nan(t.dtype(), t.shape());
  for (Index i = 0; i < nan.elements(); ++i) nan.set_value(i, std::numeric_limits<double>::quiet_NaN());
  handler.memory().upload(nan.view(), t);
}

Results plus_weights(const Results& base, Rig& rig, std::string_view prefix, std::string_view data_prefix) {
  Results sum;
  for (const auto& [name, values] : base) {
    const HostArray& weights = *rig.data(concat(data_prefix, name.substr(prefix.size())));
    HostArray added(values.dtype(), values.shape());
    for (Index i = 0; i < added.elements(); ++i) added.set_value(i, values.value(i) + weights.value(i));
    sum.emplace_back(name, std::move(added));
  }
  return sum;
}

// Results of a part of the batch, cut out of those of the whole.
Results cut(const Results& whole, const Results& part, const std::vector<int>& axes, Index first, Index count) {
  Results out;
  for (std::size_t k = 0; k < part.size(); ++k)
    out.emplace_back(whole[k].first, axes[k] < 0 ? whole[k].second : slice_of(whole[k].second, axes[k], first, count));
  return out;
}

int batch_axis(const BufferShape& shape) { return !shape.scales_with_batch() ? -1 : shape.scales_with_time() ? 1 : 0; }

std::vector<int> output_axes(const Node& layer) {
  std::vector<int> axes;
  for (const auto& o : layer.outputs) axes.push_back(batch_axis(o.shape));
  return axes;
}

// What a rig of two examples gives for the examples from `first` on of the big one.
Rig half(const Bench& bench, Setup setup, Rig& whole, Index first) {
  setup.batch = 2;
  Rig rig = bench.rig(setup);
  const Node& input = rig.network().graph().node(0);
  for (const auto& o : input.outputs)
    if (const int axis = batch_axis(o.shape); axis >= 0)
      *rig.data(o.name) = slice_of(*whole.data(o.name), axis, first, 2);
    else
      *rig.data(o.name) = *whole.data(o.name);
  return rig;
}

void compare_halves(const Bench& bench, const Setup& setup, Rig& whole, Mode mode) {
  const double tolerance = tolerance_of(*setup.handler, 2e-5, 1e-12);
  const auto run = [&](Rig& rig) {
    if (mode == Mode::Train)
      rig.train();
    else
      rig.eval();
  };
  run(whole);
  Results gradients;
  for (const Index first : {0, 2}) {
    Rig rig = half(bench, setup, whole, first);
    run(rig);
    std::vector<int> axes = output_axes(rig.layer());
    Results part = rig.outputs();
    bench.report.expect_none("outputs", difference(cut(whole.outputs(), part, axes, first, 2), part, tolerance));
    if (mode == Mode::Eval) continue;
    axes.clear();
    part = rig.input_deltas();
    for (const auto& name : rig.differentiable_inputs())
      axes.push_back(batch_axis(rig.layer().inputs[static_cast<std::size_t>(rig.layer().find_input(name))].shape));
    bench.report.expect_none("deltas", difference(cut(whole.input_deltas(), part, axes, first, 2), part, tolerance));
    Results more = rig.gradients();
    for (std::size_t k = 0; k < gradients.size(); ++k)
      for (Index i = 0; i < more[k].second.elements(); ++i)
        more[k].second.set_value(i, more[k].second.value(i) + gradients[k].second.value(i));
    gradients = std::move(more);
  }
  if (mode == Mode::Train)
    bench.report.expect_none("gradients", difference(whole.gradients(), gradients, 10 * tolerance));
}

}  // namespace

void check_sinks(const Bench& bench) {
  bench.for_each_setup([&](Setup setup) {
    const double tolerance = tolerance_of(*setup.handler, 1e-5, 1e-12);
    Rig base = bench.rig(setup);
    base.train();
    const Results gradients = base.gradients();
    const Results deltas = base.input_deltas();
    base.forward(Mode::Train);
    fill_with_nan(base.network().gradients(), *setup.handler);
    base.network().backward();
    bench.report.expect_none("gradients over NaN", difference(base.gradients(), gradients, 0));

    setup.other_readers = true;
    Rig added = bench.rig(setup);
    added.train();
    bench.report.expect_none(
        "added deltas",
        difference(added.input_deltas(), plus_weights(deltas, added, "delta of ", "weights_in_"), tolerance));
    // Who reads a parameter under a learned mask sends back through the mask.
    const auto& parameters = base.layer().parameters;
    if (std::ranges::any_of(parameters, [](const ParameterInfo& p) { return p.mask != nullptr; })) return;
    bench.report.expect_none(
        "added gradients",
        difference(added.gradients(), plus_weights(gradients, added, "gradient of ", "weights_parameter_"), tolerance));
  });
}

void check_handlers(const Bench& bench) {
  bench.for_each_setup([&](Setup setup) {
    if (!bench.handlers.exact || setup.handler == bench.handlers.exact) return;
    const double tolerance = tolerance_of(*setup.handler, bench.layer_case.tolerance_f32, 1e-12);
    for (const bool carried : {false, true}) {
      setup.carried = carried;
      Rig other = bench.rig(setup);
      if (carried && !other.carries()) return;
      Setup exactly = setup;
      exactly.handler = bench.handlers.exact;
      Rig exact = bench.rig(exactly);
      bench.report.expect_none("training", difference(other.train(), exact.train(), tolerance));
      bench.report.expect_none("evaluation", difference(other.eval(), exact.eval(), tolerance));
    }
  });
}

void check_batches(const Bench& bench) {
  for (const auto& handler : bench.handlers.all)
    for (const Index time : {1, 3}) {
      Setup setup;
      setup.handler = handler;
      setup.time = time;
      setup.batch = 4;
      setup.equal_sizes = true;
      bench.report.place = concat(" (T=", time, ", B=4, ", handler->name(), ")");
      Rig whole = bench.rig(setup);
      const auto& layer = whole.layer();
      const bool loss = std::ranges::any_of(layer.outputs, [](const auto& o) { return o.loss; });
      const bool batched = std::ranges::all_of(layer.inputs, [](const auto& i) { return i.shape.scales_with_batch(); });
      if (loss || !batched || bench.layer_case.mixed) continue;  // a sum over the batch, or nothing that could be cut
      compare_halves(bench, setup, whole, Mode::Eval);
      if (!bench.layer_case.coupled) compare_halves(bench, setup, whole, Mode::Train);
    }
}

void check_determinism(const Bench& bench) {
  bench.for_each_setup([&](const Setup& setup) {
    Rig a = bench.rig(setup);
    Rig b = bench.rig(setup);
    const Results first = a.train();
    bench.report.expect_none("two networks", difference(first, b.train(), 0));
    bench.report.expect_none("evaluation of two networks", difference(a.eval(), b.eval(), 0));
    bench.report.expect_none("the same step again", difference(first, a.train(), 0));
  });
}

}  // namespace squall::testing
