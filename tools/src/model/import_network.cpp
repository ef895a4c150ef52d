#include "squall/tools/import_network.hpp"

#include <algorithm>

#include "squall/core/flat_parameters.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

namespace {

constexpr const char* kFormat = "Network file v1.0";

std::string in_one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) {
    const auto end = std::min(text.find_first_not_of(' ', at + 1), text.size());
    text.replace(at, end - at, "; ");
  }
  return text;
}

void check_format(const H5Reader& file) {
  if (!file.has_attribute("/", "format"))
    raise<FileError>("is no network file of brainstorm: it has no attribute 'format'");
  const std::string format = file.attribute_text("/", "format");
  if (format != kFormat)
    raise<FileError>("is no network file of brainstorm: its format is '", format, "', not '", kFormat, "'");
  for (const char* dataset : {"/description", "/parameters"})
    if (!file.exists(dataset)) raise<FileError>("has no dataset '", dataset + 1, "'");
}

json read_description(const H5Reader& file) {
  json description = parse_json(file.text("/description"), "description");
  if (!description.is_object() || !description.contains("architecture"))
    raise<FileError>("the dataset 'description' has no architecture");
  if (description.value("@type", json("Network")) != "Network")
    raise<FileError>("describes a ", description["@type"].dump(), ", not a Network");
  return description;
}

bool is_double(const json& description) {
  const json handler = description.value("handler", json());
  return handler.is_object() && handler.value("dtype", json()) == "float64";
}

// Modifiers without what the original writes of their place in the network.
json cleaned(const json& j) {
  if (!j.is_structured()) return j;
  json out = j.is_array() ? json::array() : json::object();
  for (const auto& [key, value] : j.items()) {
    if (j.is_array())
      out.push_back(cleaned(value));
    else if (key != "layer_name" && key != "view_name" && key != "rnd")
      out[key] = cleaned(value);
  }
  return out;
}

bool is_nothing(const json& j) { return j.is_null() || (j.is_structured() && j.empty()); }

class Importer {
 public:
  Importer(const H5Reader& file, const Catalog& catalog) : file_(file), catalog_(catalog) {}

  ImportedNetwork run(std::shared_ptr<Handler> handler, const NetworkOptions& options) {
    check_format(file_);
    source_ = read_description(file_);
    if (!handler) handler = make_handler(is_double(source_) ? "cpu:f64" : "cpu:f32");
    const auto architecture = Architecture::from_json(source_["architecture"], "architecture");
    out_.network = std::make_unique<Network>(architecture, catalog_, std::move(handler), options);
    take_descriptions();
    // Last: trying out initializers has changed the parameters.
    const HostArray flat = file_.read("/parameters");
    if (flat.shape().rank() != 1) raise<FileError>("the dataset 'parameters' is ", flat.shape(), ", not a vector");
    set_flat_parameters(*out_.network, flat, "the dataset 'parameters'");
    return std::move(out_);
  }

 private:
  void take_descriptions() {
    json& experiment = out_.description["experiment"] = json::object();
    take("initializers", [&](const json& j) {
      out_.network->initialize(j, 1);
      experiment["initialize"] = j;
    });
    take("weight_modifiers", [&](const json& j) {
      out_.network->set_weight_modifiers(j);
      experiment["train"]["weight_modifiers"] = j;
    });
    take("gradient_modifiers", [&](const json& j) {
      out_.network->set_gradient_modifiers(j);
      experiment["train"]["gradient_modifiers"] = j;
    });
    take("output_name", [&](const json& j) {
      if (j.is_string()) out_.network->set_output_name(j.get<std::string>());
    });
    take_task(experiment);
    json& from = out_.description["imported_from"] = {{"system", "brainstorm"}};
    for (const char* name : {"info", "comment"})
      if (file_.has_attribute("/", name)) from[name] = file_.attribute_text("/", name);
    if (source_.contains("handler")) from["handler"] = source_["handler"];
  }

  template <class F>
  void take(const char* key, const F& apply) {
    const json j = cleaned(source_.value(key, json()));
    if (is_nothing(j)) return;
    try {
      apply(j);
    } catch (const Error& e) {
      out_.notes.push_back(concat(key, " left out: ", in_one_line(e.what())));
    }
  }

  // The one task of a network with one criterion: where examples and targets go in, what is scored.
  void take_task(json& experiment) {
    const Graph& graph = out_.network->graph();
    json task = json::object();
    std::vector<std::string> inputs, targets;
    std::string criterion;
    for (int slot = 0; slot < static_cast<int>(graph.node(0).outputs.size()); ++slot)
      for (const auto& reader : graph.readers(0, slot)) {
        const auto& input = graph.node(reader.node).inputs[static_cast<std::size_t>(reader.input)];
        auto& list = input.name == "targets" ? targets : inputs;
        if (input.name == "targets") criterion = graph.node(reader.node).layer->type();
        const std::string& name = graph.node(0).outputs[static_cast<std::size_t>(slot)].name;
        if (input.name != "mask" && std::ranges::find(list, name) == list.end()) list.push_back(name);
      }
    if (inputs.size() != 1 || targets.size() != 1 || graph.losses().size() != 1) {
      out_.notes.emplace_back("the model names no task: the network is not one of a single input, target and loss");
      return;
    }
    task["input"] = inputs[0];
    task["targets"] = targets[0];
    task["loss"] = graph.node(graph.losses()[0]).name;
    if (criterion != "SoftmaxCE")
      task["scorers"] = json::array({criterion == "SigmoidCE" ? "Hamming" : "MeanSquaredError"});
    const json name = source_.value("output_name", json());
    if (name.is_string()) task["output"] = without_category(name.get<std::string>());
    experiment["tasks"]["default"] = task;
  }

  static std::string without_category(const std::string& path) {  // "Output.outputs.predictions"
    const auto at = path.find(".outputs.");
    return at == std::string::npos ? path : path.substr(0, at) + path.substr(at + 8);
  }

  const H5Reader& file_;
  const Catalog& catalog_;
  json source_;
  ImportedNetwork out_;
};

}  // namespace

ImportedNetwork import_network(const std::filesystem::path& file, const Catalog& catalog,
                               std::shared_ptr<Handler> handler, const NetworkOptions& options) {
  try {
    const H5Reader reader = H5Reader::checked(file);
    return Importer(reader, catalog).run(std::move(handler), options);
  } catch (const Error& e) {
    const std::string text = in_one_line(e.what());
    const bool named = text.find(file.string()) != std::string::npos;
    raise<FileError>(named ? "" : concat("'", file.string(), "': "), text, "; nothing was imported");
  }
}

}  // namespace squall
