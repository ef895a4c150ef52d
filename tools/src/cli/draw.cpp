#include "squall/tools/draw.hpp"

#include <fmt/format.h>

#include "cli/open_network.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall::cli {

namespace {

struct DrawOptions {
  std::filesystem::path file, out;
};

int draw(const DrawOptions& o, const Context& c) {
  const auto net = open_network(o.file, c, c.make_handler());
  const bool dot = o.out.extension() == ".dot";
  if (!o.out.empty() && !dot && o.out.extension() != ".svg")
    raise<ConfigError>("--out ", o.out.string(), ": a picture is .svg or .dot");
  const std::string title = o.file.string().find('{') == std::string::npos ? o.file.stem().string() : "network";
  const std::string picture = dot ? draw_dot(*net, title) : draw_svg(*net, title);
  if (o.out.empty()) {
    c.print(picture, picture);
    return 0;
  }
  write_file_atomically(o.out, picture);
  c.print({{"file", o.out.string()}}, fmt::format("{} written", o.out.string()));
  return 0;
}

}  // namespace

void add_draw(CLI::App& app, Context& context) {
  auto o = std::make_shared<DrawOptions>();
  CLI::App* command =
      add_command(app, context, "draw", "the network as a picture", [o, &context] { return draw(*o, context); });
  command->add_option("file", o->file, "model, experiment or network, or the JSON of a network")->required();
  command->add_option("--out", o->out, ".svg or .dot; nothing: SVG on stdout");
}

}  // namespace squall::cli
