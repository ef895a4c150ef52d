#include <fmt/format.h>

#include "cli/context.hpp"
#include "squall/io/model_file.hpp"
#include "squall/tools/import_network.hpp"

namespace squall::cli {

namespace {

struct ImportOptions {
  std::filesystem::path file, out;
  std::string reader;
};

int import(const ImportOptions& o, const Context& c) {
  // The precision of the file, unless the user names a handler.
  ImportedNetwork imported = import_network(o.file, c.catalog, c.handler == "cpu" ? nullptr : c.make_handler());
  if (!o.reader.empty()) {
    json& experiment = imported.description["experiment"];
    experiment["data"]["default"] = parse_json(o.reader, "--reader");
    if (experiment.contains("tasks")) experiment["tasks"]["default"]["data"] = "default";
  }
  save_model(o.out, *imported.network, imported.description);
  for (const auto& note : imported.notes) c.say(note);
  const Network& net = *imported.network;
  c.print(
      {{"file", o.out.string()},
       {"layers", net.graph().names()},
       {"parameters", net.parameter_count()},
       {"notes", imported.notes}},
      fmt::format("{} written: {} layers, {} parameters", o.out.string(), net.graph().size(), net.parameter_count()));
  return 0;
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  auto o = std::make_shared<ImportOptions>();
  CLI::App* command = add_command(app, context, "import", "a network file of another system as a model",
                                  [o, &context] { return import(*o, context); });
  command->add_option("file", o->file, "brainstorm's HDF5 file of a network")->required();
  command->add_option("--reader", o->reader, "JSON of a reader, which the model remembers as its data");
  command->add_option("--out", o->out, "model file to write")->required();
}

}  // namespace squall::cli
