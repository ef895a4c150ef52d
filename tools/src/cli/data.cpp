#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/data_arrays.hpp"
#include "cli/usage.hpp"
#include "squall/io/prepare.hpp"
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
  std::filesystem::path data = ".", source, out;
  Index validation = -1;
  TextOrder text;
};

// The reader's description may be JSON, or just a type without options.
DataSet load(const ConvertOptions& o, const Context& c) {
  const bool is_json = o.reader.find('{') != std::string::npos;
  const json description = is_json ? parse_json(o.reader, "reader") : json{{"@type", o.reader}};
  return c.catalog.of<Reader>().make(description, "reader", c.catalog)->load(o.data);
}

PreparedFile prepare(ConvertOptions o) {
  constexpr Index kLastImages = 10000;
  const Index images = o.validation < 0 ? kLastImages : o.validation;
  const auto source = [&](const char* usual) { return o.source.empty() ? o.data / usual : o.source; };
  if (o.reader == "mnist") return prepare_idx(source("mnist"), o.out, images);
  if (o.reader == "cifar10") return prepare_cifar(source("cifar10/cifar-10-batches-bin"), Cifar::Ten, o.out, images);
  if (o.reader == "cifar100") return prepare_cifar(source("cifar100/cifar-100-binary"), Cifar::Hundred, o.out, images);
  if (o.source.empty()) raise<ConfigError>("data convert text needs the text: squall data convert text FILE --out ...");
  o.text.validation = o.validation;
  return prepare_text(o.source, o.out, o.text);
}

int convert(const ConvertOptions& o, const Context& c) {
  if (o.reader == "mnist" || o.reader == "cifar10" || o.reader == "cifar100" || o.reader == "text") {
    const PreparedFile made = prepare(o);
    json out = {{"file", o.out.string()}, {"group", made.group}, {"examples", json::object()}};
    std::string text = fmt::format("{} written, /{}:", o.out.string(), made.group);
    for (const auto& [split, examples] : made.examples) {
      out["examples"][split] = examples;
      text += fmt::format(" {} {}", examples, split);
    }
    c.print(out, text);
    return 0;
  }
  if (!o.source.empty())
    raise<ConfigError>("data convert takes a second argument after mnist, cifar10, cifar100 and text only");
  save_data_set(o.out, load(o, c));
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
  make_command->add_option("--examples", m->examples, "for training")->check(count)->capture_default_str();
  make_command->add_option("--test", m->test, "for testing")->check(count)->capture_default_str();
  make_command->add_option("--out", m->out, "file to write")->required();
  auto o = std::make_shared<ConvertOptions>();
  CLI::App* convert_command = add_command(*data, context, "convert", "any data set into an HDF5 file",
                                          [o, &context] { return convert(*o, context); });
  CLI::App* inspect_command = add_command(*data, context, "inspect", "shapes and ranges of a data set",
                                          [o, &context] { return inspect(*o, context); });
  for (CLI::App* command : {convert_command, inspect_command}) {
    command
        ->add_option("reader", o->reader,
                     command == convert_command
                         ? "mnist, cifar10, cifar100 or text (prepared as brainstorm does), or a "
                           "reader's type, or its JSON as in an experiment"
                         : "a reader's type, or its JSON as in an experiment")
        ->required();
    command->add_option("--data", o->data, "folder its paths are relative to")->capture_default_str();
  }
  convert_command->add_option("source", o->source,
                              "the text, or the folder of the files; default: as below --data in the examples");
  convert_command->add_option("--validation", o->validation,
                              "training images or symbols of text set apart, the last ones; default: 10000 images, a "
                              "twentieth of a text");
  convert_command->add_option("--test", o->text.test, "symbols of text for the test; default: a twentieth");
  convert_command->add_option("--length", o->text.length, "time steps of a sequence of text")->capture_default_str();
  convert_command->add_option("--strands", o->text.strands, "parallel strands of text; batches of so many continue")
      ->capture_default_str();
  convert_command->add_option("--out", o->out, "file to write")->required();
  add_data_arrays(*data, context);
}

}  // namespace squall::cli
