#include <fmt/format.h>

#include "cli/context.hpp"
#include "squall/io/npy.hpp"
#include "squall/io/reader.hpp"
#include "squall/io/synthetic.hpp"

namespace squall::cli {

namespace {

int list(const Context& c) {
  json out = {{"synthetic", json::array()}, {"readers", json::array()}};
  std::string text = "synthetic sets (squall data make NAME):\n";
  for (const auto& s : synthetic_sets()) {
    out["synthetic"].push_back({{"name", std::string(s.name)}, {"classes", s.classes}, {"doc", std::string(s.doc)}});
    text += fmt::format("  {:<12} {}\n", s.name, s.doc);
  }
  text += "readers (\"@type\" in the data section of an experiment):\n";
  const auto& readers = c.catalog.of<Reader>();
  for (const auto& name : readers.names()) {
    out["readers"].push_back(name);
    text += fmt::format("  {:<12} {}\n", name, readers.doc(name).doc);
  }
  c.print(out, text);
  return 0;
}

struct MakeOptions {
  std::string set;
  Index examples = 6000, test = 1000;
  std::filesystem::path out;
};

int make(const MakeOptions& o, const Context& c) {
  DataSet data;
  data.classes = synthetic_set(o.set).classes;
  data.splits["train"] = draw_synthetic(o.set, "train", o.examples, c.seed.value_or(1));
  data.splits["test"] = draw_synthetic(o.set, "test", o.test, c.seed.value_or(1));
  save_data_set(o.out, data);
  c.print({{"file", o.out.string()}, {"train", o.examples}, {"test", o.test}},
          fmt::format("{}: {} training and {} test examples of '{}'", o.out.string(), o.examples, o.test, o.set));
  return 0;
}

struct ConvertOptions {
  std::string reader;
  std::filesystem::path data = ".", out;
};

// The reader's description may be JSON, or just a type without options.
DataSet load(const ConvertOptions& o, const Context& c) {
  const bool is_json = o.reader.find('{') != std::string::npos;
  const json description = is_json ? parse_json(o.reader, "--reader") : json{{"@type", o.reader}};
  return c.catalog.of<Reader>().make(description, "reader", c.catalog)->load(o.data);
}

int convert(const ConvertOptions& o, const Context& c) {
  const DataSet set = load(o, c);
  save_data_set(o.out, set);
  c.print({{"file", o.out.string()}}, fmt::format("{} written", o.out.string()));
  return 0;
}

int inspect(const ConvertOptions& o, const Context& c) {
  const DataSet set = load(o, c);
  json out = {{"classes", set.classes}, {"splits", json::object()}};
  std::string text = fmt::format("{} classes\n", set.classes);
  for (const auto& [split, arrays] : set.splits)
    for (const auto& [name, array] : arrays) {
      double low = array.elements() > 0 ? array.value(0) : 0;
      double high = low;
      for (Index i = 0; i < array.elements(); ++i) {
        low = std::min(low, array.value(i));
        high = std::max(high, array.value(i));
      }
      out["splits"][split][name] = {{"shape", array.shape().text()}, {"min", low}, {"max", high}};
      text += fmt::format("{:<12}{:<10}{:<24} {} from {:g} to {:g}\n", split, name, array.shape().text(),
                          name_of(array.dtype()), low, high);
    }
  c.print(out, text);
  return 0;
}

}  // namespace

void add_data(CLI::App& app, Context& context) {
  CLI::App* data = app.add_subcommand("data", "synthetic sets, readers, conversion into HDF5");
  data->require_subcommand(1);
  add_command(*data, context, "list", "synthetic sets and readers", [&context] { return list(context); });
  auto m = std::make_shared<MakeOptions>();
  CLI::App* make_command = add_command(*data, context, "make", "draws a synthetic set into an HDF5 file",
                                       [m, &context] { return make(*m, context); });
  make_command->add_option("set", m->set, "which")->required();
  make_command->add_option("--examples", m->examples, "for training")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  make_command->add_option("--test", m->test, "for testing")->check(CLI::PositiveNumber)->capture_default_str();
  make_command->add_option("--out", m->out, "file to write")->required();
  auto o = std::make_shared<ConvertOptions>();
  CLI::App* convert_command = add_command(*data, context, "convert", "any data set into an HDF5 file",
                                          [o, &context] { return convert(*o, context); });
  CLI::App* inspect_command = add_command(*data, context, "inspect", "shapes and ranges of a data set",
                                          [o, &context] { return inspect(*o, context); });
  for (CLI::App* command : {convert_command, inspect_command}) {
    command->add_option("reader", o->reader, "a reader's type, or its JSON as in an experiment")->required();
    command->add_option("--data", o->data, "folder its paths are relative to")->capture_default_str();
  }
  convert_command->add_option("--out", o->out, "file to write")->required();
}

}  // namespace squall::cli
