#include <fmt/format.h>

#include "cli/context.hpp"
#include "squall/tools/experiment.hpp"

namespace squall::cli {

namespace {

json as_json(const TypeDoc& doc, const std::string& family) {
  json out = {{"type", doc.type}, {"family", family}, {"doc", doc.doc}, {"options", json::array()}};
  for (const auto& o : doc.options)
    out["options"].push_back({{"name", o.name}, {"default", parse_json(o.default_value, o.name)}, {"doc", o.doc}});
  return out;
}

std::string as_text(const TypeDoc& doc, const std::string& family) {
  std::string text = fmt::format("{} ({}): {}\n", doc.type, family, doc.doc);
  for (const auto& o : doc.options) text += fmt::format("  {:<22} {:<14} {}\n", o.name, o.default_value, o.doc);
  return text;
}

TypeDoc rsn2_doc() {
  return {std::string(Rsn2::kType), "masks that put several tasks into one sparse network", option_docs<Rsn2Options>()};
}

int describe(const std::string& type, const Context& c) {
  json out = json::array();
  std::string text;
  std::vector<std::string> known;
  const auto add = [&](const std::string& family, const TypeDoc& doc) {
    known.push_back(doc.type);
    if (!type.empty() && doc.type != type) return;
    out.push_back(as_json(doc, family));
    text += type.empty() ? fmt::format("  {:<24} {}\n", doc.type, doc.doc) : as_text(doc, family);
  };
  for (const auto& [name, family] : c.catalog.families()) {
    if (type.empty()) text += name + "\n";
    for (const auto& one : family->names()) add(name, family->doc(one));
  }
  if (type.empty()) text += "sparsify\n";
  add("sparsify", rsn2_doc());
  if (out.empty())
    raise<ConfigError>("there is no type '", type, "'", did_you_mean(type, known), "; `squall describe` lists all");
  c.print(out, text);
  return 0;
}

}  // namespace

void add_describe(CLI::App& app, Context& context) {
  auto type = std::make_shared<std::string>();
  CLI::App* command = add_command(app, context, "describe", "everything with an @type, its options and defaults",
                                  [type, &context] { return describe(*type, context); });
  command->add_option("type", *type, "one type; nothing: a list of all");
}

}  // namespace squall::cli
