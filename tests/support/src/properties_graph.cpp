// L11, L12, L13: descriptions, refusals, wirings.
#include <algorithm>

#include "properties.hpp"

namespace squall::testing {

namespace {

json description_of(const LayerCase& c) {
  json j = c.options;
  j["@type"] = c.type;
  return j;
}

std::string problems_of(const json& j, const Catalog& catalog) {
  Problems problems;
  catalog.of<Layer>().make(j, "layer", catalog, problems);
  return join(problems.all(), "\n");
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The message with which a network of this layer is refused, or nothing.
std::string refusal(const LayerCase& c, const json& options, const std::vector<CaseInput>& inputs,
                    const Catalog& catalog) {
  LayerCase changed = c;
  changed.options = options;
  changed.inputs = inputs;
  Architecture a;
  json shapes = json::object();
  for (const auto& input : inputs) {
    json extents = input.leading;
    for (const Index e : input.features) extents.push_back(e);
    shapes[input.name] = extents;
  }
  if (shapes.empty()) shapes["unused"] = {1};
  a.input(shapes);
  a.add("Layer", changed.type, changed.options);
  for (const auto& input : inputs) a.connect({"Input", input.name, "Layer", input.name});
  try {
    const Graph graph(a, catalog);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return {};
}

// Two inputs of equal shape read the same data.
void check_shared(const Bench& bench, const Setup& setup) {
  const auto& inputs = bench.layer_case.inputs;
  constexpr auto kNumbers = CaseInput::Values::Binary;  // and all before it
  for (std::size_t i = 0; i < inputs.size(); ++i)
    for (std::size_t k = i + 1; k < inputs.size(); ++k) {
      const bool alike = inputs[i].features == inputs[k].features && inputs[i].leading == inputs[k].leading &&
                         std::max(inputs[i].values, kNumbers) == std::max(inputs[k].values, kNumbers);
      if (!alike) continue;
      Setup shared = setup;
      shared.shared = {inputs[i].name, inputs[k].name};
      Rig rig = bench.rig(shared);
      rig.train();
      const auto& declared = rig.layer().inputs;
      const bool both = std::ranges::all_of(declared, [&](const auto& in) {
        return in.differentiable || (in.name != inputs[i].name && in.name != inputs[k].name);
      });
      Counted counted;
      if (both && bench.layer_case.derivative && setup.handler->dtype() == DType::F64)
        compare_with_differences(rig, bench.report, counted, 10);
    }
}

// Each output alone: trained with the others unused, and computed from its own inputs.
void check_single_outputs(const Bench& bench, const Setup& setup) {
  Rig base = bench.rig(setup);
  const Results all = base.eval();
  for (const auto& output : base.layer().outputs) {
    if (output.takes_delta && !output.loss) {
      Setup one = setup;
      one.outputs = {output.name};
      Rig rig = bench.rig(one);
      Counted counted;
      rig.train();
      if (bench.layer_case.derivative && setup.handler->dtype() == DType::F64)
        compare_with_differences(rig, bench.report, counted, 5);
    }
    Rig alone = bench.rig(setup);
    Batch& batch = alone.batch();
    std::erase_if(batch.fields, [&](const auto& field) {
      const int input = alone.layer().find_input(field.first);
      return input < 0 || std::ranges::find(output.depends, input) == output.depends.end();
    });
    alone.forward(Mode::Eval, {"Layer." + output.name});
    const std::string name = "output " + output.name;
    const auto whole = std::ranges::find(all, name, &Results::value_type::first);
    bench.report.expect_none("alone",
                             difference({{name, alone.network().get("Layer.outputs." + output.name)}}, {*whole}, 0));
  }
}

void check_unread(const Bench& bench, Setup setup) {
  Rig base = bench.rig(setup);
  const bool root = std::ranges::any_of(base.layer().outputs, [](const auto& o) { return o.loss; });
  base.train();
  Setup without = setup;
  without.want_deltas = false;
  Rig lean = bench.rig(without);
  lean.train();
  bench.report.expect_none("without deltas of the inputs", difference(lean.gradients(), base.gradients(), 0));
  if (root) return;
  setup.outputs = std::vector<std::string>{};
  Rig unread = bench.rig(setup);
  unread.train();
  for (const auto& [name, g] : unread.gradients())
    for (Index i = 0; i < g.elements(); ++i)
      if (g.value(i) != 0) return bench.report.fail(name, " is not zero although nobody reads the layer");
}

}  // namespace

void check_description(const Bench& bench) {
  const LayerCase& c = bench.layer_case;
  const json written = bench.catalog.of<Layer>().make(description_of(c), "layer", bench.catalog)->describe();
  const json again = bench.catalog.of<Layer>().make(written, "layer", bench.catalog)->describe();
  if (written != again) bench.report.fail("description ", written.dump(), " becomes ", again.dump());
  for (const auto& [key, value] : c.options.items())
    if (written.contains(key) && written[key].type() == value.type() && !value.is_string() && written[key] != value)
      bench.report.fail("option '", key, "' is ", value.dump(), ", described as ", written[key].dump());
  for (const auto& option : bench.catalog.of<Layer>().doc(c.type).options) {
    if (written.contains(option.name) && written[option.name].dump() == option.default_value)
      bench.report.fail("option '", option.name, "' has its default and is described all the same");
    json wrong = description_of(c);
    wrong[option.name] = {{"no", "such"}};
    if (!contains(problems_of(wrong, bench.catalog), "option '" + option.name + "' should be"))
      bench.report.fail("option '", option.name, "' takes an object");
  }
  json unknown = description_of(c);
  unknown["no_such_option"] = 1;
  if (!contains(problems_of(unknown, bench.catalog), "unknown option 'no_such_option'"))
    bench.report.fail("an unknown option is not refused");
}

void check_refusals(const Bench& bench) {
  const LayerCase& c = bench.layer_case;
  for (const auto& input : c.inputs) {
    if (input.optional) continue;
    std::vector<CaseInput> rest = c.inputs;
    std::erase_if(rest, [&](const CaseInput& one) { return one.name == input.name; });
    const std::string text = refusal(c, c.options, rest, bench.catalog);
    for (const std::string& part :
         {c.type, std::string("'Layer'"), "'" + input.name + "'", std::string("not connected")})
      if (!contains(text, part))
        bench.report.fail("without input '", input.name, "' the message lacks ", part, ": ", text);
  }
  for (const auto& r : c.rejects) {
    const std::string text = refusal(c, r.options, r.inputs.empty() ? c.inputs : r.inputs, bench.catalog);
    if (text.empty()) bench.report.fail("options ", r.options.dump(), " should be refused");
    if (!contains(text, c.type + " 'Layer'") && !text.empty() && !contains(text, "layer 'Layer'"))
      bench.report.fail("the message does not name the layer: ", text);
    for (const auto& part : r.says)
      if (!contains(text, part)) bench.report.fail("the message lacks '", part, "': ", text);
  }
}

void check_wiring(const Bench& bench) {
  bench.for_each_setup([&](const Setup& setup) {
    check_shared(bench, setup);
    check_single_outputs(bench, setup);
    check_unread(bench, setup);
  });
}

}  // namespace squall::testing
