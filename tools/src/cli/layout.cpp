#include <fmt/format.h>

#include "cli/open_network.hpp"
#include "cli/usage.hpp"

namespace squall::cli {

namespace {

struct LayoutCommand {
  std::filesystem::path file;
  Index batch = 100, time = 1;
  bool inference = false;
};

int layout(const LayoutCommand& o, const Context& c) {
  const auto net = open_network(o.file, c, c.make_handler());
  std::vector<std::pair<std::string, Index>> sizes;
  for (int s = 0; s < net->graph().symbols().size(); ++s) {
    const std::string& name = net->graph().symbols().name(s);
    sizes.emplace_back(name, name.starts_with('B') ? o.batch : o.time);
  }
  const Layout plan = net->plan_memory(net->pass(o.inference ? Mode::Eval : Mode::Train), sizes);
  std::string text = fmt::format("{:<44}{:>12}{:>12}{:>7}{:>7}\n", "buffer", "bytes", "offset", "first", "last");
  for (const auto& b : plan.buffers)
    text += fmt::format("{:<44}{:>12}{:>12}{:>7}{:>7}\n", b.path, b.bytes, b.offset, b.first, b.last);
  text += fmt::format("arena {} bytes, lower bound {}, parameters and gradients {}\n", plan.arena_bytes,
                      plan.lower_bound_bytes, net->store().bytes());
  json out = plan.report();
  out["parameter_bytes"] = net->store().bytes();
  c.print(out, text);
  return 0;
}

}  // namespace

void add_layout(CLI::App& app, Context& context) {
  auto o = std::make_shared<LayoutCommand>();
  CLI::App* command = add_command(app, context, "layout", "the memory plan of a network",
                                  [o, &context] { return layout(*o, context); });
  command->add_option("file", o->file, "network, experiment or model, or the JSON of a network")->required();
  command->add_option("--batch", o->batch, "batch size")->check(count)->capture_default_str();
  command->add_option("--time", o->time, "time steps")->check(count)->capture_default_str();
  command->add_flag("--inference", o->inference, "forward only");
}

}  // namespace squall::cli
