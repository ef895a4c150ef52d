#include <algorithm>
#include <fstream>

#include "experiment/check_on_network.hpp"
#include "squall/core/masks.hpp"
#include "squall/core/network_spec.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/reader.hpp"
#include "squall/tools/experiment.hpp"
#include "squall/tools/iterative_stage.hpp"
#include "squall/training/iterators.hpp"

namespace squall {

namespace {

class Parser {
 public:
  Parser(json document, const std::filesystem::path& folder, const Catalog& catalog, const FileChecks& files)
      : catalog_(catalog), files_(files) {
    out_.source = std::move(document);
    out_.folder = folder;
  }

  Experiment run(std::string_view name) {
    const json& j = out_.source;
    if (!j.is_object()) raise<ConfigError>(name, ": an experiment should be an object, not ", j.type_name());
    reject_unknown_keys(j, "",
                        {"network", "init_from", "initialize", "data", "tasks", "sparsify", "masks", "train", "seed"},
                        problems_);
    read_network();
    read_masks();
    if (j.contains("initialize")) out_.initialize = j["initialize"];
    if (auto e = j.contains("init_from") ? read_value(j["init_from"], out_.init_from) : Expectation{})
      problems_.add("init_from", "should be " + *e);
    if (auto e = j.contains("seed") ? read_value(j["seed"], out_.seed) : Expectation{})
      problems_.add("seed", "should be " + *e);
    if (out_.initialize.is_null() && out_.init_from.empty())
      problems_.add("initialize",
                    "is missing; say how parameters begin, like {\"default\": {\"@type\": \"Gaussian\"}}");
    if (files_.init_from && !out_.init_from.empty()) check_init_from();
    read_data();
    out_.tasks = read_tasks(j, problems_);
    read_sparsify();
    read_stages();
    if (network_known_) check_on_network(out_, catalog_, problems_);
    problems_.raise_if_any(concat(name, ": the experiment cannot be run"));
    return std::move(out_);
  }

 private:
  void read_network() {
    json network = out_.source.contains("network") ? out_.source["network"] : json();
    try {
      if (network.is_string()) {
        const auto file = out_.folder / network.get<std::string>();
        const auto bytes = read_whole_file(file);
        network = parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
        out_.source["network"] = network;
      }
      if (is_network_spec(network)) {
        const SpecNetwork made = network_from_spec(network);
        network = out_.source["network"] = made.architecture.to_json();
        if (!out_.source.contains("initialize")) out_.source["initialize"] = made.initialize;
      }
      out_.architecture = Architecture::from_json(network, "network");
      network_known_ = true;
    } catch (const Error& e) {
      problems_.add("", e);
    }
  }

  // Put on at once, as specs are expanded: nothing behind this knows of patterns. What is wrong with the network itself
  // is told when it is checked.
  void read_masks() {
    if (!network_known_ || !out_.source.contains("masks") || out_.source["masks"].is_null()) return;
    try {
      out_.architecture = with_masks(out_.architecture, out_.source["masks"], catalog_, "masks", problems_);
      out_.source["network"] = out_.architecture.to_json();
      out_.source.erase("masks");
    } catch (const Error&) {
    }
  }

  void check_init_from() {
    try {
      check_readable(out_.init_file());
    } catch (const Error& e) {
      problems_.add("init_from", e);
    }
  }

  void read_data() {
    const json& j = out_.source;
    if (!j.contains("data") || !j["data"].is_object() || j["data"].empty()) {
      problems_.add("data", "should be an object of named data sets, each with an '@type'");
      return;
    }
    out_.data = j["data"];
    for (const auto& [name, description] : out_.data.items()) {
      const std::string where = "data." + name;
      const auto reader = catalog_.of<Reader>().make(description, where, catalog_, problems_);
      if (!reader) continue;
      if (files_.data) reader->check_files(*files_.data, where, problems_);
      for (const auto& [key, change] : reader->common().augment.items())
        catalog_.of<Augment>().make(change, concat(where, ".augment.", key), catalog_, problems_);
    }
  }

  void read_sparsify() {
    if (!out_.source.contains("sparsify") || out_.source["sparsify"].is_null()) return;
    const json& j = out_.source["sparsify"];
    if (j.is_object() && j.contains("@type") && j["@type"] != "Rsn2") {
      problems_.add("sparsify", concat("unknown type ", j["@type"].dump(), "; known is Rsn2"));
      return;
    }
    Rsn2 rsn2;
    read_fields(j, "sparsify", rsn2.options, problems_);
    check_options(rsn2.options, "sparsify", catalog_, problems_);
    check_names(rsn2.options.order, "sparsify.order");
    out_.sparsify = std::move(rsn2);
  }

  void check_names(const std::vector<std::string>& names, const std::string& where) {
    std::vector<std::string> known;
    for (const auto& [name, task] : out_.tasks) known.push_back(name);
    for (const auto& name : names)
      if (std::ranges::find(known, name) == known.end())
        problems_.add(where, concat("there is no task '", name, "'", did_you_mean(name, known)));
  }

