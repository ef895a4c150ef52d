#include <fmt/format.h>

#include "cli/open_network.hpp"
#include "cli/usage.hpp"
#include "squall/core/random.hpp"
#include "squall/tools/gradient_check.hpp"

namespace squall::cli {

namespace {

struct GradcheckOptions {
  std::filesystem::path file;
  int directions = 20;
  Index batch = 3, time = 2;
};

// Labels must be classes the criteria know: as many as the features of the layer before.
Index classes_for(const Graph& graph, int slot) {
  for (const auto& reader : graph.readers(0, slot))
    for (const auto& in : graph.node(reader.node).inputs)
      if (in.name == "default") return in.shape.features[-1];
  return 2;
}

Batch random_data(const Network& net, Index batch, Index time, std::uint64_t seed) {
  Batch out;
  const auto& graph = net.graph();
  for (int slot = 0; slot < static_cast<int>(graph.node(0).outputs.size()); ++slot) {
    const OutputInfo& o = graph.node(0).outputs[static_cast<std::size_t>(slot)];
    Sizes sizes(static_cast<std::size_t>(graph.symbols().size()), batch);
    if (o.shape.time >= 0) sizes[static_cast<std::size_t>(o.shape.time)] = time;
    HostArray a(is_real(o.dtype) ? DType::F64 : o.dtype, o.shape.concrete(sizes));
    Rng rng(seed, "gradcheck/" + o.name);
    for (Index i = 0; i < a.elements(); ++i)
      a.set_value(i, is_real(o.dtype) ? rng.normal() : static_cast<double>(rng.below(classes_for(graph, slot))));
    out.fields.emplace_back(o.name, std::move(a));
  }
  return out;
}

int gradcheck(const GradcheckOptions& o, Context& c) {
  if (c.handler == "cpu") c.handler = "cpu:f64";
  const auto net = open_network(o.file, c, c.make_handler());
  net->provide(random_data(*net, o.batch, o.time, c.seed.value_or(1)));
  const GradientCheck r = check_gradients(*net, o.directions, c.seed.value_or(1));
  const char* verdict = r.directions == 0 ? "NOTHING COULD BE CHECKED, the loss has no slope along any direction tried"
                        : r.passed        ? "gradients are right"
                                          : "GRADIENTS ARE WRONG";
  c.print({{"directions", r.directions}, {"skipped", r.skipped}, {"worst", r.worst}, {"passed", r.passed}},
          fmt::format("{}: worst relative error {:.3g} over {} directions ({} at kinks left out)", verdict, r.worst,
                      r.directions, r.skipped));
  return r.passed ? 0 : 1;
}

}  // namespace

void add_gradcheck(CLI::App& app, Context& context) {
  auto o = std::make_shared<GradcheckOptions>();
  CLI::App* command = add_command(app, context, "gradcheck", "gradients against finite differences in double precision",
                                  [o, &context] { return gradcheck(*o, context); });
  command->add_option("file", o->file, "network, experiment or model, or the JSON of a network")->required();
  command->add_option("--directions", o->directions, "random directions")->check(count)->capture_default_str();
  command->add_option("--batch", o->batch, "batch size")->check(count)->capture_default_str();
  command->add_option("--time", o->time, "time steps")->check(count)->capture_default_str();
}

}  // namespace squall::cli
