#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/dry_run.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/tools/saved_model.hpp"
#include "squall/training/mask_report.hpp"

namespace squall::cli {

namespace {

int info_of_build(const Context& c) {
  json out = {{"version", "0.1.0"}, {"handlers", available_handlers()}, {"report", handler_report()}};
  std::string text = "squall 0.1.0\nhandlers: " + join(available_handlers()) + "\n";
  for (const auto& line : handler_report()) text += line + "\n";
  c.print(out, text);
  return 0;
}

std::string form_of(const ParameterStore& store, const Network& network) {
  std::string text;
  for (const auto& e : store.entries()) {
    if (e.form == ParameterForm::Plain) continue;
    const char* form = e.form == ParameterForm::Masked   ? "masked"
                       : e.form == ParameterForm::Packed ? "packed"
                                                         : "stored by rows";
    text +=
        fmt::format("{}.{} {} is {}\n", network.graph().node(e.node).name, e.info->name, e.info->shape.text(), form);
  }
  return text;
}

int info_of_model(const std::filesystem::path& path, const Context& c) {
  SavedModel model(path, c.catalog, c.make_handler());
  const MaskReport masks = report_masks(model.network());
  json out = {{"bytes", model.bytes()},
              {"parameters", model.network().parameter_count()},
              {"tasks", model.task_names()},
              {"layers", network_json(model.network())},
              {"masks", masks.to_json()}};
  std::string text = fmt::format("{}: {} bytes, tasks: {}\n", path.string(), model.bytes(), join(model.task_names()));
  text += network_table(model.network()) + form_of(model.network().store(), model.network());
  if (!masks.tensors.empty()) text += masks.text();
  c.print(out, text);
  return 0;
}

int info(const std::filesystem::path& path, const Context& c) {
  if (path.empty()) return info_of_build(c);
  if (path.extension() == ".json") return dry_run(read_experiment(path, {}, c.seed, c.catalog), c);
  return info_of_model(path, c);
}

}  // namespace

void add_info(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::filesystem::path>();
  CLI::App* command = add_command(app, context, "info", "what is in a model or experiment, or what this build has",
                                  [path, &context] { return info(*path, context); });
  command->add_option("file", *path, "model or experiment; nothing: about this build");
}

}  // namespace squall::cli