  void read_stages() {
    const json& j = out_.source;
    if (!j.contains("train") || !j["train"].is_object()) {
      problems_.add("train", "should be an object with stepper, batch_size, max_epochs, hooks, ...");
      return;
    }
    if (!j["train"].contains("stages")) {
      read_stage(j["train"], "train");
      return;
    }
    reject_unknown_keys(j["train"], "train", {"stages"}, problems_);
    if (!j["train"]["stages"].is_array() || j["train"]["stages"].empty()) {
      problems_.add("train.stages", "should be a list of stages");
      return;
    }
    std::size_t i = 0;
    for (const auto& stage : j["train"]["stages"]) read_stage(stage, concat("train.stages.", i++));
  }

  void read_stage(const json& j, const std::string& where) {
    StageOptions s;
    read_fields(j, where, s, problems_);
    if (s.batch_size < 1) problems_.add(where + ".batch_size", "should be at least 1");
    if (s.max_epochs < 0) problems_.add(where + ".max_epochs", "should not be negative");
    if (s.truncate < 0) problems_.add(where + ".truncate", "should not be negative");
    if (s.mix != "cycle" && s.mix != "shortest") problems_.add(where + ".mix", "should be cycle or shortest");
    if (s.sparse != "auto" && s.sparse != "off") problems_.add(where + ".sparse", "should be auto or off");
    check_names(s.tasks, where + ".tasks");
    CheckpointOptions checkpoint;
    read_fields(s.checkpoint, where + ".checkpoint", checkpoint, problems_);
    catalog_.of<UpdateRule>().make(s.stepper, where + ".stepper", catalog_, problems_);
    if (s.tasks.empty())
      for (const auto& [name, task] : out_.tasks) s.tasks.push_back(name);
    if (s.iterative.is_null())
      check_hooks(s, where);
    else
      check_iterative(s, out_.sparsify.has_value(), where, catalog_, problems_);
    out_.stages.push_back(std::move(s));
  }

  void check_hooks(const StageOptions& s, const std::string& where) {
    bool stops = s.max_epochs > 0;
    if (!s.hooks.is_array() && !s.hooks.is_object()) {
      problems_.add(where + ".hooks", "should be a list of hooks or an object of named hooks");
      return;
    }
    for (const auto& [key, j] : s.hooks.items()) {
      catalog_.of<Hook>().make(j, where + ".hooks." + key, catalog_, problems_);
      stops = stops || (j.is_object() && j.contains("@type") &&
                        (j["@type"] == "EarlyStopper" ||
                         (j["@type"].is_string() && j["@type"].get<std::string>().starts_with("Stop"))));
    }
    if (!stops) problems_.add(where + ".max_epochs", "training would never end: give max_epochs or a hook that stops");
  }

  const Catalog& catalog_;
  const FileChecks& files_;
  bool network_known_ = false;
  Experiment out_;
  Problems problems_;
};

}  // namespace

TaskList read_tasks(const json& experiment, Problems& problems) {
  const json data = experiment.value("data", json::object());
  json tasks = experiment.value("tasks", json());
  if (tasks.is_null() && data.is_object() && data.size() == 1) tasks = {{"default", {{"data", data.begin().key()}}}};
  TaskList out;
  if (!tasks.is_object() || tasks.empty()) {
    problems.add("tasks", "should be an object of tasks; it may be absent only where there is one data set");
    return out;
  }
  std::vector<std::string> known;
  for (const auto& [name, reader] : data.items()) known.push_back(name);
  for (const auto& [name, j] : tasks.items()) {
    TaskOptions t;
    read_fields(j, "tasks." + name, t, problems);
    if (t.input.empty()) t.input = name;
    if (t.targets.empty()) t.targets = name == "default" ? "targets" : name + "_targets";
    if (t.data.empty() && std::ranges::find(known, name) != known.end()) t.data = name;
    // Without any data sets, which an imported model does not have, there is nothing to find.
    if (!known.empty() && std::ranges::find(known, t.data) == known.end())
      problems.add("tasks." + name + ".data",
                   concat("there is no data set '", t.data, "'", did_you_mean(t.data, known)));
    out.emplace_back(name, t);
  }
  return out;
}

const TaskOptions& Experiment::task(std::string_view name) const {
  for (const auto& t : tasks)
    if (t.first == name) return t.second;
  std::vector<std::string> known;
  for (const auto& t : tasks) known.push_back(t.first);
  raise<ConfigError>("there is no task '", name, "'", did_you_mean(name, known), "; tasks are: ", join(known));
}

std::filesystem::path Experiment::init_file() const {
  const std::filesystem::path file = init_from;
  return file.is_relative() ? folder / file : file;
}

Experiment parse_experiment(json document, const std::filesystem::path& folder, std::string_view name,
                            const Catalog& catalog, const FileChecks& files) {
  return Parser(std::move(document), folder, catalog, files).run(name);
}

Experiment read_experiment(const std::filesystem::path& file, const std::vector<std::string>& sets,
                           std::optional<std::uint64_t> seed, const Catalog& catalog, const FileChecks& files) {
  json document = read_document(file);
  for (const auto& s : sets) set_value(document, s);
  if (seed) document["seed"] = *seed;
  return parse_experiment(std::move(document), file.parent_path(), file.string(), catalog, files);
}

}  // namespace squall
